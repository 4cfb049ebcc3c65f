"""Communities of any sizes from spins, by splits in two that raise modularity."""

import numpy as np
from numpy.typing import NDArray

from harness import Floats, Integers
from harness_plugins.clusterers.sdp.spins import solve_spins
from harness_plugins.clusterers.sdp.weights import DegreeCorrected

# Random hyperplanes and leading axes of the spins that are tried for each split.
RANDOM_PLANES = 32
AXES = 4
# Relative gap and rank for the spins of a part; rounding makes more accuracy useless.
TOLERANCE_OF_PARTS = 1e-2
RANK_OF_PARTS = 8
# Gains in modularity below this are rounding.
LEAST_GAIN = 1e-12


def split(weights: DegreeCorrected, spins: Floats, generator: np.random.Generator) -> Integers:
    """A partition (n,) by splits in two, each of which raises modularity.

    weights: the symmetric modularity matrix; spins (n, m): the solution of its programme, by
    which all nodes are split. Each part is split again by the spins of its own programme, as
    Newman (PNAS 2006) does by eigenvectors.
    """
    n = weights.shape[0]
    labels = np.zeros(n, dtype=np.int64)
    found = 1
    parts: list[tuple[Integers, Floats | None]] = [(np.arange(n), spins)]
    while parts:
        nodes, own = parts.pop()
        if len(nodes) < 2:
            continue
        among = weights.among(nodes)
        if own is None:
            own = solve_spins(
                among,
                balance="none",
                rank=RANK_OF_PARTS,
                tolerance=TOLERANCE_OF_PARTS,
                seed=int(generator.integers(2**31)),
            ).spins
        side = _better_side(among, own, generator)
        if side is None:
            continue
        labels[nodes[side]] = found
        found += 1
        parts += [(nodes[~side], None), (nodes[side], None)]
    return labels


def _better_side(
    among: Floats, spins: Floats, generator: np.random.Generator
) -> NDArray[np.bool_] | None:
    """One side (n,) of the hyperplane with the largest gain; None if none gains."""
    _, axes = np.linalg.eigh(spins.T @ spins)
    random = generator.normal(size=(spins.shape[1], RANDOM_PLANES))
    signs = np.where(spins @ np.hstack([axes[:, -AXES:], random]) > 0, 1.0, -1.0)
    # Goemans and Williamson's rounding: s = ±1 gains ½ Σ_ij B_ij (s_i s_j − 1).
    gains = (np.einsum("ij,ij->j", signs, among @ signs) - among.sum()) / 2
    best = int(gains.argmax())
    side = signs[:, best] > 0
    if gains[best] <= LEAST_GAIN or side.all() or not side.any():
        return None
    return side
