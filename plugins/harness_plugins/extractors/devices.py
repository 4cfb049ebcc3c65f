"""Where a model runs and in which precision: the parameters `device`, `dtype` and `batch`."""

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from harness import AttentionMap, HarnessError, Image
from harness_plugins.parameters import check_bounds

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Dtype = Literal["float32", "float64", "bfloat16", "float16"]
CPU = "cpu"
SINGLE: Dtype = "float32"
DEVICE = re.compile(r"cpu|cuda(:(0|[1-9]\d*))?", re.ASCII)
# Without it, cuBLAS may add in another order in another call, and older versions of torch refuse
# products where only deterministic algorithms are allowed.
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = ":4096:8"


class Placed(Protocol):
    """A component with the parameters of its model's place."""

    @property
    def name(self) -> str:
        """The component's name."""

    @property
    def device(self) -> str:
        """The device on which the model runs."""


C = TypeVar("C", bound=Placed)
Extract = Callable[[C, Iterable[Image]], Iterator[AttentionMap]]


def check_placement(component: Placed) -> None:
    """Raise HarnessError if `device` names no kind of device or `batch` is no number of images."""
    if not DEVICE.fullmatch(component.device):
        raise HarnessError(
            f"{component.name}: device takes cpu, cuda, or one of several such as cuda:1, not "
            f"{component.device!r}"
        )
    check_bounds(component, "batch", least=1)


def require_device(device: str) -> None:
    """Raise HarnessError unless torch can use a device; for the CPU, torch is not imported."""
    if device == CPU:
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device.partition(":")[2] or 0) < count:
        return
    if count:
        seen = f"cuda:0 … cuda:{count - 1}" if count > 1 else "cuda:0"
        wrong, advice = f"torch sees {seen} only", "take one of those"
    elif torch.version.cuda is None and torch.version.hip is None:
        wrong = f"torch sees no CUDA device: torch {torch.__version__} is built without CUDA"
        advice = "install a CUDA build of torch, or leave device out"
    else:
        wrong = "torch sees no CUDA device"
        advice = "see whether nvidia-smi lists one, or leave device out"
    raise HarnessError(f"{device}: {wrong}; {advice}")


def place(module: "nn.Module", device: str, dtype: Dtype) -> None:
    """Move a model to a device, and convert its weights.

    Raises HarnessError if there is no such device, or not enough memory on it.
    """
    import torch

    from harness_plugins.thesis.vit.memory import allocating

    require_device(device)
    with allocating(f"the model's weights on {device}", "a smaller model takes less"):
        # A model that is loaded is in single precision.
        module.to(device, None if dtype == SINGLE else getattr(torch, dtype))


@contextmanager
def running(name: str, module: "nn.Module", pixels: "Tensor") -> Iterator["Tensor"]:
    """A context in which to run a model; gives the pixels (images, …, height, width) beside it.

    They are moved to the model's device, and converted to the type of its weights. Raises
    HarnessError, with the model's name, if there is not enough memory.
    """
    from harness_plugins.thesis.vit.memory import allocating

    images, (height, width) = len(pixels), pixels.shape[-2:]
    weights = next(module.parameters())
    with allocating(
        f"{name}: images of {height}×{width} pixels, {images} at a time on {weights.device},",
        "a smaller batch, size or model takes less",
    ):
        pixels = pixels.to(weights.device, weights.dtype)
        with repeatable(pixels.device):
            yield pixels


def stacked(images: Sequence["Tensor"], batch: int) -> "Tensor":
    """Images (1, channels, height, width) as one tensor of `batch`, the last one repeated.

    Kernels depend on the size of a batch, and with them the last digits of every image in it.
    Repeats make it the same for all images, so that no map depends on how many others there are.
    """
    import torch

    if batch == 1:
        return images[0]
    repeats = [images[-1]] * (batch - len(images))
    return torch.cat([*images, *repeats])


@contextmanager
def repeatable(device: "torch.device") -> Iterator[None]:
    """On CUDA, compute the same digits in every run, and in full precision.

    Convolutions would otherwise round their inputs to 10 bits (TF32), and so do products where the
    environment allows it. On the CPU nothing changes.
    """
    import torch

    if device.type != "cuda":
        yield
        return
    products, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.allow_tf32
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get(WORKSPACE)
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        try:
            products.allow_tf32 = False
            os.environ.setdefault(WORKSPACE, FIXED)
            # An operation without a deterministic kernel is no reason to refuse a model.
            torch.use_deterministic_algorithms(True, warn_only=True)
            yield
        finally:
            products.allow_tf32 = before
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            if workspace is None:
                os.environ.pop(WORKSPACE, None)


def at_least_single(dtype: Dtype) -> Dtype:
    """The type itself or, instead of half precision, single."""
    return dtype if dtype == "float64" else SINGLE


def freeing(extract: Extract[C]) -> Extract[C]:
    """Make a method give its model's memory back to the device at its end.

    The process of a run that extracts goes on with other work, and torch would keep the memory.
    """

    @wraps(extract)
    def extracting(self: C, images: Iterable[Image]) -> Iterator[AttentionMap]:
        try:
            yield from extract(self, images)
        finally:
            if self.device != CPU:
                import torch

                # Models are in circles of references.
                gc.collect()
                torch.cuda.empty_cache()

    return extracting
