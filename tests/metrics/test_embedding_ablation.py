import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from harness.metrics.ablation import patch_sets
from harness.metrics.embedding_ablation import EmbeddingEffect, cosine_distances, embedding_effects
from harness.metrics.patch_orders import contiguous_orders, random_orders
from harness.plugin.values import Floats

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1, -1])
ORDERS = random_orders(12, 4000, 0), contiguous_orders((3, 4), 4000, 0)
INTACT = np.array([2.0, 1.0, -1.0, 0.5])


def shares() -> Floats:
    """What each patch adds to four dimensions, (patches, dimensions)."""
    return np.random.default_rng(0).normal(size=(12, 4))


def found() -> list[EmbeddingEffect]:
    patches = shares()
    return embedding_effects(
        INTACT, lambda removed: removed @ patches, list(patch_sets(LABELS, 1)), ORDERS
    )


def test_distances_are_those_of_scipy() -> None:
    changes = np.random.default_rng(1).normal(size=(20, 4))
    expected = [cosine(INTACT, INTACT + change) for change in changes]
    assert cosine_distances(INTACT, changes) == pytest.approx(expected)


def test_an_embedding_that_only_grows_has_not_moved() -> None:
    assert cosine_distances(INTACT, INTACT[None] * 3) == pytest.approx([0], abs=1e-12)


def test_an_embedding_without_direction_is_at_distance_1() -> None:
    assert cosine_distances(INTACT, -INTACT[None]).tolist() == [1]


def test_an_effect_is_the_distance_without_the_patches() -> None:
    for effect, each in zip(found(), patch_sets(LABELS, 1), strict=True):
        after = INTACT + shares()[each.removed].sum(axis=0)
        assert effect.distance == pytest.approx(cosine(INTACT, after))
        assert (effect.kind, effect.clusters) == (each.kind, each.clusters)
        assert effect.patches == each.removed.sum()


def test_p_is_the_share_of_all_sets_that_move_it_as_far() -> None:
    for effect in found():
        if effect.kind != "alone":
            continue
        every = [
            cosine(INTACT, INTACT + shares()[list(chosen)].sum(axis=0))
            for chosen in itertools.combinations(range(12), effect.patches)
        ]
        exact = np.mean(np.array(every) >= effect.distance - 1e-9)
        assert effect.random.p == pytest.approx(exact, abs=0.04)
        assert effect.random.distance == pytest.approx(np.mean(every), abs=0.05)


def test_no_sets_have_no_effects() -> None:
    assert embedding_effects(INTACT, lambda removed: removed @ shares(), [], ORDERS) == []
