import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_plugins.extractors.derived import Maps, mean, rollout


def attention(seed: int, layers: int = 3, n: int = 5) -> Maps:
    weights = np.random.default_rng(seed).random((layers, n, n))
    return weights / weights.sum(axis=2, keepdims=True)


def test_the_mean_is_taken_entry_by_entry() -> None:
    maps = attention(0)
    assert mean(maps) == pytest.approx(maps.mean(axis=0))


def test_the_mean_keeps_single_precision() -> None:
    assert mean(attention(0).astype(np.float32)).dtype == np.float32


def test_there_is_no_mean_of_nothing() -> None:
    with pytest.raises(ValueError, match="no maps"):
        mean([])


def test_the_maps_given_are_not_changed() -> None:
    maps = attention(0)
    before = maps.copy()
    mean(maps)
    list(rollout(maps))
    assert np.array_equal(maps, before)


def test_rollout_sums_attention_over_all_paths_through_the_layers() -> None:
    # A path: at each layer, from the last, stay (½) or follow attention (½ of its weight).
    first, second = attention(1, layers=2, n=3)
    expected = np.zeros((3, 3))
    for target in range(3):
        for middle in range(3):
            for source in range(3):
                later = (second[target, middle] + (target == middle)) / 2
                earlier = (first[middle, source] + (middle == source)) / 2
                expected[target, source] += later * earlier
    *_, rolled = rollout([first, second])
    assert rolled == pytest.approx(expected)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_rollout_gives_rows_that_sum_to_one_after_each_layer(seed: int, layers: int) -> None:
    rolled = list(rollout(attention(seed, layers)))
    assert len(rolled) == layers
    for weights in rolled:
        assert weights.sum(axis=1) == pytest.approx(np.ones(len(weights)))


def test_rollout_of_attention_to_oneself_moves_nothing() -> None:
    *_, rolled = rollout(np.array([np.eye(4)] * 5))
    assert rolled == pytest.approx(np.eye(4))
