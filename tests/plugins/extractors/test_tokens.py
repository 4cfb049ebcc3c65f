import numpy as np
import pytest

from harness_plugins.extractors.tokens import Prefix, patches_only

MAPS = np.random.default_rng(0).dirichlet(np.ones(6), size=(2, 3, 6)).astype(np.float32)


def test_dropping_takes_the_first_rows_and_columns_out_and_leaves_the_rest() -> None:
    assert (patches_only(MAPS, 2, "drop") == MAPS[..., 2:, 2:]).all()


def test_renormalised_rows_sum_to_one_in_their_old_proportions() -> None:
    patches = patches_only(MAPS, 2, "renormalise")

    assert patches.dtype == np.float32
    assert patches.sum(axis=-1) == pytest.approx(np.ones((2, 3, 4)))
    expected = MAPS[0, 0, 2:, 2] / MAPS[0, 0, 2:, 3]
    assert patches[0, 0, :, 0] / patches[0, 0, :, 1] == pytest.approx(expected, rel=1e-5)


def test_a_row_with_nothing_left_stays_zero() -> None:
    weights = np.array([[1.0, 0, 0], [1, 0, 0], [0.5, 0.25, 0.25]])

    assert patches_only(weights, 1, "renormalise").tolist() == [[0, 0], [0.5, 0.5]]


def test_keeping_takes_nothing_out() -> None:
    assert patches_only(MAPS, 2, "keep") is MAPS


@pytest.mark.parametrize("policy", ["renormalise", "drop", "keep"])
def test_without_prefix_tokens_maps_stay_as_they_are(policy: Prefix) -> None:
    weights = np.array([[0.5, 0.1], [0.0, 0.0]])

    assert patches_only(weights, 0, policy) is weights
