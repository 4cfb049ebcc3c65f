import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.metrics.significance import (
    false_discovery_rates,
    is_significant,
    p_value,
    significance,
)


def test_p_counts_the_observed_statistic_as_a_draw() -> None:
    assert p_value(3.0, [1.0, 2.0, 4.0]) == pytest.approx(2 / 4)
    assert p_value(5.0, [1.0] * 39) == pytest.approx(1 / 40)


def test_ties_count_against_the_observed() -> None:
    assert p_value(1.0, [1.0, 1.0, 0.0]) == pytest.approx(3 / 4)


def test_p_is_what_scipy_finds_by_resampling_from_the_null() -> None:
    nulls = np.random.default_rng(0).normal(size=999)
    random = np.random.default_rng(0)
    found = stats.monte_carlo_test(
        [1.5],
        lambda size: random.normal(size=size),
        lambda sample, axis: sample.mean(axis=axis),
        n_resamples=999,
        vectorized=True,
        alternative="greater",
    )
    expected = (1 + np.count_nonzero(found.null_distribution >= 1.5)) / 1000

    assert p_value(1.5, found.null_distribution) == pytest.approx(found.pvalue)
    assert found.pvalue == pytest.approx(expected)
    assert p_value(1.5, nulls) == pytest.approx((1 + (nulls >= 1.5).sum()) / 1000)


def test_nan_is_smaller_than_every_statistic() -> None:
    assert p_value(math.nan, [0.1, 0.2]) == 1.0
    assert p_value(0.0, [math.nan, math.nan, 1.0]) == pytest.approx(2 / 4)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 5))
def test_p_depends_on_the_order_of_values_only(nulls: list[int], observed: int) -> None:
    assert p_value(observed, nulls) == p_value(observed**3 - 7, [null**3 - 7 for null in nulls])


def test_with_ties_broken_at_random_p_is_uniform_on_a_discrete_null() -> None:
    random = np.random.default_rng(1)
    drawn = [
        p_value(pool[0], pool[1:], tie=1 - random.random())
        for pool in random.integers(0, 4, size=(2000, 20)).astype(float)
    ]

    assert stats.kstest(drawn, "uniform").pvalue > 0.01


def test_z_is_in_standard_deviations_from_the_mean_of_the_nulls() -> None:
    found = significance(5.0, [1.0, 2.0, 3.0])

    assert found.z == pytest.approx((5 - 2) / np.std([1, 2, 3], ddof=1))
    assert (found.null_mean, found.p) == (2.0, 0.25)


@pytest.mark.parametrize("nulls", [[], [1.0], [1.0, 1.0], [math.nan, math.nan]])
def test_z_is_nan_without_a_standard_deviation(nulls: list[float]) -> None:
    assert math.isnan(significance(2.0, nulls).z)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30),
    st.integers(0, 4),
    st.integers(0, 2**32 - 1),
)
def test_rounding_changes_no_p(nulls: list[int], observed: int, seed: int) -> None:
    first, *rest = np.random.default_rng(seed).uniform(-1e-14, 1e-14, len(nulls) + 1).tolist()
    rounded = [null / 7 + noise for null, noise in zip(nulls, rest, strict=True)]

    assert p_value(observed / 7 + first, rounded) == p_value(observed, nulls)


@pytest.mark.parametrize("statistic", [0.0, 1e-17, -4e-17, 2e-15])
def test_a_statistic_that_only_rounding_lifts_above_the_draws_has_p_one(statistic: float) -> None:
    assert p_value(statistic, [0.0, -1e-17, 3e-16, *[-6e-16] * 36]) == 1.0


@pytest.mark.parametrize("scale", [1, 1e3, 1e9])
def test_p_has_ties_relative_to_the_scale_of_large_statistics(scale: float) -> None:
    assert p_value(scale * (1 + 1e-12), [scale] * 39) == 1.0
    assert p_value(scale * (1 + 1e-6), [scale] * 39) == pytest.approx(1 / 40)


def test_z_is_undefined_if_the_draws_differ_by_rounding_alone() -> None:
    found = significance(0.5, [0.0, 4e-16, -6e-16, 0.0])

    assert math.isnan(found.z)
    assert (found.p, found.null_std > 0) == (0.2, True)


def test_a_rate_that_rounding_lifts_above_the_limit_is_significant() -> None:
    # Three tests at .05 have q = .05 × 3 / 3, which floating point may put above .05.
    assert is_significant([0.05, 0.05 * 3 / 3, 0.05 + 1e-16, 0.0501, math.nan]).tolist() == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_false_discovery_rates_follow_the_step_up_rule() -> None:
    p_values = np.array([0.001, 0.02, 0.03, 0.04, 0.8])
    rates = false_discovery_rates(p_values)

    for rate in (0.01, 0.04, 0.05, 0.1):
        passing = np.flatnonzero(p_values <= rate * np.arange(1, 6) / 5)
        largest = passing.max() + 1 if passing.size else 0
        assert np.count_nonzero(rates <= rate) == largest


@given(st.lists(st.sampled_from([0.001, 0.01, 0.04, 0.05, 0.3, 1.0]), min_size=1, max_size=30))
@pytest.mark.parametrize("dependent", [False, True])
def test_false_discovery_rates_are_those_of_scipy(dependent: bool, p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values, method="by" if dependent else "bh")

    assert (false_discovery_rates(p_values, dependent=dependent) == expected).all()


def test_an_empty_family_has_no_rates() -> None:
    assert false_discovery_rates([]).shape == (0,)
