"""The provenance of a run: versions, source, platform, command line."""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.plugin.installed import DISTRIBUTION, harness_version
from harness.plugin.registry import GROUP

EXTRAS_THAT_COMPUTE_NOTHING = ("dask", "test", "development")


def environment(extraction_threads: int) -> dict[str, Any]:
    """Everything that may change a result: versions of all packages that compute, and threads."""
    plugins = {
        entry_point.dist.name: entry_point.dist.version
        for entry_point in importlib.metadata.entry_points(group=GROUP)
        if entry_point.dist is not None
    }
    return {
        "harness": harness_version(),
        "plugins": plugins,
        "libraries": dict(_libraries()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": {"cells": 1, "extraction": extraction_threads},
    }


def _libraries() -> Iterator[tuple[str, str]]:
    """Packages that are required or of an extra, if they are installed, with their versions."""
    for requirement in importlib.metadata.requires(DISTRIBUTION) or []:
        # 'transformers>=5.20; extra == "hf"': the name ends where the versions begin.
        name = re.split(r"[^\w.-]", requirement)[0]
        extra = re.search(r"extra == [\"'](.*)[\"']", requirement)
        if extra is None or extra[1] not in EXTRAS_THAT_COMPUTE_NOTHING:
            # Extras may be missing, and what a version of Python does not have.
            with suppress(importlib.metadata.PackageNotFoundError):
                yield name, importlib.metadata.version(name)


def difference(
    before: Mapping[str, Any], now: Mapping[str, Any], sides: tuple[str, str] = ("then", "now")
) -> str:
    """The first difference between two environments, in words; "" if they are equal."""
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            if inner := difference(old, new, sides):
                return inner
        elif old != new:
            return f"{name} {old or 'none'} {sides[0]}, {new or 'none'} {sides[1]}"
    return ""


def source() -> dict[str, Any]:
    """The git commit of the harness' source and whether it has changes; None if unknown."""
    file = Path(__file__)

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(file.parent), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        # A copy that is installed inside another repository is not that repository's source.
        git("ls-files", "--error-unmatch", file.name)
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def invocation() -> dict[str, Any]:
    """How and where this process was started."""
    return {
        "command": sys.argv,
        "folder": os.getcwd(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
    }
