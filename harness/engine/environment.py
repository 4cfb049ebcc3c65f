"""The provenance of a run: versions, source, platform, command line."""

import importlib.metadata
import inspect
import json
import os
import platform
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from harness.planning.identity import packages_behind
from harness.plugin.component import Component
from harness.plugin.installed import DISTRIBUTION, entry_points, harness_version
from harness.plugin.projects import GROUP

EXTRAS_THAT_COMPUTE_NOTHING = ("dask", "docs", "shell", "slurm", "test", "development")


def environment(extraction_threads: int, packages: Set[str] | None = None) -> dict[str, Any]:
    """Everything that may change a result: versions of all packages that compute, and threads.

    packages: of `packages_used`, if only the versions of these are wanted. Otherwise it also has
    the names of the extras' packages that are absent, which are never compared when a run is
    resumed.
    """
    plugins = {
        source.package: source.version
        for _, source in entry_points(GROUP)
        if source.package and (packages is None or _canonical(source.package) in packages)
    }
    names = set(_required()) if packages is None else packages - set(map(_canonical, plugins))
    versions = {name: version_of(name) for name in sorted(names)}
    absent = [name for name, version in versions.items() if version is None]
    return {
        "harness": harness_version(),
        "plugins": plugins,
        "libraries": {name: version for name, version in versions.items() if version},
        **({"absent": absent} if packages is None else {}),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": {"cells": 1, "extraction": extraction_threads},
    }


def _required() -> Iterator[str]:
    """The packages that the harness requires, and those of extras that compute, without itself."""
    for requirement in importlib.metadata.requires(DISTRIBUTION) or []:
        # 'transformers>=5.20; extra == "hf"': the name ends where the versions begin.
        extra = re.search(r"extra == [\"'](.*)[\"']", requirement)
        name = _canonical(re.split(r"[^\w.-]", requirement)[0])
        # Extras that include others name the harness.
        if name != DISTRIBUTION and (extra is None or extra[1] not in EXTRAS_THAT_COMPUTE_NOTHING):
            yield name


def version_of(distribution: str) -> str | None:
    """The version of a distribution, None if it is not installed."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)
    return None


def packages_used(components: Iterable[type[Component]]) -> set[str]:
    """The installed packages behind the code of components and of the core."""
    installed = _installed()
    modules = packages_behind(components)
    return {_canonical(name) for module in modules for name in installed.get(module, ())}


@cache
def _installed() -> Mapping[str, Sequence[str]]:
    """The distributions that have a module or package of each top-level name.

    `importlib.metadata.packages_distributions` says the same, but it parses all metadata and makes
    a path of every installed file: for a second or two, at the start of every run.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for distribution in importlib.metadata.distributions():
        metadata = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        if name := re.search(r"^Name:\s*(\S+)", metadata, re.MULTILINE):
            for module in _top_level(distribution):
                found[module].append(name[1])
    return found


def _top_level(distribution: importlib.metadata.Distribution) -> set[str]:
    """The names of a distribution's modules and packages."""
    if listed := distribution.read_text("top_level.txt"):
        return set(listed.split())
    record = distribution.read_text("RECORD")
    lines = map(str, distribution.files or ()) if record is None else record.splitlines()
    names = set()
    for line in lines:
        top, nested, _ = line.partition("/")
        # A line of a record is a path, a checksum and a size.
        names.add(top if nested else inspect.getmodulename(top.partition(",")[0]))
    return {name for name in names if name and "." not in name}


def _canonical(distribution: str) -> str:
    return re.sub("[-_.]+", "-", distribution).lower()


def common(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of one environment that the other has too."""
    return {
        name: common(value, other[name]) if isinstance(value, Mapping) else value
        for name, value in one.items()
        if name in other
    }


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
    """The git commit of the harness' source and whether it has changes; None if unknown.

    A clone is asked, also where the harness is installed from it as editable; other installations
    have a record from when they were built.
    """
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
        record = file.parents[1] / "source.json"
        found = json.loads(record.read_text()) if record.is_file() else {}
        return {"commit": found.get("commit"), "dirty": found.get("dirty")}


def invocation() -> dict[str, Any]:
    """How and where this process was started."""
    return {
        "command": sys.argv,
        "folder": os.getcwd(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
    }
