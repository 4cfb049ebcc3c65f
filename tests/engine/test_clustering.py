"""What the failure of a method costs: its own cells, and those that depend on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import harness
from harness.engine.failures import FIRST
from support import PLUGINS
from support.progress import Listener
from support.runs import small_run

Run = Callable[..., harness.Run]


SEVEN = [f"a{number}" for number in range(FIRST + 2)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Adds maps to a folder, b of 16 nodes and others of 12, and makes a run on all of them."""
    folder = tmp_path / "maps"
    folder.mkdir()
    random = np.random.default_rng(0)

    def make(*names: str, out: Path = tmp_path / "out", **changes: Any) -> harness.Run:
        for name in names:
            size = 16 if name == "b" else 12
            np.save(folder / f"{name}.npy", random.dirichlet(np.ones(size), size=size))
        given = {
            "controls": "permuted-rows",
            "nulls": 8,
            "clusterers": "louvain,choosy[refused=12]",
            "plugins": PLUGINS / "choosy.py",
        }
        return small_run(out, folder, **{**given, **changes})

    return make


def of(run: harness.Run, clusterer: str) -> pandas.DataFrame:
    cells = run.cells()
    return cells[cells.clusterer == clusterer]


@pytest.mark.parametrize("isolation", ["none", pytest.param("process", marks=pytest.mark.slow)])
def test_a_method_that_fails_on_a_map_is_not_run_on_the_maps_controls(
    run: Run, isolation: str
) -> None:
    finished = run("a0", isolation=isolation)

    failed = of(finished, "choosy[refused=12]")
    assert failed[failed.role == "observed"].status.tolist() == ["failed"]
    controls = failed[failed.role == "control"]
    assert controls.status.tolist() == ["skipped"] * 8
    assert set(controls.reason) == {"the cell of the map itself is failed: ValueError: 12 nodes"}
    assert set(of(finished, "louvain").status) == {"ok"}


def test_other_maps_of_the_method_and_other_methods_are_complete(run: Run, tmp_path: Path) -> None:
    finished, alone = run("a", "b"), run(out=tmp_path / "alone", clusterers="louvain")

    choosy = of(finished, "choosy[refused=12]")
    assert set(choosy[choosy.image == "b"].status) == {"ok"}
    points = [
        one.points().query("clusterer == 'louvain'").drop(columns="seconds").reset_index(drop=True)
        for one in (finished, alone)
    ]
    pandas.testing.assert_frame_equal(*points)


def test_a_method_whose_first_cells_fail_alike_is_stopped_and_keeps_its_row(run: Run) -> None:
    heard = Listener()

    finished = run(*SEVEN, controls="none", progress=heard)

    cells = of(finished, "choosy[refused=12]")
    assert cells.status.tolist() == ["failed"] * FIRST + ["skipped"] * 2
    assert cells.reason.iloc[-1] == (
        f"stopped, as its first {FIRST} all failed alike: failed: ValueError: 12 nodes"
    )
    (stopped,) = heard.warnings
    assert stopped.startswith("choosy[refused=12] (threshold, ")
    assert stopped.endswith("keep_going with retry_failed goes on")
    row = next(row for row in finished.leaderboard() if row.method.clusterer != "louvain")
    assert (row.ok, row.total) == (0, FIRST + 2)


def test_a_stopped_method_goes_on_when_that_is_asked_for(run: Run) -> None:
    run(*SEVEN, controls="none")
    going = {"controls": "none", "keep_going": True}
    resumed = of(run(**going), "choosy[refused=12]")
    retried = of(run(**going, retry_failed=True), "choosy[refused=12]")

    assert resumed.status.tolist() == ["failed"] * FIRST + ["skipped"] * 2
    assert retried.status.tolist() == ["failed"] * (FIRST + 2)


def test_a_method_that_was_ok_before_is_never_stopped(run: Run) -> None:
    run("b", controls="none", clusterers="choosy[refused=12]")

    cells = of(run(*SEVEN, controls="none", overwrite=True), "choosy[refused=12]")

    assert sorted(cells.status) == ["failed"] * (FIRST + 2) + ["ok"]
