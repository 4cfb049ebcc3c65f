import math
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.planning.plan import PlannedCell, PlannedMap
from harness.planning.survey import MapRecord
from harness.plugin.profile import Point
from harness.plugin.values import FIRST_HEAD, OBSERVED, Variant
from harness.store import FILE_NAME, Store, open_for_reading, open_for_writing
from harness.store.records import CellRecord
from harness.store.tables import CellKind


def keys_of(store: Store) -> set[str]:
    return {cell for (cell,) in store.connection.execute("SELECT cell FROM cells")}


def point(level: float, jaccard: float = 0.5) -> Point:
    return Point(
        level=level,
        threshold=0.1,
        density=1 - level,
        modularity=0.3 + level,
        modularity_full=math.nan,
        z_modularity=math.nan,
        n_clusters=2,
        coverage=0.75,
        largest_component_fraction=1.0,
        isolated_fraction=0.25,
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

        assert store.delete_failures() == 1
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


LOUVAIN = CellKind("vit", "observed", "threshold", "louvain")


class Bench:
    """Writes plans of cells."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cells: list[PlannedCell] = []

    def plan(self, clusterer: str, image: str, control: str = "", key: str = "") -> None:
        map_key = f"{image}-{control}"
        variant = Variant("control", control) if control else OBSERVED
        observed = f"{image}-" if control else ""
        planned = PlannedMap(
            map_key, "set", image, image, "vit", FIRST_HEAD, variant, observed=observed
        )
        name = key or f"{clusterer} {map_key}"
        self.cells.append(PlannedCell(name, planned, "threshold", clusterer, 0, len(self.cells)))
        self.store.write_plan({"selectors": ["chosen[a=1]"]}, {}, [], self.cells)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_for_writing(tmp_path) as store:
        yield Bench(store)


def test_missing_cells_are_paged_in_plan_order_each_once(bench: Bench) -> None:
    for image in "abcd":
        bench.plan("louvain", image)
    # An image of equal pixels has the same cell.
    bench.plan("louvain", "e", key="louvain a-")
    bench.store.write_cells([CellRecord("louvain b-", "failed")])

    first = bench.store.missing(after=-1, count=2)
    second = bench.store.missing(after=first[-1][0]["position"], count=2)

    assert [cell["cell"] for cell, _ in first] == ["louvain a-", "louvain c-"]
    assert [cell["cell"] for cell, _ in second] == ["louvain d-"]
    assert bench.store.count_missing() == {LOUVAIN: 3}


def test_a_missing_cell_has_the_record_of_its_map_if_there_is_one(bench: Bench) -> None:
    bench.plan("louvain", "a", "noise")
    ((_, without),) = bench.store.missing(-1, 10)
    record = MapRecord("a-noise", "digest", 6, (2, 3), region=(0.0, 1.5, 20.0, 30.0))
    bench.store.write_maps([record])
    ((cell, found),) = bench.store.missing(-1, 10)

    assert without is None
    assert found == record
    identity = ("image", "role", "control", "draw", "seed")
    assert [cell[name] for name in identity] == ["a", "control", "noise", 0, 0]


def test_maps_of_missing_cells_are_needed_and_those_that_controls_alter(bench: Bench) -> None:
    bench.plan("louvain", "a")
    bench.plan("louvain", "a", "noise")
    bench.plan("louvain", "b")
    bench.store.write_cells([CellRecord("louvain a-", "ok"), CellRecord("louvain b-", "ok")])
    bench.store.write_maps([MapRecord("b-", "digest", 6)])

    assert bench.store.maps_needed() == {"a-", "a-noise"}


def test_maps_of_cells_that_came_without_them_are_needed(bench: Bench) -> None:
    bench.plan("louvain", "a")
    bench.store.write_cells([CellRecord("louvain a-", "ok")])

    assert bench.store.maps_needed() == {"a-"}


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

    assert bench.store.delete_components([spec]) == 4 - len(cells)
    assert keys_of(bench.store) == cells
    assert set(bench.store.maps()) == maps
    for cell in bench.cells:
        if cell.key in cells:
            assert len(bench.store.profile(cell.key)) == 1


def test_timings_are_seconds_per_level_of_cells_that_are_ok(bench: Bench) -> None:
    for image in "abc":
        bench.plan("louvain", image)
    bench.plan("infomap", "a")
    two = [point(0.0), point(0.5)]
    bench.store.write_cells(
        [
            CellRecord("louvain a-", "ok", seconds=2.0, points=two),
            CellRecord("louvain b-", "ok", seconds=4.0, points=two),
            CellRecord("louvain c-", "timed out", seconds=99.0, points=two),
        ]
    )

    assert sorted(bench.store.timings()) == [(LOUVAIN, 1.0), (LOUVAIN, 2.0)]
