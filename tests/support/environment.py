"""The environment that tests run in, the same for every caller."""

import os
import signal
import sys
import time
import warnings

# What finds programs, libraries and folders of this machine.
SAVED = {
    "HOME",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "MPLCONFIGDIR",
    "PATH",
    "PYTHONPATH",
    "SHELL",
    "TMPDIR",
    "USER",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
}
# pytest's own variables, and those of its plugins.
PREFIXES = ("COV_CORE_", "COVERAGE_", "HYPOTHESIS_", "PYTEST_")
KNOWN = {
    "COLUMNS": "120",
    "HARNESS_DATA": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "LINES": "24",
    "MPLBACKEND": "agg",
    # Several pytest workers share the processors.
    "OMP_NUM_THREADS": "1",
    "TERM": "xterm-256color",
    "TZ": "UTC",
}


def isolate_environment() -> None:
    """Forget the caller's variables, and that it ignored Ctrl-C.

    Call it before anything is imported that reads variables.
    """
    for name in os.environ.keys() - SAVED:
        if not name.startswith(PREFIXES):
            del os.environ[name]
    os.environ.update(KNOWN)
    time.tzset()
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)


def reset_warnings() -> None:
    """Forget what PYTHONWARNINGS and -W asked of Python; pytest's own filters hold."""
    sys.warnoptions.clear()
    warnings.resetwarnings()
    warnings.simplefilter("default")
