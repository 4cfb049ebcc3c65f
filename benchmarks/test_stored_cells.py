"""How long it takes to read a run of some 10,000 cells.

OMP_NUM_THREADS=1 pytest -n 0 benchmarks/test_stored_cells.py
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from stored_cells import make_store

import harness
from harness.engine.selection import selected
from harness.store import open_for_reading
from harness.store.profiles import stored_profile

Reader = Callable[[harness.Run], Any]
READERS: dict[str, Reader] = {
    "rows": lambda run: run.leaderboard(progress=False),
    "layer_rows": lambda run: run.layer_rows(progress=False),
    "verdicts": lambda run: run.verdicts(),
    "cells": lambda run: run.cells(),
}


# Shapes, and the share of their images that is some 10,000 cells.
SHARES = {"repeats": 0.1, "heads": 0.1, "methods": 0.12}


@pytest.fixture(scope="module", params=SHARES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A stored run of one of the shapes."""
    name, share = request.param, SHARES[request.param]
    folder: Path = tmp_path_factory.mktemp(name) / name
    make_store(folder, name, share)
    return harness.open_run(folder)


@pytest.mark.benchmark(group="10,000 cells")
@pytest.mark.parametrize("reader", READERS)
def test_reading(benchmark: BenchmarkFixture, run: harness.Run, reader: str) -> None:
    benchmark(READERS[reader], run)


@pytest.mark.benchmark(group="a selection beside draws, each treated alike")
@pytest.mark.parametrize("spec", ["excess-modularity", "stable-phase", "max-modularity"])
def test_selecting(benchmark: BenchmarkFixture, run: harness.Run, spec: str) -> None:
    with open_for_reading(run.folder) as store:
        cells = [cell for (cell,) in store.connection.execute("SELECT cell FROM cells LIMIT 61")]
        profiles = [stored_profile(store, cell) for cell in cells]
    profiles = [each for each in profiles if len(each) == len(profiles[0])]
    selector, own = harness.make("selector", spec), {"control": list(range(6))}

    benchmark(lambda: selected(selector, profiles[0], {"control": profiles[1:]}, own=own))
