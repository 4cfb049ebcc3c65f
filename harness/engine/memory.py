"""What a process holds and held, as far as the system tells."""

import contextlib
import resource
import sys
from pathlib import Path


def address_space() -> int:
    """Bytes of address space that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def peak_memory(process: int | str = "self") -> int | None:
    """Peak resident memory of a process since it called `forget_peak_memory`, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def forget_peak_memory() -> None:
    """Let this process' peak be counted from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_of(usage: resource.struct_rusage) -> int:
    """Peak resident memory in bytes of a process that ended.

    Where it died young, what its parent held when it was started may be larger, and is meant.
    """
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
