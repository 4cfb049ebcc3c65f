import numpy as np

import harness
from harness_plugins.extractors.derived import rollout
from harness_plugins.extractors.heads import Chosen
from harness_plugins.extractors.pretrained.maps import (
    head_indices,
    head_mean,
    maps_by_head,
    needed_layers,
)

ALL_HEADS = Chosen((0, 1), mean=False)
MEAN_OF_HEADS = Chosen((0, 1), mean=True)
LAYERS = Chosen((1, 3), mean=False)


def weights(*layers: int, heads: int = 2) -> dict[int, np.ndarray]:
    random = np.random.default_rng(0)
    drawn = {layer: random.random((heads, 5, 5), dtype=np.float32) for layer in range(4)}
    return {layer: drawn[layer] / drawn[layer].sum(axis=2, keepdims=True) for layer in layers}


def test_maps_come_in_the_order_of_their_head_indices() -> None:
    for layers in (LAYERS, Chosen((1, 3), mean=True)):
        found = maps_by_head(weights(1, 3), layers, ALL_HEADS, rolled=False)
        assert [head_index for head_index, _ in found] == head_indices(
            layers, ALL_HEADS, rolled=False
        )


def test_each_map_is_that_of_its_layer_and_head() -> None:
    given = weights(1, 3)
    for head_index, found in maps_by_head(given, LAYERS, ALL_HEADS, rolled=False):
        assert np.array_equal(found, given[head_index.layer][head_index.head])


def test_the_mean_over_layers_goes_by_layer_0() -> None:
    given = weights(1, 3)
    found = dict(maps_by_head(given, Chosen((1, 3), mean=True), ALL_HEADS, rolled=False))

    assert found.keys() == {harness.HeadIndex(0, 0), harness.HeadIndex(0, 1)}
    for head in (0, 1):
        expected = (given[1][head] + given[3][head]) / 2
        np.testing.assert_allclose(found[harness.HeadIndex(0, head)], expected, rtol=1e-5)


def test_rollout_needs_all_layers_up_to_the_last_and_gives_the_chosen() -> None:
    given = weights(*needed_layers(LAYERS, rolled=True), heads=1)
    _, second, _, fourth = rollout(given[layer][0] for layer in range(4))

    found = dict(maps_by_head(given, LAYERS, ALL_HEADS, rolled=True))

    assert list(found) == head_indices(LAYERS, ALL_HEADS, rolled=True)
    np.testing.assert_array_equal(found[harness.HeadIndex(1, 0)], second)
    np.testing.assert_array_equal(found[harness.HeadIndex(3, 0)], fourth)


def test_without_rollout_only_the_chosen_layers_are_needed() -> None:
    assert list(needed_layers(LAYERS, rolled=False)) == [1, 3]


def test_the_head_mean_is_enough_for_itself_and_for_rollout() -> None:
    assert head_mean(MEAN_OF_HEADS, rolled=False)
    assert head_mean(ALL_HEADS, rolled=True)
    assert not head_mean(ALL_HEADS, rolled=False)
