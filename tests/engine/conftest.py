"""Workers and a cell for them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.engine.guardian import Guardian
from harness.engine.worker import WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.planning.identity import source_digest
from harness.plugin.values import AttentionMap
from harness.store.maps import save_map
from support import PLUGINS
from support.progress import Listener

MEMORY = 1 << 30


@pytest.fixture(scope="session")
def config() -> WorkerConfig:
    """Workers with all hostile clusterers, and 1 GiB a cell."""
    plugins = (PLUGINS / "misbehaving.py", PLUGINS / "isolation.py")
    return WorkerConfig(plugins, {}, source_digest(), MEMORY, extraction_threads=1)


@pytest.fixture(scope="module")
def worker(config: WorkerConfig) -> Iterator[WorkerProcess]:
    """A worker that outlives its processes, as in a run: what kills one costs it the process."""
    with Guardian() as guardian, WorkerProcess(config, guardian) as running:
        yield running


@pytest.fixture
def cell(tmp_path: Path) -> dict[str, Any]:
    """The header of a cell's job, without its clusterer."""
    weights = np.random.default_rng(0).random((12, 12))
    saved = save_map(AttentionMap(weights), tmp_path)
    return {
        "folder": str(tmp_path),
        "map": saved.to_message(),
        "image": "a",
        "layer": 0,
        "head": 0,
        "variant": ["observed", "", 0],
        "graph": "threshold",
        "n_levels": 4,
        "seed": 1,
        "resolution": 1.0,
        "rescore": False,
        "point": None,
    }


@pytest.fixture
def heard() -> Listener:
    """Keeps the warnings of a test."""
    return Listener()


Replies = Callable[..., list[str]]


@pytest.fixture
def replies(worker: WorkerProcess, cell: dict[str, Any]) -> Replies:
    """Computes the cell with a clusterer; returns what kinds of answers came."""

    def ask(clusterer: str, limit: float = 60.0, **more: Any) -> list[str]:
        calls = worker.call("cell", limit, **{**cell, **more}, clusterer=clusterer)
        return [answer["reply"] for answer in calls]

    return ask
