"""Files of checkpoints: found by name, locked, opened, and their settings read without torch."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from harness import HarnessError

SHIPPED = Path(__file__).parent / "checkpoints"
FLOWERS, FASHION_MNIST = "flowers", "fashion-mnist"
# What shipped models were trained on, by the image sets that they suit: with one head the model is
# called flowers-one-head, with twelve flowers-twelve-heads.
TRAINED_ON = {
    "tf-flowers": FLOWERS,
    "flowers-sample": FLOWERS,
    "fashion-mnist": FASHION_MNIST,
    "fashion-mnist-sample": FASHION_MNIST,
}


def checkpoint_file(name: str) -> Path:
    """The file of a shipped checkpoint of that name; any other name is a path."""
    shipped = SHIPPED / f"{name}.safetensors"
    # Unlike Path.is_file, os.path.isfile takes any name.
    if Path(name).name == name and os.path.isfile(shipped):
        return shipped
    return Path(os.path.expanduser(name))


def shipped() -> list[str]:
    """The names of the shipped checkpoints."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a checkpoint while it is trained.

    Raises HarnessError if another process holds it, and if its folder cannot be written.
    """
    # No other file that a training writes has a longer name.
    lock = path.with_name(f"{path.name}.training.running")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.fstat(descriptor).st_nlink > 0
        except BlockingIOError:
            is_ours = False
        if not is_ours:
            raise HarnessError(f"{path}: another process is training this model")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


class NotFiniteError(HarnessError):
    """Weights, losses or logits are infinite or NaN."""


def check_finite(tensors: Mapping[str, Any]) -> None:
    """Raise NotFiniteError if a tensor, in main memory, holds infinite values or NaN."""
    for name, tensor in tensors.items():
        if not np.isfinite(np.asarray(tensor)).all():
            raise NotFiniteError(f"its weights are not finite ({name})")


@contextmanager
def opened(path: Path, framework: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The tensors of a file that the harness wrote, all finite, and its metadata.

    What does not fit in the block's use of them is refused as a file of another program.
    """
    if not os.path.isfile(path):
        raise HarnessError(f"{path}: {_why_no_file(path)}")
    try:
        with safe_open(path, framework=framework) as file:
            metadata = json.loads((file.metadata() or {})["harness"])
            _check_metadata(metadata)
            for name in file.keys():
                if file.get_slice(name).get_dtype() != "F32":
                    raise ValueError(f"{name} does not hold 32-bit floats")
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        check_finite(tensors)
        yield tensors, metadata
    except NotFiniteError as error:
        raise NotFiniteError(f"{path}: {error}") from error
    except (SafetensorError, LookupError, TypeError, ValueError, OSError, RecursionError) as error:
        raise HarnessError(
            f"{path}: not a checkpoint that `harness train` wrote ({error})"
        ) from error


def _why_no_file(path: Path) -> str:
    if os.path.isdir(path):
        return "a folder, not a checkpoint"
    if path.suffix or path.name != str(path):
        return "no such checkpoint"
    return f"no such checkpoint; shipped are {', '.join(shipped())}"


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("record", {}), dict):
        raise ValueError("its metadata is not a table")
    classes = metadata.get("record", {}).get("classes", [""])
    if not (isinstance(classes, list) and all(isinstance(name, str) for name in classes)):
        raise ValueError("its classes are not names")


def head_count(path: Path) -> int:
    """The number of attention heads of a checkpoint's model; 0 if it has no attention."""
    with opened(path, "np") as (_, metadata):
        heads, attention = metadata["model"]["heads"], metadata["model"]["attention"]
        # Every head has weights of its own: there are fewer heads than bytes.
        if not isinstance(heads, int) or not 1 <= heads < path.stat().st_size:
            raise ValueError(f"it claims {heads} heads")
    return heads if attention else 0
