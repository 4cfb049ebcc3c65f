import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from harness.metrics.inference import (
    bootstrap_interval,
    bootstrap_intervals,
    image_ranks,
    mean_interval,
    signed_rank_p,
    spread,
    standings,
)
from harness.plugin.values import Floats

NOTHING = math.nan


def test_the_best_on_an_image_has_rank_one_and_equal_ones_share_their_mean() -> None:
    scores = np.array([[0.9, 0.1], [0.5, 0.0], [0.7, 0.1]])

    assert image_ranks([scores]).tolist() == [[1.0, 1.5], [3.0, 3.0], [2.0, 1.5]]


def test_ranks_by_two_criteria_are_averaged() -> None:
    excess, stability = np.array([[0.9], [0.5]]), np.array([[0.2], [0.8]])

    assert image_ranks([excess, stability]).tolist() == [[1.5], [1.5]]


def test_the_omnibus_test_is_friedmans() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 20)) + np.arange(4)[:, None] * 0.2

    assert standings([scores]).omnibus == pytest.approx(stats.friedmanchisquare(*scores).pvalue)


def test_pairs_do_not_depend_on_a_third_method() -> None:
    random = np.random.default_rng(1)
    two = random.normal(size=(2, 15))
    three = np.concatenate([two, random.normal(size=(1, 15))])

    (alone,) = standings([two]).pairs
    with_another = standings([three]).pairs[0]

    assert (alone.wins, alone.p) == (with_another.wins, with_another.p)


def test_methods_drawn_from_one_distribution_rarely_get_different_tiers() -> None:
    random = np.random.default_rng(2)
    apart = [standings([random.normal(size=(3, 16))]).tiers.max() > 1 for _ in range(200)]

    assert np.mean(apart) < 0.08


def test_a_method_that_always_loses_is_in_a_lower_tier() -> None:
    random = np.random.default_rng(3)
    scores = random.normal(size=(3, 12))
    scores[2] = scores[:2].min(axis=0) - 1

    assert standings([scores]).tiers.tolist() == [1, 1, 2]


def test_methods_of_equal_scores_share_a_tier() -> None:
    found = standings([np.ones((3, 20))])

    assert found.tiers.tolist() == [1, 1, 1]
    assert found.omnibus == 1.0
    assert [pair.p for pair in found.pairs] == [1.0] * 3


@pytest.mark.parametrize("missing", [(slice(None), 3), (0, 3), (1, [3, 7])])
def test_methods_are_compared_on_the_images_that_all_completed(missing: Any) -> None:
    scores = np.random.default_rng(4).normal(size=(3, 12)) + np.arange(3)[:, None]
    scores[missing] = NOTHING
    rest = scores[:, ~np.isnan(scores).any(axis=0)]

    found, expected = standings([scores]), standings([rest])

    assert found.images == expected.images == rest.shape[1]
    assert found.mean_ranks.tolist() == expected.mean_ranks.tolist()
    assert found.tiers.tolist() == expected.tiers.tolist()
    assert (found.omnibus, found.pairs) == (expected.omnibus, expected.pairs)


def test_a_method_that_completed_nothing_has_no_tier_and_takes_nobodys() -> None:
    scores = np.random.default_rng(4).normal(size=(3, 12)) + np.arange(3)[:, None] * 3
    scores[1] = NOTHING

    found, others = standings([scores]), standings([scores[[0, 2]]])

    assert found.tiers.tolist() == [others.tiers[0], 0, others.tiers[1]]
    assert np.isnan(found.mean_ranks).tolist() == [False, True, False]
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 2)]
    assert found.images == 12


@pytest.mark.parametrize(
    "scores", [np.full((2, 8), NOTHING), [[1, NOTHING], [NOTHING, 1]]], ids=["none", "disjoint"]
)
def test_without_an_image_that_all_completed_there_are_no_ranks(scores: Any) -> None:
    found = standings([np.array(scores)])

    assert (found.images, found.tiers.tolist(), found.pairs) == (0, [0, 0], [])
    assert np.isnan(found.mean_ranks).all()


@given(
    hnp.arrays(np.float64, (4, 9), elements=st.integers(-3, 3).map(lambda step: step / 10)),
    hnp.arrays(np.float64, (4, 9), elements=st.floats(-1, 1)),
)
def test_rounding_changes_no_rank_tier_or_test(scores: Floats, noise: Floats) -> None:
    found, rounded = standings([scores]), standings([scores + 1e-14 * noise])

    assert rounded.mean_ranks.tolist() == found.mean_ranks.tolist()
    assert rounded.tiers.tolist() == found.tiers.tolist()
    assert rounded.pairs == found.pairs
    assert rounded.omnibus == found.omnibus


def test_methods_whose_scores_differ_by_rounding_alone_share_rank_and_tier() -> None:
    scores = np.random.default_rng(5).uniform(size=(1, 30)) + np.array([[0], [1e-16], [-0.5]])

    found = standings([scores])

    assert found.mean_ranks.tolist() == [1.5, 1.5, 3.0]
    assert found.tiers.tolist() == [1, 1, 2]
    assert (found.pairs[0].wins, found.pairs[0].p) == (0.0, 1.0)


@given(
    hnp.arrays(np.float64, 12, elements=st.integers(-4, 4).map(lambda step: step / 7)),
    hnp.arrays(np.float64, 12, elements=st.floats(-1, 1)),
)
def test_rounding_does_not_change_the_paired_test(steps: Floats, noise: Floats) -> None:
    assert signed_rank_p(steps + 1e-14 * noise) == signed_rank_p(steps)
    many = np.tile(steps, 20)
    assert signed_rank_p(many + 1e-14 * np.tile(noise, 20)) == signed_rank_p(many)


def test_too_few_images_test_nothing() -> None:
    found = standings([np.arange(15.0).reshape(3, 5)])

    assert math.isnan(found.omnibus)
    assert all(math.isnan(pair.p) for pair in found.pairs)
    assert found.tiers.tolist() == [1, 1, 1]


def test_one_method_is_in_the_first_tier() -> None:
    assert standings([np.ones((1, 8))]).tiers.tolist() == [1]


@given(st.lists(st.integers(-4, 4), min_size=6, max_size=9))
def test_the_paired_test_counts_every_choice_of_signs(steps: list[int]) -> None:
    differences = np.array(steps, dtype=float)
    ranks = stats.rankdata(np.abs(differences))
    signs = np.array(list(itertools.product([-1, 1], repeat=len(steps))))
    sums = np.abs(signs @ np.where(differences == 0, 0, ranks))
    observed = abs(np.sign(differences) @ ranks)

    assert signed_rank_p(differences) == pytest.approx(np.mean(sums >= observed - 1e-9))


@pytest.mark.parametrize("images", [12, 40, 200, 201, 400])
def test_the_paired_test_is_scipys_where_nothing_is_tied(images: int) -> None:
    differences = np.random.default_rng(images).normal(0.1, size=images)

    expected = stats.wilcoxon(differences).pvalue
    assert signed_rank_p(differences) == pytest.approx(expected, abs=0.005)


@given(st.permutations(range(4)), st.permutations(range(10)))
def test_the_order_of_methods_and_images_does_not_matter(
    methods: list[int], images: list[int]
) -> None:
    scores = np.random.default_rng(5).normal(size=(4, 10)) + np.arange(4)[:, None]

    found, turned = standings([scores]), standings([scores[np.ix_(methods, images)]])

    assert turned.mean_ranks == pytest.approx(found.mean_ranks[methods])
    assert turned.tiers.tolist() == found.tiers[methods].tolist()


def test_the_bootstrap_interval_is_close_to_scipys() -> None:
    scores = np.random.default_rng(6).exponential(size=30)
    expected = stats.bootstrap(
        (scores,), np.mean, method="percentile", n_resamples=20_000, rng=7
    ).confidence_interval

    assert bootstrap_interval(scores) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_one_image_has_no_interval() -> None:
    assert all(math.isnan(end) for end in bootstrap_interval(np.ones(1)))


def test_intervals_of_one_value_an_image_are_those_of_its_scores() -> None:
    scores = np.random.default_rng(9).exponential(size=(12, 3))
    low, high = bootstrap_intervals(scores, np.ones_like(scores))
    expected = [bootstrap_interval(figure) for figure in scores.T]
    assert np.stack([low, high], axis=1) == pytest.approx(np.array(expected))


def test_an_image_is_resampled_with_all_its_values() -> None:
    # Two images of equal means: every resample has the same mean.
    low, high = bootstrap_intervals(np.array([[6.0], [2.0]]), np.array([[3.0], [1.0]]))
    assert (low.tolist(), high.tolist()) == ([2.0], [2.0])


def test_figures_of_one_image_have_no_interval_among_others_that_have() -> None:
    low, high = bootstrap_intervals(np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([[1, 1], [1, 0]]))
    assert np.isnan([*low, *high]).tolist() == [False, True, False, True]


def test_spread_across_images_and_across_seeds_are_separate() -> None:
    random = np.random.default_rng(8)
    scores = random.normal(scale=3, size=(400, 1)) + random.normal(scale=0.5, size=(400, 8))

    across_images, across_seeds = spread(scores)

    assert across_images == pytest.approx(3, rel=0.1)
    assert across_seeds == pytest.approx(0.5, rel=0.05)


def test_spread_is_undefined_with_one_image_or_seed() -> None:
    assert math.isnan(spread(np.ones((1, 3)))[0])
    assert math.isnan(spread(np.ones((3, 1)))[1])


def test_friedmans_p_and_students_interval_are_those_of_scipy() -> None:
    random = np.random.default_rng(0)
    for methods, images in ((3, 6), (5, 20), (8, 11)):
        scores = random.integers(0, 4, (methods, images)).astype(np.float64)
        expected = stats.friedmanchisquare(*image_ranks([scores])).pvalue
        assert standings([scores]).omnibus == pytest.approx(expected, rel=1e-12)
        low, high = mean_interval(scores[0])
        expected_ends = stats.t.interval(0.95, images - 1, scores[0].mean(), stats.sem(scores[0]))
        assert (low, high) == pytest.approx(expected_ends, rel=1e-12)
