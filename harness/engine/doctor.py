"""What a bug report needs: versions, machine, plugins, and whether workers start."""

import os
import platform
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.engine import environment
from harness.engine.inline_worker import open_worker
from harness.engine.isolation import THREAD_VARIABLES, peak_memory
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError
from harness.planning.identity import source_digest
from harness.plugin.descriptions import describe_all
from harness.plugin.registry import Registry
from harness.store.file_systems import network_file_system

# Not required, but good to know.
OPTIONAL = ("distributed", "dask-jobqueue")
ABSENT = "not installed"


def diagnose(registry: Registry, plugins: Sequence[Path], results: Path) -> dict[str, Any]:
    """Everything by topic, as values that JSON can express; never raises."""
    found = environment.environment(extraction_threads=1)
    source = environment.source()
    nearest = next(place for place in (results, *results.absolute().parents) if place.exists())
    return {
        "harness": {
            "version": found["harness"],
            "commit": source["commit"],
            "changed since": source["dirty"],
            "folder": str(Path(__file__).parents[1]),
        },
        "machine": {
            "platform": platform.platform(),
            "python": f"{found['python']} ({sys.executable})",
            "processors": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "memory in GiB": round(_memory() / 2**30, 1),
            "sqlite": sqlite3.sqlite_version,
            "results on a network file system": network_file_system(nearest) or "no",
            "threads asked for": {
                name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ
            },
        },
        "libraries": {
            **found["libraries"],
            **dict.fromkeys(found["absent"], ABSENT),
            **{name: environment.version_of(name) or ABSENT for name in OPTIONAL},
        },
        "plugins": {
            "packages": found["plugins"],
            "components": sum(len(named) for named in registry.components.values()),
            "without their packages": {
                f"{each.kind} {each.name}": each.install
                for each in describe_all(registry)
                if each.install
            },
            "trouble": list(registry.warnings()),
        },
        "workers": _workers(registry, plugins),
    }


def _workers(registry: Registry, plugins: Sequence[Path]) -> dict[str, Any]:
    config = WorkerConfig(tuple(plugins), {}, source_digest(), memory=2**30, extraction_threads=1)
    known = {"peak memory is known": peak_memory() is not None}
    started = time.perf_counter()
    try:
        with open_worker(config, "process", registry) as worker:
            worker.start()
            return {"ready after seconds": round(time.perf_counter() - started, 2), **known}
    except HarnessError as error:
        return {"trouble": str(error), **known}


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
