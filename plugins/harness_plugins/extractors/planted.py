"""Synthetic attention maps with known communities, and noise without any."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness
from harness_plugins.parameters import check_bounds

PREFIX = "planted-"
FEWEST, MOST = 2, 8
"""Bounds of a map's number of communities if it is drawn."""


@dataclass(frozen=True)
class Planted(harness.MapSet):
    """Synthetic attention maps with known communities, or of pure noise.

    Logits are the sum of normal noise with standard deviation 1, a normal effect of each column,
    and the signal between nodes of one community. Rows are their softmax. At signal 0, and with one
    community, the truth is one community of all nodes: any other clustering is a false alarm. Maps
    of equal number and seed share their noise, whatever the other parameters.

    Parameters
    ----------
    count
        number of maps.
    n
        nodes per map.
    k
        communities per map; if not given, 2 to 8, drawn for each map.
    signal
        added to the logits within communities, in standard deviations of the noise.
    sizes
        of the communities. equal: as far as n and k allow; unequal: in the ratios 1 : 2 : … : k.
    spread
        deviation of the columns' effects, which make some nodes receive more than others.
    asymmetry
        0 … 1; moves this fraction of the signal between two nodes to one direction, given by a
        random order of the nodes; at 1 the signal is one-way.
    hubs
        number of nodes, drawn for each map, to which all others attend more.
    hub_strength
        added to the logits of the hubs' columns.
    arrangement
        of the communities on the grid. scattered: anywhere; blocks: each in one piece, by
        repeatedly cutting the grid across its longer side.
    locality
        subtracted from the logits for each patch of distance on the grid.
    grid
        rows and columns of patches; if not given, a square if n is a square, else none.
    seed
        of the whole set; each map has its own random stream.
    """

    name: ClassVar[str] = "planted"
    count: int = 16
    n: int = 196
    k: int | None = None
    signal: float = 0.7
    sizes: Literal["equal", "unequal"] = "equal"
    spread: float = 0.5
    asymmetry: float = 0.0
    hubs: int = 0
    hub_strength: float = 2.0
    arrangement: Literal["scattered", "blocks"] = "scattered"
    locality: float = 0.0
    grid: tuple[int, int] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1, most=1_000_000)
        check_bounds(self, "n", least=2, most=4096)
        check_bounds(self, "signal", "spread", "hub_strength", "locality", least=0, most=100)
        check_bounds(self, "asymmetry", least=0, most=1)
        check_bounds(self, "hubs", least=0, most=self.n)
        check_bounds(self, "seed", least=0)
        check_bounds(self, "k", least=1)
        self._check_communities()
        self._check_grid()

    def _check_communities(self) -> None:
        most = MOST if self.k is None else self.k
        if self.n < most or min(_sizes(self.n, most, self.sizes)) < 2:
            drawn = " (the most that may be drawn; k=… sets their number)" if self.k is None else ""
            raise harness.HarnessError(
                f"planted: {self.n} nodes are too few for {most} communities of {self.sizes} sizes "
                f"with two nodes each{drawn}"
            )

    def _check_grid(self) -> None:
        if self.grid is not None:
            rows, columns = self.grid
            if min(self.grid) < 1 or rows * columns != self.n:
                raise harness.HarnessError(
                    f"planted: grid must hold n={self.n} patches, not {rows}×{columns}"
                )
        elif self._grid is None and (self.arrangement != "scattered" or self.locality):
            raise harness.HarnessError(
                f"planted: arrangement and locality need a grid, and n={self.n} is not a square: "
                "give grid=[rows,columns]"
            )

    @property
    def _grid(self) -> tuple[int, int] | None:
        side = math.isqrt(self.n)
        return self.grid or ((side, side) if side**2 == self.n else None)

    def keys(self) -> Sequence[str]:
        """planted-000, planted-001, …"""
        return [_key(index) for index in range(self.count)]

    def load(self, key: str) -> harness.AttentionMap:
        """One map with its truth; it does not depend on the set's count."""
        number = key.removeprefix(PREFIX)
        if not (number.isdecimal() and int(number) < self.count and key == _key(int(number))):
            raise harness.HarnessError(f"planted: there is no map {key!r}")
        random = np.random.default_rng(np.random.SeedSequence([self.seed, int(number)]))
        # Always drawn in this order, so that maps with other parameters share them.
        logits = random.normal(size=(self.n, self.n))
        columns = random.normal(size=self.n)
        order = random.permutation(self.n)
        hubs = random.permutation(self.n)[: self.hubs]
        k = int(random.integers(FEWEST, MOST, endpoint=True)) if self.k is None else self.k

        communities = self._communities(k, random)
        logits += self.spread * columns
        logits[:, hubs] += self.hub_strength
        logits += self.signal * self._within(communities, order)
        if self.locality and self._grid:
            logits -= self.locality * _distances(*self._grid)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        truth = communities if self.signal else np.zeros_like(communities)
        return harness.AttentionMap(weights, image=key, grid=self._grid, truth=truth)

    def _communities(self, k: int, random: np.random.Generator) -> harness.Integers:
        """The community of each node, (n,)."""
        sizes = random.permutation(_sizes(self.n, k, self.sizes))
        if self.arrangement == "blocks" and self._grid:
            return _blocks(*self._grid, sizes)
        return random.permutation(np.repeat(np.arange(k), sizes))

    def _within(self, communities: harness.Integers, order: harness.Integers) -> harness.Floats:
        """The factor of each pair's signal, (n, n): 1 within communities, up to asymmetry."""
        direction = np.sign(order - order[:, None])
        same = communities[:, None] == communities
        return np.asarray(same * (1 + self.asymmetry * direction))


def _sizes(n: int, k: int, kind: Literal["equal", "unequal"]) -> list[int]:
    """k whole numbers that sum to n, in the ratios 1 : … : 1 or 1 : 2 : … : k."""
    ratios = np.ones(k) if kind == "equal" else np.arange(1, k + 1)
    ends = np.rint(n * np.cumsum(ratios) / ratios.sum()).astype(int)
    return [int(size) for size in np.diff(ends, prepend=0)]


def _coordinates(rows: int, columns: int) -> harness.Integers:
    """Row and column of every patch, (n, 2)."""
    return np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)


def _distances(rows: int, columns: int) -> harness.Floats:
    """Euclidean distances between all patches of a grid, (n, n)."""
    coordinates = _coordinates(rows, columns)
    return np.asarray(np.sqrt(((coordinates[:, None] - coordinates) ** 2).sum(axis=2)))


def _blocks(rows: int, columns: int, sizes: harness.Integers) -> harness.Integers:
    """Communities of these sizes, (n,), by cutting regions of the grid in two repeatedly."""
    coordinates = _coordinates(rows, columns)
    labels = np.zeros(rows * columns, dtype=np.int64)
    regions = [(np.arange(rows * columns), np.arange(len(sizes)))]
    while regions:
        patches, communities = regions.pop()
        if len(communities) == 1:
            labels[patches] = communities[0]
            continue
        half = len(communities) // 2
        first, second = _cut(patches, int(sizes[communities[:half]].sum()), coordinates)
        regions += [(first, communities[:half]), (second, communities[half:])]
    return labels


def _cut(
    patches: harness.Integers, size: int, coordinates: harness.Integers
) -> tuple[harness.Integers, harness.Integers]:
    """Cut a region across its length into `size` patches and the others, each in one piece."""
    longer = int(np.argmax(np.ptp(coordinates[patches], axis=0)))
    for axis in (longer, 1 - longer):
        for direction in (1, -1):
            keys = direction * coordinates[patches, 1 - axis], coordinates[patches, axis]
            in_order = patches[np.lexsort(keys)]
            parts = in_order[:size], in_order[size:]
            if all(_in_one_piece(coordinates[part]) for part in parts):
                return parts
    return parts


def _in_one_piece(coordinates: harness.Integers) -> bool:
    """Whether patches at these coordinates (m, 2) are connected by their sides."""
    from scipy import ndimage

    filled = np.zeros(coordinates.max(axis=0) + 1, dtype=bool)
    filled[tuple(coordinates.T)] = True
    return int(ndimage.label(filled)[1]) == 1


def _key(index: int) -> str:
    return f"{PREFIX}{index:03d}"


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    return [Planted]
