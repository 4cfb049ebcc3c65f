"""The one place that says how many threads numerical libraries take.

A job has one thread, whatever the number of workers: the order of additions, and with it the
last digit, depends on it; and more threads than cores are many times slower. Extraction alone
may be given more.
"""

import os
import sys

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

    def set(self, count: int) -> None:
        """Let every library take so many threads from now on."""
        os.environ.update(variables(count))
        if "numpy" not in sys.modules:
            return

        from threadpoolctl import ThreadpoolController

        if len(sys.modules) != self._modules:
            # Looking for loaded libraries takes milliseconds: not before every cell.
            self._modules = len(sys.modules)
            self._libraries = ThreadpoolController()
        for library in self._libraries.lib_controllers:
            if library.num_threads != count:
                library.set_num_threads(count)
        torch = sys.modules.get("torch")
        if torch is not None and torch.get_num_threads() != count:
            torch.set_num_threads(count)
