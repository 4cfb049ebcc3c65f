"""What a method reached on each map, and what of it counts."""

import math

import pytest

from harness.planning.survey import MapRecord
from harness.plugin.values import Variant
from support.leaderboards import NOISE, Bench


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
