"""Keeps the working folder off the path from which our processes import.

This is imported while the working folder may still be on the path, so it imports only modules that
Python has loaded already when it starts.
"""

import os
import sys


def safe_environment() -> dict[str, str]:
    """The environment of a process that imports nothing from the working folder.

    PYTHONPATH keeps the folders that it names; the working folder is not named by an empty entry or
    a relative one, such as `.`.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    entries = environment.pop("PYTHONPATH", "").split(os.pathsep)
    named = [entry for entry in entries if os.path.isabs(entry) or not _is_here(entry)]
    return {**environment, "PYTHONPATH": os.pathsep.join(named)} if named else environment


def _is_here(path: str) -> bool:
    try:
        # Python removes `..` likewise, even after a folder that does not exist.
        return os.path.samefile(os.path.normpath(path), os.curdir)
    except OSError:
        return False


def leave(*, is_module: bool) -> None:
    """Start this process again if it can import from the working folder.

    is_module: whether it was started by `python -m`, which puts the working folder first.
    """
    environment = safe_environment()
    is_named = environment.get("PYTHONPATH", "") != os.environ.get("PYTHONPATH", "")
    if is_named or (is_module and not sys.flags.safe_path):
        os.execve(sys.executable, [sys.executable, "-P", *sys.orig_argv[1:]], environment)
