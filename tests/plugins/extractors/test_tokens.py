import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_plugins.extractors.tokens import patches_only


def attention(tokens: int, seed: int = 0) -> np.ndarray:
    weights = np.random.default_rng(seed).random((2, tokens, tokens))
    return weights / weights.sum(axis=2, keepdims=True)


@given(st.integers(0, 4), st.integers(2, 6), st.integers(0, 99))
def test_renormalised_rows_sum_to_one_and_keep_their_proportions(
    prefix: int, patches: int, seed: int
) -> None:
    maps = attention(prefix + patches, seed)
    found = patches_only(maps, prefix, "renormalise")

    assert found.shape == (2, patches, patches)
    assert found.sum(axis=2) == pytest.approx(np.ones((2, patches)))
    given_to_patches = 1 - maps[:, prefix:, :prefix].sum(axis=2, keepdims=True)
    assert found * given_to_patches == pytest.approx(maps[:, prefix:, prefix:])


def test_dropped_tokens_take_their_attention_with_them() -> None:
    maps = attention(5)
    assert np.array_equal(patches_only(maps, 2, "drop"), maps[:, 2:, 2:])


def test_kept_tokens_stay() -> None:
    maps = attention(5)
    assert np.array_equal(patches_only(maps, 2, "keep"), maps)


def test_where_there_are_no_tokens_nothing_is_rescaled() -> None:
    maps = attention(5)
    assert np.array_equal(patches_only(maps, 0, "renormalise"), maps)


def test_a_row_that_gives_all_to_the_tokens_stays_one_of_zeros() -> None:
    maps = np.array([[0.5, 0.5, 0], [1, 0, 0], [0.2, 0.6, 0.2]])
    found = patches_only(maps, 1, "renormalise")
    assert found == pytest.approx(np.array([[0, 0], [0.75, 0.25]]))


def test_the_maps_given_are_not_changed() -> None:
    maps = attention(5)
    before = maps.copy()
    patches_only(maps, 1, "renormalise")
    assert np.array_equal(maps, before)
