import math

import numpy as np
import pytest

from harness.metrics.selection_bias import NOT_ACCEPTED, selection_bias


def test_the_excess_of_a_draw_is_over_the_images_other_draws() -> None:
    modularity = np.array([[0.5, 0.1], [0.2, 0.2], [0.3, 0.6], [0.9, 0.9]])

    assert selection_bias(modularity, [0, 1, 1, 0], own=[0, 1, 2]) == pytest.approx(
        np.mean([0.5 - (0.2 + 0.3) / 2, 0.2 - (0.1 + 0.6) / 2, 0.6 - (0.1 + 0.2) / 2])
    )


def test_the_only_draw_of_an_image_is_compared_with_those_of_others() -> None:
    modularity = np.array([[0.5], [0.2], [0.4]])

    assert selection_bias(modularity, [0, 0, 0], own=[1]) == pytest.approx(0.2 - 0.45)


def test_a_draw_without_an_accepted_level_counts_0() -> None:
    modularity = np.array([[0.5], [0.2]])

    assert selection_bias(modularity, [0, NOT_ACCEPTED], own=[0, 1]) == pytest.approx(0.3 / 2)
    assert selection_bias(modularity, [NOT_ACCEPTED] * 2, own=[0, 1]) == 0


def test_a_draw_that_is_alone_has_no_excess() -> None:
    assert math.isnan(selection_bias(np.array([[0.5]]), [0], own=[0]))


def test_draws_without_modularity_at_a_level_do_not_count_there() -> None:
    modularity = np.array([[0.5], [math.nan], [0.1]])

    assert selection_bias(modularity, [0, NOT_ACCEPTED, NOT_ACCEPTED], own=[0, 1, 2]) == (
        pytest.approx(0.4 / 3)
    )


def test_at_a_fixed_level_there_is_no_bias() -> None:
    modularity = np.random.default_rng(0).normal(size=(5, 3))

    assert selection_bias(modularity, [1] * 5, own=[0, 2, 3]) == pytest.approx(0)
    assert selection_bias(modularity, [1] * 5, own=range(5)) == pytest.approx(0)


def test_on_exchangeable_profiles_bias_and_excess_are_the_same_on_average() -> None:
    random = np.random.default_rng(1)
    differences = []
    for _ in range(4000):
        # The last profile is observed; the level is the best, and accepted in the upper half.
        pool = random.exponential(size=(4, 3))
        best = pool.argmax(axis=1)
        accepted = pool.max(axis=1) >= np.median(pool.max(axis=1))
        candidates = np.where(accepted, best, NOT_ACCEPTED)
        drawn, observed = pool[:3], pool[3]
        excess = observed[best[3]] - drawn[:, best[3]].mean() if accepted[3] else 0.0
        differences.append(excess - selection_bias(drawn, candidates[:3].tolist(), range(3)))

    error = np.std(differences) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 3 * error
