"""Programmes whose spins are computed together, one Python call for all.

Arrays are (k, m, n): programme, dimension, node, so that sums over nodes run through contiguous
memory. Programmes are padded to one size; nodes that only pad have spins and fields of 0. Every
operation treats each programme as it would alone: no digit of a solution depends on the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness import Floats
from harness_plugins.clusterers.sdp.programme import Programme
from harness_plugins.clusterers.sdp.weights import Weights, single

# Sizes are multiples of this.
PADDING = 16

Selected: TypeAlias = "NDArray[np.bool_]"


@dataclass(frozen=True, eq=False)
class Batch:
    """Programmes of one padded size n.

    weights: of each programme, padded if they are dense; gamma, nodes (k,); spread (k,): the root
    mean square of the eigenvalues; smallest_scale (k,): of objectives; inside (k, n): 1, or 0 where
    a node only pads; balanced: whether Σσ = 0 is a constraint.
    """

    weights: tuple[Weights, ...]
    gamma: Floats
    nodes: Floats
    spread: Floats
    smallest_scale: Floats
    inside: Floats
    balanced: bool

    def field(self, spins: Floats) -> Floats:
        """Σ_j w_ij σ_j − γ Σ_j σ_j of every node, (k, m, n)."""
        field = np.empty_like(spins)
        for weights, own, result in zip(self.weights, spins, field, strict=True):
            if isinstance(weights, np.ndarray):
                np.dot(own, weights, out=result)
            else:
                n = int(weights.shape[0])
                result[:, :n], result[:, n:] = (weights @ own[:, :n].T).T, 0
        if self.gamma.any():
            total = spins.sum(axis=2) * self.gamma[:, None]
            field -= total[:, :, None] * self.inside[:, None]
        return field

    def take(self, selected: Selected) -> "Batch":
        """Some of the programmes."""
        return Batch(
            tuple(self.weights[item] for item in np.flatnonzero(selected)),
            self.gamma[selected],
            self.nodes[selected],
            self.spread[selected],
            self.smallest_scale[selected],
            self.inside[selected],
            self.balanced,
        )

    def single(self) -> "Batch":
        """The same programmes in single precision, times powers of 2 that make the spread about 1.

        Neither spins nor relative gaps depend on the factors; squares of tiny and huge weights do.
        """
        factors = np.ldexp(1.0, -np.frexp(self.spread)[1])
        return Batch(
            tuple(
                single(weights, factor)
                for weights, factor in zip(self.weights, factors.tolist(), strict=True)
            ),
            (self.gamma * factors).astype(np.float32),
            self.nodes.astype(np.float32),
            (self.spread * factors).astype(np.float32),
            (self.smallest_scale * factors).astype(np.float32),
            self.inside.astype(np.float32),
            self.balanced,
        )


def padded(nodes: int) -> int:
    """The size to which a programme is padded."""
    return -(-nodes // PADDING) * PADDING


def _padded_weights(weights: Weights) -> Weights:
    """Dense weights with rows and columns of 0: products are twice as fast if these are aligned."""
    if not isinstance(weights, np.ndarray):
        return weights
    n = len(weights)
    return np.pad(weights, (0, padded(n) - n)) if n % PADDING else weights


def batch_of(programmes: Sequence[Programme]) -> Batch:
    """The batch of programmes of one padded size."""
    nodes = np.array([programme.nodes for programme in programmes])
    return Batch(
        tuple(_padded_weights(programme.weights) for programme in programmes),
        np.array([programme.gamma for programme in programmes]),
        nodes.astype(np.float64),
        np.array([programme.spread for programme in programmes]),
        np.array([programme.smallest_scale for programme in programmes]),
        (np.arange(padded(int(nodes[0]))) < nodes[:, None]).astype(np.float64),
        programmes[0].balanced,
    )


def dots(first: Floats, second: Floats) -> Floats:
    """The inner product of each programme's two arrays, (k,)."""
    k = len(first)
    return np.asarray((first.reshape(k, 1, -1) @ second.reshape(k, -1, 1))[:, 0, 0])


def node_dots(first: Floats, second: Floats) -> Floats:
    """The inner product of each node's two vectors, (k, n)."""
    return np.asarray((first * second).sum(axis=1))
