"""How methods are ranked, and which of them can be told apart."""

import math
from pathlib import Path

import pytest

from harness.analysis.leaderboard import comparisons
from harness.errors import HarnessError
from support.leaderboards import NOISE, Bench
from support.runs import small_run


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


def test_without_a_control_larger_modularity_comes_first(bench: Bench) -> None:
    bench.cell("low", "one", [0.2])
    bench.cell("high", "one", [0.4])

    assert [row.method.clusterer for row in bench.rows()] == ["high", "low"]


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
