"""The one place that says how many threads numerical libraries take.

A job has one thread, whatever the number of workers: the order of additions, and with it the
last digit, depends on it; and more threads than cores are many times slower. Extraction alone
may be given more.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def variables(count: int) -> dict[str, str]:
    """The environment that libraries read when they are loaded."""
    return dict.fromkeys(VARIABLES, str(count))


class ThreadLimit:
    """Sets the threads of all libraries, those that are loaded and those that will be."""

    def __init__(self) -> None:
        self._modules = -1
        self._libraries: list[Any] = []

    def set(self, count: int) -> None:
        """Let every library take so many threads from now on."""
        os.environ.update(variables(count))
        self.restore({}, count)

    def counts(self) -> dict[str, int]:
        """The threads that each loaded library may take."""
        self._look()
        found = {library.filepath: library.num_threads for library in self._libraries}
        torch = sys.modules.get("torch")
        return found if torch is None else {**found, "torch": torch.get_num_threads()}

    def restore(self, counts: Mapping[str, int], default: int | None = None) -> None:
        """Give each library its count back; one that was loaded since gets the default.

        That is the largest of the counts, unless it is given.
        """
        self._look()
        most = default or max(counts.values(), default=os.cpu_count() or 1)
        for library in self._libraries:
            count = counts.get(library.filepath, most)
            if library.num_threads != count:
                library.set_num_threads(count)
        torch = sys.modules.get("torch")
        if torch is not None and torch.get_num_threads() != counts.get("torch", most):
            torch.set_num_threads(counts.get("torch", most))

    def _look(self) -> None:
        """Find the loaded libraries; it takes milliseconds, so not before every cell."""
        if "numpy" not in sys.modules or len(sys.modules) == self._modules:
            return

        from threadpoolctl import ThreadpoolController

        self._modules = len(sys.modules)
        self._libraries = ThreadpoolController().lib_controllers
