import math
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.records import CellRecord, SelectionRecord, StoredMap
from harness.store import FILE_NAME, open_for_reading, open_for_writing
from harness.values import Point, Selection


def point(level: float, jaccard: float = 0.5) -> Point:
    return Point(
        level=level,
        threshold=0.1,
        density=1 - level,
        modularity=0.3 + level,
        modularity_full=math.nan,
        n_clusters=2,
        coverage=0.75,
        giant_share=1.0,
        isolated_share=0.25,
        jaccard_previous=jaccard,
        seconds=0.01,
        labels=np.array([0, 1, 0, -1]),
        diagnostics={"gap": 1e-9, "lost": math.inf},
        warnings=("slow",),
    )


def test_a_cell_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = CellRecord("key", "ok", seconds=1.5, points=[point(0.0, math.nan), point(0.5)])
    with open_for_writing(tmp_path) as store:
        store.write_cells([record])

    with open_for_reading(tmp_path) as store:
        profile = store.profile("key")

    assert profile.levels.tolist() == [0.0, 0.5]
    assert profile.modularity.tolist() == [0.3, 0.8]
    assert profile.labels.tolist() == [[0, 1, 0, -1]] * 2
    assert np.isnan(profile.column("modularity_full")).all()
    assert math.isnan(profile.points[0].jaccard_previous)
    assert profile.points[1].diagnostics["gap"] == 1e-9
    assert math.isnan(profile.points[1].diagnostics["lost"])
    assert profile.points[1].warnings == ("slow",)


def test_what_is_undefined_is_null_in_the_file(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "ok", points=[point(0.0)])])

    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        rows = connection.execute("SELECT modularity_full FROM points").fetchall()

    assert rows == [(None,)]


def test_a_cell_without_points_has_an_empty_profile(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "killed", "the process died")])

        assert len(store.profile("key")) == 0
        assert store.computed() == {"key"}


def test_a_cell_written_again_leaves_nothing_of_its_former_points(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "timed out", points=[point(0.0), point(0.5)])])
        store.write_cells([CellRecord("key", "ok", points=[point(0.25)])])

        assert store.profile("key").levels.tolist() == [0.25]


def test_failures_can_be_forgotten_and_successes_stay(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("good", "ok"), CellRecord("bad", "failed", "why")])
        store.write_maps([StoredMap("there", "digest", 4), StoredMap("lost", reason="why")])

        assert store.forget_failures() == 1
        assert store.computed() == {"good"}
        assert set(store.maps()) == {"there"}


def test_maps_come_back_with_and_without_grid(tmp_path: Path) -> None:
    maps = [StoredMap("a", "digest", 6, (2, 3)), StoredMap("b", reason="too small")]
    with open_for_writing(tmp_path) as store:
        store.write_maps(maps)

        assert store.maps() == {"a": maps[0], "b": maps[1]}


def test_new_selections_replace_the_old_ones(tmp_path: Path) -> None:
    chosen = Selection(1, math.nan, True, (0, 3), "why")
    with open_for_writing(tmp_path) as store:
        store.replace_selections([SelectionRecord("a", "old", chosen)])
        store.replace_selections(
            [SelectionRecord("a", "new", chosen), SelectionRecord("b", "new", None, "failed")]
        )
        rows = store.connection.execute(
            "SELECT cell, selector, candidate, statistic, accepted, plateau_first, plateau_last, "
            "status, reason FROM selections ORDER BY cell"
        ).fetchall()

    assert rows == [
        ("a", "new", 1, None, 1, 0, 3, "ok", "why"),
        ("b", "new", None, None, 0, None, None, "failed", "failed"),
    ]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom harness.store import open_for_writing\n"
        "with open_for_writing(pathlib.Path(sys.argv[1])):\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    try:
        with pytest.raises(HarnessError, match="another process"), open_for_writing(tmp_path):
            pass
    finally:
        other.communicate("")

    with open_for_writing(tmp_path) as store:
        assert store.computed() == set()


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\nfrom harness.store import open_for_writing\n"
        "with open_for_writing(pathlib.Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9

    with open_for_writing(tmp_path) as store:
        assert store.computed() == set()


def test_a_finished_run_is_one_file(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "ok")])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["maps", "run.lock", FILE_NAME]


@pytest.mark.parametrize("version", [0, 99])
def test_a_store_of_another_version_is_refused(tmp_path: Path, version: int) -> None:
    with open_for_writing(tmp_path):
        pass
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {version}")

    with pytest.raises(HarnessError, match=f"version {version}"), open_for_reading(tmp_path):
        pass


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("my notes")

    with pytest.raises(HarnessError, match="no store of a run"), open_for_writing(tmp_path):
        pass

    assert (tmp_path / FILE_NAME).read_text() == "my notes"


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no run is there"), open_for_reading(tmp_path):
        pass
