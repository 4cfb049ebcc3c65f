"""Colours that the colour-blind can tell apart, and markers, of figures and of the terminal."""

import colorsys
import itertools

from harness.metrics.partition import by_size, drop_singletons
from harness.plugin.values import UNASSIGNED, Integers

Colour = tuple[float, float, float]

# Okabe and Ito (2008) without black, which is for unassigned patches; then lighter and darker ones
# of these that differ from all others by 15 or more in CIELAB, also for the colour-blind.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#602A00",
    "#BBE1F6", "#00446B", "#EEBF99", "#7A4964",
)  # fmt: skip
# Matplotlib's markers of curves and series, so that their colours are not their only sign.
MARKERS = "osD^v<>P*X"
# Further hues lie this far apart, so that none returns.
GOLDEN = 0.618033988749895
NOISE = "#7F7F7F"
CHOSEN = "#D55E00"
# Greys of patches that share no cluster: clusters of one patch, and unassigned patches.
SINGLETON_COLOUR: Colour = (0.72, 0.72, 0.72)
UNASSIGNED_COLOUR: Colour = (0.15, 0.15, 0.15)


def cluster_colours(labels: Integers, grid: tuple[int, int] | None = None) -> dict[int, Colour]:
    """A colour for each cluster, and for unassigned patches; clusters of one patch are grey.

    Clusters that touch on the grid, at a side or a corner, differ; without a grid all do. A cluster
    has the colour of its number unless a larger neighbour has it, so that smaller clusters change
    no larger one's.
    """
    shared = drop_singletons(labels)
    ordered = by_size(shared)
    neighbours = {label: set(ordered) for label in ordered}
    if grid is not None:
        neighbours = {label: set() for label in ordered}
        for one, other in _touching(shared.reshape(grid)):
            neighbours[one].add(other)
            neighbours[other].add(one)
    places: dict[int, int] = {}
    for number, label in enumerate(ordered):
        taken = {places[other] for other in neighbours[label] if other in places}
        first = number % len(COLOURS)
        own = (*range(first, len(COLOURS)), *range(first))
        every = itertools.chain(own, itertools.count(len(COLOURS)))
        places[label] = next(place for place in every if place not in taken)
    greys = {**dict.fromkeys(by_size(labels), SINGLETON_COLOUR), UNASSIGNED: UNASSIGNED_COLOUR}
    return greys | {label: colour(place) for label, place in places.items()}


def _touching(laid: Integers) -> set[tuple[int, int]]:
    """Pairs of labels of patches next to each other, at a side or a corner."""
    pairs = (
        (laid[:, 1:], laid[:, :-1]),
        (laid[1:], laid[:-1]),
        (laid[1:, 1:], laid[:-1, :-1]),
        (laid[1:, :-1], laid[:-1, 1:]),
    )
    flat = (zip(one.ravel().tolist(), other.ravel().tolist(), strict=True) for one, other in pairs)
    return {
        pair
        for pair in itertools.chain.from_iterable(flat)
        if pair[0] != pair[1] and UNASSIGNED not in pair
    }


def colour(place: int) -> Colour:
    """The colour of the item at a place, counted from 0; no two places have the same."""
    if place < len(COLOURS):
        red, green, blue = (byte / 255 for byte in bytes.fromhex(COLOURS[place][1:]))
        return red, green, blue
    return colorsys.hsv_to_rgb(place * GOLDEN % 1, 0.45, 0.75 + 0.2 * (place % 2))


def marker(place: int) -> str:
    """The marker of the item at a place, counted from 0, in matplotlib's code."""
    return MARKERS[place % len(MARKERS)]
