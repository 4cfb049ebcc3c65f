"""A CUDA device that is none: its tensors lie in the processor's memory, but mix with no others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("cuda:0")
# What takes tensors from several places on a true device, too.
MIXED = ("to", "copy_", "__getitem__")
Named = dict[str, Any]


class _OnDevice(Tensor):
    """A tensor on the device."""

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Named | None = None
    ) -> Any:
        return _called(func, args, kwargs or {})


class _Device(TorchFunctionMode):
    """Puts tensors on the device where a call names it."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Named | None = None
    ) -> Any:
        return _called(func, args, kwargs or {})


def _called(func: Callable[..., Any], args: Any, kwargs: Named) -> Any:
    """Do what torch does, or refuse what it refuses of tensors in several places."""
    given = tree_leaves((args, kwargs))
    name = getattr(func, "__name__", "")
    if name in ("device", "_parse_to"):
        return func(*args, **kwargs)
    if name == "_has_compatible_shallow_copy_type":
        return False
    if name == "__get__" and isinstance(args[0], _OnDevice):
        # An attribute; that of another name is not of the device.
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **kwargs)
        return DEVICE if isinstance(found, torch.device) else _placed(found, True)
    on_device = any(isinstance(each, _OnDevice) for each in given)
    elsewhere = any(
        isinstance(each, Tensor) and not isinstance(each, _OnDevice) and each.ndim for each in given
    )
    named = [place for each in given if (place := _device_of(each)) is not None]
    if on_device and name in ("numpy", "__array__"):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")
    if on_device and elsewhere and name not in MIXED:
        raise RuntimeError(f"{name}: tensors on the same device expected, not on cuda:0 and cpu")
    if named:
        to_device = named[-1].type == "cuda"
        args, kwargs = tree_map(
            lambda each: each if _device_of(each) is None else torch.device("cpu"), (args, kwargs)
        )
    else:
        to_device = on_device and name != "cpu"
    with torch._C.DisableTorchFunctionSubclass():
        return _placed(func(*args, **kwargs), to_device)


def _device_of(value: Any) -> torch.device | None:
    """The device that an argument names, if it is the processor or this one."""
    if isinstance(value, str) and value.partition(":")[0] in ("cuda", "cpu"):
        value = torch.device(value)
    return value if isinstance(value, torch.device) and value.type in ("cuda", "cpu") else None


def _placed(found: Any, on_device: bool) -> Any:
    kind = _OnDevice if on_device else Tensor

    def place(value: Any) -> Any:
        is_other = isinstance(value, Tensor) and isinstance(value, _OnDevice) != on_device
        return value.as_subclass(kind) if is_other else value

    return tree_map(place, found)


@contextmanager
def fake_cuda() -> Iterator[None]:
    """A context with one CUDA device."""
    with (
        patch.object(torch.cuda, "is_available", lambda: True),
        patch.object(torch.cuda, "device_count", lambda: 1),
        _Device(),
    ):
        yield
