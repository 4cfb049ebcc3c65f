"""Which nodes of a graph are connected."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import Integers

# The nodes of a component, as the bits of a number: bit i is node i.
Component = int
# A graph is dense if it has an edge for every so many pairs of nodes.
FEW_EDGES = 8


def weak_components(edges: NDArray[np.bool_]) -> list[Component]:
    """The weakly connected components of at least two nodes, by their first nodes.

    edges: (n, n), whether there is an edge from one node to another.
    """
    n = len(edges)
    if n > 1 and np.count_nonzero(edges) * FEW_EDGES > n * n:
        # In most dense graphs edges lead from one node to all others, which is seen at once.
        everything = (1 << n) - 1
        if _reached(1, everything, *_packed(edges)) == everything:
            return [everything]
    linked = edges | edges.T
    np.fill_diagonal(linked, False)
    rows = _packed(linked)
    left = _as_bits(np.asarray(linked.any(axis=1)))
    found = []
    while left:
        found.append(_reached(left & -left, left, *rows))
        left &= ~found[-1]
    return found


def _packed(edges: NDArray[np.bool_]) -> tuple[bytes, int]:
    """The rows of a matrix as bits, and the number of bytes in each."""
    packed = np.packbits(edges, axis=1, bitorder="little")
    return packed.tobytes(), packed.shape[1]


def _reached(first: Component, most: Component, rows: bytes, width: int) -> Component:
    """The nodes that edges reach from the first ones, which are among them; `most` ends it.

    Bits of numbers, because one operation then takes in all neighbours of a node.
    """
    reached = pending = first
    # In a dense graph a few nodes reach all others.
    while pending and reached != most:
        node = pending.bit_length() - 1
        start = node * width
        neighbours = int.from_bytes(rows[start : start + width], "little")
        pending = (pending ^ (1 << node)) | (neighbours & ~reached)
        reached |= neighbours
    return reached


def members(component: Component, n: int) -> NDArray[np.bool_]:
    """Whether each of n nodes is in a component, (n,)."""
    content = component.to_bytes(-(-n // 8), "little")
    bits = np.unpackbits(np.frombuffer(content, np.uint8), count=n, bitorder="little")
    return bits.view(np.bool_)


def component_labels(components: Sequence[Component], n: int) -> Integers:
    """The component of each node, (n,), counted from 0 by first nodes; other nodes are alone."""
    labels = np.arange(n)
    for component in components:
        labels[members(component, n)] = (component & -component).bit_length() - 1
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _as_bits(nodes: NDArray[np.bool_]) -> Component:
    return int.from_bytes(np.packbits(nodes, bitorder="little").tobytes(), "little")
