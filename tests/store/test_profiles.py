import math
from pathlib import Path

import numpy as np
import pytest

from harness.plugin.profile import Point
from harness.store import open_for_reading, open_for_writing
from harness.store.profiles import stored_profile
from harness.store.records import CellRecord
from harness.store.schema import FIGURES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    figures = dict.fromkeys(FIGURES, 0.5)
    points = [
        Point(
            **{**figures, "level": level, "n_clusters": 2, "jaccard_previous": jaccard},  # type: ignore[arg-type]
            labels=np.array([0, 1, -1]),
            diagnostics={"gap": 1e-9},
            warnings=("slow",),
        )
        for level, jaccard in ((0.0, math.nan), (0.5, 0.25))
    ]
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "ok", points=points), CellRecord("none", "failed")])
    return tmp_path


def test_figures_are_those_of_the_whole_profile(folder: Path) -> None:
    with open_for_reading(folder) as store:
        found, whole = stored_profile(store, "key"), store.profile("key")

    assert len(found) == 2
    for name in FIGURES:
        np.testing.assert_array_equal(found.column(name), whole.column(name))
    assert found.n_clusters.tolist() == [2, 2]


def test_points_are_read_when_they_are_asked_for(folder: Path) -> None:
    with open_for_reading(folder) as store:
        profile = stored_profile(store, "key")
        assert profile.labels.tolist() == [[0, 1, -1]] * 2
        assert [point.warnings for point in profile.points] == [("slow",)] * 2


def test_a_cell_without_points_has_an_empty_profile(folder: Path) -> None:
    with open_for_reading(folder) as store:
        assert len(stored_profile(store, "none")) == 0
