"""What a plan lacks, and how long that takes."""

from harness.planning.survey import MapRecord
from harness.store.missing import (
    CellKind,
    count_missing,
    maps_needed,
    missing_cells,
    sound_sources,
    timings,
)
from harness.store.records import CellRecord
from support.plans import Bench, point

LOUVAIN = CellKind("vit", "observed", "threshold", "louvain")


def test_missing_cells_are_paged_in_plan_order_each_once(bench: Bench) -> None:
    for image in "abcd":
        bench.plan("louvain", image)
    # An image of equal pixels has the same cell.
    bench.plan("louvain", "e", key="louvain a-")
    bench.store.write_cells([CellRecord("louvain b-", "failed")])

    first = missing_cells(bench.store, after=-1, count=2)
    second = missing_cells(bench.store, after=first[-1][0]["position"], count=2)

    assert [cell["cell"] for cell, _ in first] == ["louvain a-", "louvain c-"]
    assert [cell["cell"] for cell, _ in second] == ["louvain d-"]
    assert count_missing(bench.store) == {LOUVAIN: 3}


def test_a_missing_cell_has_the_record_of_its_map_if_there_is_one(bench: Bench) -> None:
    bench.plan("louvain", "a", "noise")
    ((_, without),) = missing_cells(bench.store, -1, 10)
    record = MapRecord("a-noise", "digest", 6, (2, 3), region=(0.0, 1.5, 20.0, 30.0))
    bench.store.write_maps([record])
    ((cell, found),) = missing_cells(bench.store, -1, 10)

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

    assert maps_needed(bench.store) == {"a-", "a-noise"}


def test_maps_of_cells_that_came_without_them_are_needed(bench: Bench) -> None:
    bench.plan("louvain", "a")
    bench.store.write_cells([CellRecord("louvain a-", "ok")])

    assert maps_needed(bench.store) == {"a-"}


def test_sources_and_controls_with_any_map_are_sound(bench: Bench) -> None:
    for image in "ab":
        bench.plan("louvain", image)
        bench.plan("louvain", image, "noise")
    assert sound_sources(bench.store) == []

    bench.store.write_maps([MapRecord("a-", reason="why"), MapRecord("b-", "digest", 6)])
    assert sound_sources(bench.store) == [("set", "vit")]

    bench.store.write_maps([MapRecord("a-noise", "digest", 6)])
    assert sound_sources(bench.store) == [("set", "vit"), "noise"]


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

    assert sorted(timings(bench.store)) == [(LOUVAIN, 1.0), (LOUVAIN, 2.0)]
