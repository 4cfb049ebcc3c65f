"""Adds noise to the attention's logits."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class LogJitter(harness.Perturbation):
    """Every weight times a log-normal factor, rows rescaled to their previous sums.

    Equivalent to normal noise on the logits before the softmax: zeros stay zeros, and every patch
    gives as much attention as before.

    Parameters
    ----------
    scale
        standard deviation of the noise on the logits.
    """

    name: ClassVar[str] = "log-jitter"
    scale: float = 0.1

    def __post_init__(self) -> None:
        check_bounds(self, "scale", above=0, most=10)

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with the same row sums."""
        weights = attention.weights
        noise = np.random.default_rng(seed).normal(scale=self.scale, size=weights.shape)
        # A power of two keeps the product of any weight and factor from overflow and underflow.
        exponent = int(np.frexp(weights.max())[1])
        jittered = np.ldexp(weights, -exponent) * np.exp(noise)
        sums, before = jittered.sum(axis=1), weights.sum(axis=1, dtype=np.float64)
        rescaled = (
            jittered * np.divide(before, sums, out=np.ones_like(sums), where=sums > 0)[:, None]
        )
        return replace(attention, weights=rescaled)


@harness.hookimpl
def harness_perturbations() -> list[type[harness.Perturbation]]:
    return [LogJitter]
