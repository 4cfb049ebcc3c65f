from collections.abc import Callable, Sequence

import numpy as np
import pytest

import harness
from harness.plugin.values import Integers

Planted = tuple[harness.Graph, Integers]


@pytest.fixture
def planted() -> Callable[..., Planted]:
    """Makes directed graphs with planted blocks, weights in [0.5, 1), and their true labels."""

    def make(
        sizes: Sequence[int], *, inside: float = 0.6, across: float = 0.05, seed: int = 0
    ) -> Planted:
        generator = np.random.default_rng(seed)
        truth = np.repeat(np.arange(len(sizes)), sizes)
        chance = np.where(truth[:, None] == truth, inside, across)
        linked = generator.random(chance.shape) < chance
        weights = generator.uniform(0.5, 1.0, chance.shape)
        return harness.Graph.from_weights(linked * weights), truth

    return make
