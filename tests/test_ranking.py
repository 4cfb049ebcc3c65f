import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.plan import PlannedCell, PlannedMap
from harness.ranking import Row, leaderboard
from harness.records import CellRecord, SelectionRecord
from harness.store import Store, open_for_writing
from harness.values import FIRST_SLOT, OBSERVED, Point, Selection, Variant

NOISE = Variant("control", "uniform-noise", 0)


def point(modularity: float, jaccard: float = 0.9) -> Point:
    return Point(
        level=0.0,
        threshold=0.0,
        density=1.0,
        modularity=modularity,
        modularity_full=modularity / 2,
        n_clusters=2,
        coverage=1.0,
        giant_share=1.0,
        isolated_share=0.0,
        jaccard_previous=jaccard,
        seconds=0.5,
        labels=np.array([0, 0, 1, 1]),
    )


class Bench:
    """Writes a run by hand: one call a cell, then the ranking is taken."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cells: list[PlannedCell] = []
        self.selections: list[SelectionRecord] = []

    def cell(
        self,
        clusterer: str,
        image: str,
        modularities: Sequence[float] = (),
        *,
        variant: Variant = OBSERVED,
        candidate: int = 0,
        accepted: bool = True,
        plateau: tuple[int, int] | None = None,
        status: str = "ok",
    ) -> None:
        key = f"{clusterer}-{image}-{variant.name}-{variant.draw}"
        observed = "" if variant == OBSERVED else f"{clusterer}-{image}--0"
        planned = PlannedMap(
            key, "set", image, image, "vit", FIRST_SLOT, variant, observed=observed
        )
        self.cells.append(PlannedCell(key, planned, "threshold", clusterer, 0, 0))
        points = [point(modularity) for modularity in modularities]
        self.store.write_cells([CellRecord(key, status, points=points)])
        if variant == OBSERVED and status == "ok":
            selection = Selection(candidate, 0.0, accepted, plateau, "")
            self.selections.append(SelectionRecord(key, "chosen", selection))

    def rows(self, by: str | None = None) -> list[Row]:
        self.store.write_plan({"selectors": ["chosen"]}, {}, [], self.cells)
        self.store.replace_selections(self.selections)
        return leaderboard(self.store, by)


@pytest.fixture
def bench(tmp_path: Path):  # type: ignore[no-untyped-def]
    with open_for_writing(tmp_path) as store:
        yield Bench(store)


def test_excess_is_over_the_own_image_at_the_level_selected_on_it(bench: Bench) -> None:
    bench.cell("a", "one", [0.2, 0.6], candidate=1)
    bench.cell("a", "one", [0.9, 0.1], variant=NOISE)
    bench.cell("a", "two", [0.5, 0.0], candidate=0)
    bench.cell("a", "two", [0.3, 0.0], variant=NOISE)

    (row,) = bench.rows()

    assert row.modularity == pytest.approx((0.6 + 0.5) / 2)
    assert row.control_modularity == pytest.approx((0.1 + 0.3) / 2)
    assert row.excess == pytest.approx((0.5 + 0.2) / 2)


def test_several_draws_of_a_control_are_averaged(bench: Bench) -> None:
    bench.cell("a", "one", [0.6])
    bench.cell("a", "one", [0.1], variant=NOISE)
    bench.cell("a", "one", [0.3], variant=Variant("control", "uniform-noise", 1))

    (row,) = bench.rows()

    assert row.control_modularity == pytest.approx(0.2)


def test_a_selection_that_found_nothing_counts_with_zero_and_is_shown(bench: Bench) -> None:
    bench.cell("a", "one", [0.6])
    bench.cell("a", "one", [0.2], variant=NOISE)
    bench.cell("a", "two", [0.8], accepted=False)
    bench.cell("a", "two", [0.2], variant=NOISE)

    (row,) = bench.rows()

    assert row.modularity == pytest.approx(0.3)
    assert row.control_modularity == pytest.approx(0.1)
    assert row.excess == pytest.approx(0.2)
    assert (row.accepted, row.ok, row.total) == (1, 2, 2)


def test_a_method_with_failures_never_comes_before_a_complete_one(bench: Bench) -> None:
    for image in ("one", "two"):
        bench.cell("steady", image, [0.3])
        bench.cell("steady", image, [0.2], variant=NOISE)
        bench.cell("shaky", image, [0.2], variant=NOISE)
    bench.cell("shaky", "one", [0.9])
    bench.cell("shaky", "two", status="failed")

    rows = bench.rows()

    assert [row.clusterer for row in rows] == ["steady", "shaky"]
    assert [(row.ok, row.total) for row in rows] == [(2, 2), (1, 2)]


def test_a_method_without_any_result_is_in_the_table(bench: Bench) -> None:
    bench.cell("dead", "one", status="killed")

    (row,) = bench.rows()

    assert (row.ok, row.total, row.modularity, row.excess) == (0, 1, None, None)


def test_a_partial_profile_of_a_failed_cell_is_not_scored(bench: Bench) -> None:
    bench.cell("slow", "one", [0.9], status="timed out")

    (row,) = bench.rows()

    assert row.modularity is None


def test_a_map_whose_control_failed_has_no_result(bench: Bench) -> None:
    for method, status in (("steady", "ok"), ("lucky", "killed")):
        bench.cell(method, "easy", [0.6])
        bench.cell(method, "easy", [0.1], variant=NOISE)
        bench.cell(method, "hard", [0.6])
        bench.cell(method, "hard", [0.6], variant=NOISE, status=status)

    steady, lucky = bench.rows()

    assert (steady.clusterer, steady.ok, steady.excess) == ("steady", 2, pytest.approx(0.25))
    assert (lucky.clusterer, lucky.ok, lucky.total) == ("lucky", 1, 2)


def test_an_undefined_figure_counts_as_zero_where_nothing_was_found(bench: Bench) -> None:
    bench.cell("a", "one", [0.6])
    bench.cell("a", "one", [0.1], variant=NOISE)
    bench.cell("a", "two", [math.nan], accepted=False)
    bench.cell("a", "two", [math.nan], variant=NOISE)

    (row,) = bench.rows()

    assert row.modularity == pytest.approx(0.3)
    assert row.control_modularity == pytest.approx(0.05)
    assert row.excess == pytest.approx(0.25)


def test_without_a_control_larger_modularity_comes_first(bench: Bench) -> None:
    bench.cell("low", "one", [0.2])
    bench.cell("high", "one", [0.4])

    assert [row.clusterer for row in bench.rows()] == ["high", "low"]


def test_jaccard_is_taken_inside_the_plateau(bench: Bench) -> None:
    key = "a-one--0"
    bench.cell("a", "one", [0.1] * 5, candidate=2, plateau=(1, 3))
    jaccards = [0.0, 0.0, 0.6, 0.8, 0.0]
    bench.store.write_cells(
        [CellRecord(key, "ok", points=[point(0.1, jaccard) for jaccard in jaccards])]
    )

    (row,) = bench.rows()

    assert row.jaccard_levels == pytest.approx(0.7)
    assert row.jaccard is None


def test_rows_can_be_sorted_by_another_column(bench: Bench) -> None:
    bench.cell("a", "one", [0.2])
    bench.cell("b", "one", [0.4])

    assert [row.clusterer for row in bench.rows(by="clusterer")] == ["a", "b"]
    assert [row.rank for row in bench.rows(by="clusterer")] == [1, 2]


def test_an_unknown_column_is_refused_with_a_suggestion(bench: Bench) -> None:
    bench.cell("a", "one", [0.2])

    with pytest.raises(HarnessError, match="did you mean 'excess'"):
        bench.rows(by="exces")
