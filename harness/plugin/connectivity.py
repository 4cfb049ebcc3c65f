"""Which nodes of a graph are connected."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import Integers

# The nodes of a component, as the bits of a number: bit i is node i.
Component = int


def linked_components(linked: NDArray[np.bool_]) -> list[Component]:
    """The connected components of at least two nodes, by their first nodes.

    linked: (n, n), symmetric, whether two nodes have an edge. Bits of numbers, because one
    operation then takes in all neighbours of a node.
    """
    packed = np.packbits(linked, axis=1, bitorder="little")
    width, neighbours = packed.shape[1], packed.tobytes()
    left = _as_bits(np.asarray(linked.any(axis=1)))
    found = []
    while left:
        component = pending = left & -left
        # In a dense graph a few nodes reach all others.
        while pending and component != left:
            node = pending.bit_length() - 1
            start = node * width
            reached = int.from_bytes(neighbours[start : start + width], "little")
            pending = (pending ^ (1 << node)) | (reached & ~component)
            component |= reached
        found.append(component)
        left &= ~component
    return found


def component_labels(components: Sequence[Component], n: int) -> Integers:
    """The component of each node, (n,), counted from 0 by first nodes; other nodes are alone."""
    labels = np.arange(n)
    for component in components:
        content = component.to_bytes(-(-n // 8), "little")
        bits = np.unpackbits(np.frombuffer(content, np.uint8), count=n, bitorder="little")
        labels[np.flatnonzero(bits)] = (component & -component).bit_length() - 1
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _as_bits(nodes: NDArray[np.bool_]) -> Component:
    return int.from_bytes(np.packbits(nodes, bitorder="little").tobytes(), "little")
