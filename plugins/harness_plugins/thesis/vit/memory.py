"""The memory that images and models take: at least, at once, and what the machine has."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness import HarnessError

if TYPE_CHECKING:
    import torch

    from harness_plugins.thesis.vit.model import ModelSettings

FLOAT = 4
# glibc takes a block of 32 MiB or more from the system, and gives it back, each time. Every page
# of it is then mapped and cleared anew: a quarter of the time of a training on photos.
LARGEST_BLOCK = 24 * 2**20

# What a container may use, in cgroups of version 2.
CONTAINER = Path("/sys/fs/cgroup/memory.max")
# What libraries say when an allocation fails, most of them as RuntimeError.
FAILED = ("allocate memory", "out of memory", "not enough memory")


def images_at_once(most: int, shape: "ModelSettings", device: "torch.device") -> int:
    """How many of at most `most` images go through a model together.

    On a CPU so few that memory, once allocated, is used again.
    """
    if device.type != "cpu":
        return most
    return min(most, max(1, LARGEST_BLOCK // (FLOAT * shape.largest_activation)))


def check_fits(needed: int, what: str, advice: str, most: int | None = None) -> None:
    """Raise HarnessError if so many bytes are more than `most`, by default the machine's memory."""
    most = _machine() if most is None else most
    if needed > most:
        raise HarnessError(
            f"{what} take at least {_gibibytes(needed)} of memory, and there are "
            f"{_gibibytes(most)}; {advice}"
        )


@contextmanager
def allocating(what: str, advice: str) -> Iterator[None]:
    """Raises HarnessError if memory cannot be allocated in the block."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(one in str(error) for one in FAILED):
            raise
        raise HarnessError(f"{what} do not fit into memory; {advice}") from error


def _machine() -> int:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(CONTAINER.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return physical


def _gibibytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size < 2**50 else f"{size // 2**30:,} GiB"
