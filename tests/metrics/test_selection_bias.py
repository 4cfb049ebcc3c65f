import math

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.metrics.selection_bias import NOT_ACCEPTED, selection_bias
from harness.plugin.values import Floats


def test_the_excess_of_a_draw_is_over_the_images_other_draws() -> None:
    modularity = np.array([[0.5, 0.1], [0.2, 0.2], [0.3, 0.6], [0.9, 0.9]])

    assert selection_bias(modularity, [0, 1, 1, 0], own=[0, 1, 2]).mean == pytest.approx(
        np.mean([0.5 - (0.2 + 0.3) / 2, 0.2 - (0.1 + 0.6) / 2, 0.6 - (0.1 + 0.2) / 2])
    )


def test_the_only_draw_of_an_image_is_compared_with_those_of_others() -> None:
    modularity = np.array([[0.5], [0.2], [0.4]])

    assert selection_bias(modularity, [0, 0, 0], own=[1]).mean == pytest.approx(0.2 - 0.45)


def test_a_draw_without_an_accepted_level_counts_0() -> None:
    modularity = np.array([[0.5], [0.2]])

    assert selection_bias(modularity, [0, NOT_ACCEPTED], own=[0, 1]).mean == pytest.approx(0.3 / 2)
    assert selection_bias(modularity, [NOT_ACCEPTED] * 2, own=[0, 1]).mean == 0


def test_a_draw_that_is_alone_has_no_excess() -> None:
    assert math.isnan(selection_bias(np.array([[0.5]]), [0], own=[0]).mean)


def test_draws_without_modularity_at_a_level_do_not_count_there() -> None:
    modularity = np.array([[0.5], [math.nan], [0.1]])

    assert selection_bias(modularity, [0, NOT_ACCEPTED, NOT_ACCEPTED], own=[0, 1, 2]).mean == (
        pytest.approx(0.4 / 3)
    )


def test_at_a_fixed_level_there_is_no_bias() -> None:
    modularity = np.random.default_rng(0).normal(size=(5, 3))

    assert selection_bias(modularity, [1] * 5, own=[0, 2, 3]).mean == pytest.approx(0)
    assert selection_bias(modularity, [1] * 5, own=range(5)).mean == pytest.approx(0)


def test_the_first_draw_alone_is_given_too() -> None:
    modularity = np.array([[0.5], [0.2], [0.3]])

    assert selection_bias(modularity, [0, 0, 0], own=[1, 2]).single == pytest.approx(-0.1)


@pytest.fixture(scope="module")
def on_noise() -> tuple[Floats, Floats]:
    """The excess less its bias, over three draws and over one, of profiles that are exchangeable.

    The best level is chosen, and rarely accepted.
    """
    random = np.random.default_rng(1)
    found = []
    for _ in range(4000):
        pool = random.exponential(size=(4, 3))
        candidates = np.where(pool.max(axis=1) > 4, pool.argmax(axis=1), NOT_ACCEPTED)
        drawn, observed, chosen = pool[1:], pool[0], candidates[0]
        accepted = chosen != NOT_ACCEPTED
        excess = observed[chosen] - drawn[:, chosen].mean() if accepted else 0.0
        bias = selection_bias(drawn, candidates[1:].tolist(), range(3))
        found.append((excess - bias.mean, excess - bias.single))
    over_draws, over_one = np.array(found).T
    return over_draws, over_one


def test_on_exchangeable_profiles_excess_and_bias_are_the_same_on_average(
    on_noise: tuple[Floats, Floats],
) -> None:
    for effects in on_noise:
        assert abs(effects.mean()) < 3 * effects.std() / np.sqrt(len(effects))


def test_only_with_the_bias_of_one_draw_are_signs_balanced_on_exchangeable_profiles(
    on_noise: tuple[Floats, Floats],
) -> None:
    over_draws, over_one = (
        binomtest(int((effects > 0).sum()), int((effects != 0).sum())).pvalue
        for effects in on_noise
    )

    assert over_one > 0.001 > over_draws
