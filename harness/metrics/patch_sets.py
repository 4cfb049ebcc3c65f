"""Sets of patches to remove from an image: clusters, and as many patches drawn at random."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import Integers

Kind = Literal["alone", "together", "only"]


@dataclass(frozen=True, eq=False)
class PatchSet:
    """Patches (n,) to remove: one cluster, several together, or all patches outside one cluster.

    clusters: the removed labels; for "only", the one label that stays.
    """

    kind: Kind
    clusters: tuple[int, ...]
    removed: NDArray[np.bool_]


def patch_sets(labels: Integers, together: int) -> Iterator[PatchSet]:
    """Each cluster, up to `together` clusters at once, and all but one cluster.

    No set occurs twice: removing all clusters but one is listed as "only", and with two clusters
    removing one already leaves only the other. Unassigned patches (−1) count as one cluster here.

    >>> [(each.kind, each.clusters) for each in patch_sets(np.array([0, 0, 1, 1]), 2)]
    [('alone', (0,)), ('alone', (1,)), ('together', (0, 1))]
    """
    clusters = np.unique(labels).tolist()
    for count in _set_sizes(len(clusters), together):
        for chosen in itertools.combinations(clusters, count):
            kind: Kind = "alone" if count == 1 else "together"
            yield PatchSet(kind, chosen, np.isin(labels, chosen))
    for label in clusters if len(clusters) > 2 else ():
        yield PatchSet("only", (label,), labels != label)


def _set_sizes(clusters: int, together: int) -> Iterator[int]:
    """How many clusters are removed at once."""
    for count in range(1, min(together, clusters) + 1):
        if count == 1 or count != clusters - 1:
            yield count


def count_patch_sets(clusters: int, together: int) -> int:
    """The number of sets that `patch_sets` yields for a number of clusters."""
    joined = sum(math.comb(clusters, count) for count in _set_sizes(clusters, together))
    return joined + (clusters if clusters > 2 else 0)


def random_orders(patches: int, draws: int, seed: int) -> Integers:
    """The rank, from 0, of every patch in random orders, (draws, patches).

    The first k patches of an order are a random set of k patches.
    """
    random = np.random.default_rng(seed)
    return random.permuted(np.tile(np.arange(patches), (draws, 1)), axis=1)


def contiguous_orders(grid: tuple[int, int], draws: int, seed: int) -> Integers:
    """The rank, from 0, of every patch of a grid in random orders, (draws, rows · columns).

    The first k patches of an order are connected: it starts at a random patch, and repeatedly adds
    one of those next to it (left, right, above or below), each with the same probability.
    """
    random = np.random.default_rng(seed)
    rows, columns = grid
    every = np.arange(draws)
    # A margin that is never taken gives every patch four neighbours.
    taken = np.zeros((draws, rows + 2, columns + 2), dtype=bool)
    inside = taken[:, 1:-1, 1:-1]
    ranks = np.empty((draws, rows * columns), dtype=np.int64)
    candidates = np.ones((draws, rows, columns), dtype=bool)
    for rank in range(rows * columns):
        if rank:
            candidates = _next_to(taken) & ~inside
        lots = random.random((draws, rows * columns), dtype=np.float32)
        # Lots are below 1, so a patch that is no candidate never has the smallest.
        chosen = np.where(candidates.reshape(draws, -1), lots, 2).argmin(axis=1)
        ranks[every, chosen] = rank
        inside[every, chosen // columns, chosen % columns] = True
    return ranks


def _next_to(taken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which patches (draws, rows, columns) touch a taken one; `taken` has a margin of one."""
    beside = taken[:, :-2, 1:-1] | taken[:, 2:, 1:-1]
    beside |= taken[:, 1:-1, :-2] | taken[:, 1:-1, 2:]
    return beside
