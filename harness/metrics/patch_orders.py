"""Random orders of an image's patches, whose first k are a random set of k patches."""

import numpy as np

from harness.plugin.values import Integers


def random_orders(patches: int, draws: int, seed: int) -> Integers:
    """The rank from 0 of every patch in each of many random orders, (draws, patches)."""
    random = np.random.default_rng(seed)
    return random.permuted(np.tile(np.arange(patches), (draws, 1)), axis=1)


def contiguous_orders(grid: tuple[int, int], draws: int, seed: int) -> Integers:
    """The same, where the patches up to any rank are connected on the grid (rows, columns).

    Begins at a random patch and takes again and again one of those beside what it has, to the
    left, to the right, above or below, each with the same chance.
    """
    random = np.random.default_rng(seed)
    rows, columns = grid
    every = np.arange(draws)
    # A margin that is never taken, so that every patch has four neighbours.
    taken = np.zeros((draws, rows + 2, columns + 2), dtype=bool)
    inside = taken[:, 1:-1, 1:-1]
    ranks = np.empty((draws, rows * columns), dtype=np.int64)
    candidates = np.ones((draws, rows, columns), dtype=bool)
    for rank in range(rows * columns):
        if rank:
            beside = taken[:, :-2, 1:-1] | taken[:, 2:, 1:-1]
            beside |= taken[:, 1:-1, :-2] | taken[:, 1:-1, 2:]
            candidates = beside & ~inside
        lots = random.random((draws, rows * columns), dtype=np.float32)
        # Lots are below 1: what is no candidate is never the smallest.
        chosen = np.where(candidates.reshape(draws, -1), lots, 2).argmin(axis=1)
        ranks[every, chosen] = rank
        inside[every, chosen // columns, chosen % columns] = True
    return ranks
