import math
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.planning.survey import MapRecord
from harness.store import FILE_NAME, Store, open_for_reading, open_for_writing
from harness.store.records import CellRecord
from support.plans import Bench, point


def keys_of(store: Store) -> set[str]:
    return {cell for (cell,) in store.connection.execute("SELECT cell FROM cells")}


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


def test_nan_is_null_in_the_file(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "ok", points=[point(0.0)])])

    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        rows = connection.execute("SELECT modularity_full FROM points").fetchall()

    assert rows == [(None,)]


def test_a_cell_without_points_has_an_empty_profile(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "killed", "the process died")])

        assert len(store.profile("key")) == 0
        assert keys_of(store) == {"key"}


def test_a_cell_written_again_replaces_all_of_its_points(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "timed out", points=[point(0.0), point(0.5)])])
        store.write_cells([CellRecord("key", "ok", points=[point(0.25)])])

        assert store.profile("key").levels.tolist() == [0.25]


def test_added_cells_are_there_for_others_when_they_are_saved(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store, open_for_reading(tmp_path) as other:
        store.add_cells([CellRecord("key", "ok", points=[point(0.0)])])
        assert (keys_of(store), keys_of(other)) == ({"key"}, set())

        store.save()
        assert keys_of(other) == {"key"}


def test_of_a_cell_that_cannot_be_written_no_part_is_saved(tmp_path: Path) -> None:
    unwritable: Any = object()
    points = [point(0.0), replace(point(0.5), coverage=unwritable)]
    with open_for_writing(tmp_path) as store:
        with pytest.raises(sqlite3.Error):
            store.add_cells([CellRecord("key", "ok", points=points)])
        store.save()

        assert keys_of(store) == set()


def test_failures_can_be_deleted_and_successes_stay(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("good", "ok"), CellRecord("bad", "failed", "why")])
        store.write_maps([MapRecord("there", "digest", 4), MapRecord("lost", reason="why")])

        store.delete_failures()

        assert keys_of(store) == {"good"}
        assert set(store.maps()) == {"there"}


def test_maps_come_back_with_and_without_grid_region_and_truth(tmp_path: Path) -> None:
    maps = [
        MapRecord("a", "digest", 6, (2, 3), truth=(0, 0, 1, 1, 2, 2)),
        MapRecord("b", reason="too small"),
        # The same digest in other regions.
        MapRecord("c", "digest", 6, (2, 3), region=(0.1, 80 / 3, 373.625, 373.625)),
        MapRecord("d", "digest", 6, (2, 3), region=(0.0, 0.0, 373.625, 373.625)),
    ]
    with open_for_writing(tmp_path) as store:
        store.write_maps(maps)

        assert store.maps() == {record.key: record for record in maps}
        assert [store.map(record.key) for record in maps] == maps
        assert store.map("e") is None


@pytest.mark.parametrize(
    ("spec", "cells", "maps"),
    [
        ("louvain", {"infomap a-", "infomap a-noise[n=1]"}, {"a-", "a-noise[n=1]"}),
        ("infomap", {"louvain a-", "louvain a-noise[n=1]"}, {"a-", "a-noise[n=1]"}),
        ("noise[n=1]", {"louvain a-", "infomap a-"}, {"a-"}),
        ("vit", set(), set()),
        ("set", set(), set()),
        ("threshold", set(), {"a-", "a-noise[n=1]"}),
    ],
)
def test_records_that_a_component_took_part_in_can_be_deleted(
    bench: Bench, spec: str, cells: set[str], maps: set[str]
) -> None:
    for clusterer in ("louvain", "infomap"):
        for control in ("", "noise[n=1]"):
            bench.plan(clusterer, "a", control)
    bench.store.write_cells(CellRecord(cell.key, "ok", points=[point(0.0)]) for cell in bench.cells)
    bench.store.write_maps(
        {cell.map.key: MapRecord(cell.map.key, "d", 4) for cell in bench.cells}.values()
    )

    bench.store.delete_components([spec])

    assert keys_of(bench.store) == cells
    assert set(bench.store.maps()) == maps
    for cell in bench.cells:
        if cell.key in cells:
            assert len(bench.store.profile(cell.key)) == 1
