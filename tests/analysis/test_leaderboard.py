import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.analysis.leaderboard import Row, comparisons, leaderboard
from harness.errors import HarnessError
from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import significance
from harness.planning.plan import PlannedCell, PlannedMap
from harness.planning.survey import MapRecord
from harness.plugin.profile import Point, Selection
from harness.plugin.values import FIRST_HEAD, OBSERVED, Variant
from harness.store import Store, open_for_writing
from harness.store.records import CellRecord, ControlRecord, SelectionRecord, StabilityRecord
from harness.store.selections import replace_selections, replace_stabilities
from support.runs import small_run

NOISE = Variant("control", "uniform-noise", 0)


def point(modularity: float, jaccard: float = 0.9) -> Point:
    return Point(
        level=0.0,
        threshold=0.0,
        density=1.0,
        modularity=modularity,
        modularity_full=modularity / 2,
        z_modularity=modularity / 2,
        n_clusters=2,
        coverage=1.0,
        largest_component_fraction=1.0,
        isolated_fraction=0.0,
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
        self.stabilities: list[StabilityRecord] = []

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
        nulls: Sequence[float] = (0.0,),
        bias: float = 0.0,
        single_bias: float | None = None,
        jaccards: Mapping[str, float] | None = None,
        repeat: int = 0,
    ) -> None:
        key = f"{clusterer}-{image}-{variant.name}-{variant.draw}"
        if repeat:
            key += f"-{repeat}"
        observed = "" if variant == OBSERVED else f"{clusterer}-{image}--0"
        planned = PlannedMap(
            key, "set", image, image, "vit", FIRST_HEAD, variant, observed=observed
        )
        self.cells.append(PlannedCell(key, planned, "threshold", clusterer, repeat, 0))
        points = [point(modularity) for modularity in modularities]
        self.store.write_cells([CellRecord(key, status, points=points)])
        if variant == OBSERVED and status == "ok":
            selection = Selection(candidate, 0.0, accepted, plateau, "")
            biases = SelectionBias(bias, bias if single_bias is None else single_bias)
            tested = ControlRecord(significance(0.0, nulls), [-1] * len(nulls), biases)
            tests = {"uniform-noise": tested}
            self.selections.append(SelectionRecord(key, "chosen", selection, tests=tests))
            self.stabilities += [
                StabilityRecord(key, "chosen", kind, 1, jaccard, -1, 0, math.nan)
                for kind, jaccard in (jaccards or {}).items()
            ]

    def rows(self, by: str | None = None) -> list[Row]:
        self.store.write_plan({"selectors": ["chosen"]}, {}, [], self.cells)
        replace_selections(self.store, self.selections, ["chosen"])
        replace_stabilities(self.store, self.stabilities)
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


def test_the_effect_is_the_excess_less_that_of_the_draws(bench: Bench) -> None:
    for image, bias in (("one", 0.1), ("two", -0.05)):
        bench.cell("a", image, [0.6], bias=bias)
        bench.cell("a", image, [0.2], variant=NOISE)

    (row,) = bench.rows()

    assert (row.excess, row.effect) == pytest.approx((0.4, 0.4 - 0.025))


def test_an_effect_that_cannot_be_computed_counts_in_no_mean(bench: Bench) -> None:
    for image, bias in (("one", 0.1), ("two", math.nan)):
        bench.cell("a", image, [0.6], bias=bias)
        bench.cell("a", image, [0.2], variant=NOISE)

    (row,) = bench.rows()

    assert (row.excess, row.effect) == pytest.approx((0.4, 0.3))


def test_methods_are_ranked_by_effect_and_not_by_excess(bench: Bench) -> None:
    for image in "abcdefgh":
        bench.cell("flattered", image, [0.9], bias=0.6)
        bench.cell("flattered", image, [0.1], variant=NOISE)
        bench.cell("sober", image, [0.5], bias=0.0)
        bench.cell("sober", image, [0.1], variant=NOISE)

    rows = bench.rows()

    assert [(row.method.clusterer, row.tier) for row in rows] == [("sober", 1), ("flattered", 2)]
    assert [row.method.clusterer for row in bench.rows("excess")] == ["flattered", "sober"]


def test_ranks_are_by_the_effect_with_the_bias_of_a_single_draw(bench: Bench) -> None:
    # On noise the mean over draws is mostly a little above 0: no reason for another tier.
    for image in "abcdefgh":
        for method, bias in (("a", 0.02), ("b", 0.01)):
            bench.cell(method, image, [math.nan], accepted=False, bias=bias, single_bias=0.0)
            bench.cell(method, image, [0.1], variant=NOISE)

    assert [(row.mean_rank, row.tier) for row in bench.rows()] == [(1.5, 1), (1.5, 1)]


def test_several_draws_of_a_control_are_averaged(bench: Bench) -> None:
    bench.cell("a", "one", [0.6])
    bench.cell("a", "one", [0.1], variant=NOISE)
    bench.cell("a", "one", [0.3], variant=Variant("control", "uniform-noise", 1))

    (row,) = bench.rows()

    assert row.control_modularity == pytest.approx(0.2)


def test_all_draws_stand_for_those_of_an_image_from_which_none_was_drawn(bench: Bench) -> None:
    bench.cell("a", "one", [0.6, 0.5], candidate=0)
    bench.cell("a", "one", [0.1, 0.2], variant=NOISE)
    bench.cell("a", "two", [0.6, 0.5], candidate=1)
    bench.cell("a", "two", [0.3, 0.4], variant=NOISE)
    bench.cell("a", "three", [0.7, 0.5], candidate=1)
    bench.cell("b", "one", [0.9, 0.9])
    bench.cell("b", "one", [0.8, 0.8], variant=NOISE)
    bench.cell("b", "three", [0.9, 0.9], accepted=False)

    a, b = sorted(bench.rows(), key=lambda row: row.method.clusterer)

    assert a.control_modularity == pytest.approx((0.1 + 0.4 + (0.2 + 0.4) / 2) / 3)
    assert b.control_modularity == pytest.approx((0.8 + 0.0) / 2)
    assert (a.ok, b.ok) == (3, 2)


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

    assert [row.method.clusterer for row in rows] == ["steady", "shaky"]
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

    assert (steady.method.clusterer, steady.ok, steady.excess) == ("steady", 2, pytest.approx(0.25))
    assert (lucky.method.clusterer, lucky.ok, lucky.total) == ("lucky", 1, 2)


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

    assert [row.method.clusterer for row in bench.rows()] == ["high", "low"]


def test_the_headline_stability_is_the_smallest_of_the_three(bench: Bench) -> None:
    kinds = {"levels": 0.9, "seeds": 0.8, "log-jitter": 0.5, "edge-dropout": 0.9}
    bench.cell("a", "one", [0.1], jaccards=kinds)
    bench.cell("a", "two", [0.1], jaccards={**kinds, "seeds": 0.2})

    (row,) = bench.rows()

    assert row.jaccard_levels == pytest.approx(0.9)
    assert row.jaccard_seeds == pytest.approx(0.5)
    assert row.jaccard_perturbed == pytest.approx(0.7)
    assert row.jaccard == pytest.approx((0.7 + 0.2) / 2)


def test_stability_is_of_what_was_accepted(bench: Bench) -> None:
    bench.cell("a", "one", [0.1], jaccards={"levels": 0.9})
    bench.cell("a", "two", [0.1], accepted=False)

    (row,) = bench.rows()

    assert row.jaccard == pytest.approx(0.9)


def test_significance_is_against_the_first_control(bench: Bench) -> None:
    for image, nulls in (("one", [-1.0] * 39), ("two", [-1.0] * 39), ("three", [1.0] * 39)):
        bench.cell("a", image, [0.6], nulls=nulls)
        bench.cell("a", image, [0.1], variant=NOISE)

    (row,) = bench.rows()

    assert row.p_value == pytest.approx(1 / 40)
    assert row.significant == 2
    assert row.controls[0].control == "uniform-noise"


def test_methods_that_differ_on_every_image_are_in_different_tiers(bench: Bench) -> None:
    for image in "abcdefghij":
        for method, excess in (("best", 0.5), ("middle", 0.3), ("worst", 0.1)):
            bench.cell(method, image, [0.2 + excess])
            bench.cell(method, image, [0.2], variant=NOISE)

    rows = bench.rows()

    assert [(row.method.clusterer, row.tier) for row in rows] == [
        ("best", 1),
        ("middle", 2),
        ("worst", 3),
    ]
    assert [row.mean_rank for row in rows] == [1.0, 2.0, 3.0]


def test_methods_that_win_on_as_many_images_share_a_tier(bench: Bench) -> None:
    for number in range(10):
        for method, sign in (("a", 1), ("b", -1)):
            excess = 0.3 + sign * (0.1 if number % 2 else -0.1)
            bench.cell(method, str(number), [0.2 + excess])
            bench.cell(method, str(number), [0.2], variant=NOISE)

    assert [row.tier for row in bench.rows()] == [1, 1]


def test_few_images_tell_no_methods_apart(bench: Bench) -> None:
    for image in "abc":
        bench.cell("high", image, [0.9])
        bench.cell("low", image, [0.1])

    assert [(row.method.clusterer, row.tier) for row in bench.rows()] == [
        ("high", 1),
        ("low", 1),
    ]


def test_an_image_that_no_method_completed_takes_nobodys_tier(bench: Bench) -> None:
    for image in "abcdefgh":
        status = "skipped" if image == "a" else "ok"
        bench.cell("high", image, [0.9], status=status)
        bench.cell("low", image, [0.3], status=status)
        bench.cell("dead", image, status="failed")

    bench.rows()
    (found,) = comparisons(bench.store)

    assert [(row.method.clusterer, row.tier, row.mean_rank) for row in found.rows] == [
        ("high", 1, 1.0),
        ("low", 2, 2.0),
        ("dead", None, None),
    ]
    assert (found.ranked, found.images) == (7, 8)


def test_an_incomplete_method_is_compared_on_the_images_that_it_completed(bench: Bench) -> None:
    for image in "abcdefgh":
        bench.cell("steady", image, [0.3])
        bench.cell("shaky", image, [0.9], status="failed" if image == "a" else "ok")

    assert [(row.method.clusterer, row.tier, row.mean_rank) for row in bench.rows()] == [
        ("steady", 2, 2.0),
        ("shaky", 1, 1.0),
    ]


@pytest.mark.parametrize("by", [None, "modularity", "excess", "effect"])
def test_methods_that_differ_by_rounding_alone_share_rank_and_tier(
    bench: Bench, by: str | None
) -> None:
    for number in range(8):
        for method, extra in (("b", 1e-16), ("a", 0.0), ("c", -0.2)):
            bench.cell(method, str(number), [0.5 + number / 30 + extra])
            bench.cell(method, str(number), [0.1], variant=NOISE)

    assert [(row.method.clusterer, row.rank, row.tier) for row in bench.rows(by)] == [
        ("a", 1, 1),
        ("b", 1, 1),
        ("c", 3, 2),
    ]


def test_the_interval_of_the_effect_holds_its_mean(bench: Bench) -> None:
    for number in range(12):
        bench.cell("a", str(number), [0.4 + number / 100], bias=0.1)
        bench.cell("a", str(number), [0.2], variant=NOISE)

    (row,) = bench.rows()

    assert row.effect_low is not None
    assert row.effect_high is not None
    assert row.effect is not None
    assert 0.1 < row.effect_low < row.effect < row.effect_high < 0.21


def test_spread_over_seeds_and_over_images_are_apart(bench: Bench) -> None:
    for image, level in (("one", 0.2), ("two", 0.6)):
        for repeat, change in enumerate((-0.01, 0.01)):
            bench.cell("a", image, [level + change], repeat=repeat)

    (row,) = bench.rows()

    assert row.across_seeds == pytest.approx(math.sqrt(2) * 0.01)
    assert row.across_images == pytest.approx(math.sqrt(2) * 0.2)


def test_clusters_are_compared_with_the_planted_ones(bench: Bench) -> None:
    bench.cell("a", "one", [0.6])
    bench.cell("a", "two", [0.6], nulls=[-1.0] * 39)
    bench.cell("a", "three", [0.6], nulls=[1.0] * 39)
    truths = {"one": (5, 5, 7, 7), "two": (0, 0, 0, 0), "three": (0, 0, 0, 0)}
    bench.store.write_maps(
        MapRecord(f"a-{image}--0", "digest", 4, truth=truth) for image, truth in truths.items()
    )
    bench.cell("a", "one", [0.1], variant=NOISE)

    (row,) = bench.rows()

    assert (row.ari, row.ami, row.ari_best, row.k_error) == (1.0, 1.0, 1.0, 0.0)
    assert row.false_alarms == 0.5


def test_false_alarms_are_counted_under_every_control(tmp_path: Path) -> None:
    run = small_run(
        tmp_path / "out",
        extractors="planted[count=5,n=16,signal=[0.0,2.0],spread=1.0]",
        controls="permuted-rows,preserved-strengths",
        nulls=20,
    )

    tests = run.tests()
    for row in run.leaderboard():
        of_method = tests[tests.extractor == row.method.extractor]
        found = {test.control: test.false_alarms for test in row.controls}
        if "signal=2" in row.method.extractor:
            assert set(found.values()) == {None}
        else:
            shares = (of_method.p <= 0.05).groupby(of_method.control).mean()
            assert found == pytest.approx(shares.to_dict())
            assert row.false_alarms == found["permuted-rows"]


def test_rows_can_be_sorted_by_another_column(bench: Bench) -> None:
    bench.cell("a", "one", [0.2])
    bench.cell("b", "one", [0.4])

    assert [row.method.clusterer for row in bench.rows(by="clusterer")] == ["a", "b"]
    assert [row.rank for row in bench.rows(by="clusterer")] == [1, 2]


def test_an_unknown_column_is_refused_with_a_suggestion(bench: Bench) -> None:
    bench.cell("a", "one", [0.2])

    with pytest.raises(HarnessError, match="did you mean 'excess'"):
        bench.rows(by="exces")
