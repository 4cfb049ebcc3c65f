"""How alike a method's partitions are on different layers and heads, and on different images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from harness.metrics.inference import bootstrap_intervals
from harness.metrics.similarity import (
    Comparable,
    adjusted_jaccards,
    adjusted_mutual_informations,
    between_groups,
)
from harness.planning.progress import SILENT, Progress
from harness.plugin.values import Floats, Integers

Measure = Callable[[Comparable, Comparable], Floats]
# An image, the number of a head, and labels (n,).
Labelled = tuple[str, int, NDArray[np.int16]]
MEASURES: Mapping[str, Measure] = {
    "AMI": adjusted_mutual_informations,
    "Jaccard": adjusted_jaccards,
}
# How many of the next images, in the order of the run, an image is compared with.
OTHER_IMAGES = 3


@dataclass(frozen=True, eq=False)
class Similarity:
    """How alike a method's partitions on different heads are by one measure: 1 same, 0 chance.

    Of one image, as means over images: heads (heads, heads), over head_images images; layers
    (layers, layers), over pairs of different heads and then over layer_images images, with the
    bootstrap interval over images (low, high). heads_elsewhere and layers_elsewhere are the same
    between partitions of different images, where the diagonal of heads_elsewhere compares a head
    with itself. NaN where nothing can be compared, and on the diagonal of heads.
    """

    measure: str
    heads: Floats
    head_images: Integers
    heads_elsewhere: Floats
    layers: Floats
    low: Floats
    high: Floats
    layer_images: Integers
    layers_elsewhere: Floats


def similarities(
    repeats: Sequence[Sequence[Labelled]], depths: Integers, progress: Progress = SILENT
) -> tuple[tuple[Similarity, ...], int, int]:
    """Compare a method's partitions of the same and of different images, by every measure.

    All partitions of a repeat have the same number of nodes, and those of an image follow each
    other; depths: (heads,), the number of each head's layer. Also returns how many partitions have
    at most one cluster, and how many pairs of different images were compared.
    """
    side = len(depths)
    within: dict[str, dict[str, list[Floats]]] = {name: {} for name in MEASURES}
    across = {name: _Mean(side) for name in MEASURES}
    trivial = image_pairs = 0

    def all_heads(alike: Floats, rows: Integers, columns: Integers) -> Floats:
        """Values of some heads (rows, columns) as a matrix of all heads, NaN for the others."""
        full = np.full((side, side), np.nan)
        full[np.ix_(rows, columns)] = alike
        return full

    counts = [len({image for image, *_ in partitions}) for partitions in repeats]
    steps = sum(count + len(_image_pairs(count)) for count in counts)
    progress.begin("comparing layers and heads", steps)
    for partitions in repeats:
        together = Comparable.of([labels for _, _, labels in partitions])
        trivial += int(together.members.trivial.sum())
        images, first = [], 0
        for image, members in groupby(partitions, lambda each: each[0]):
            heads = np.array([head for _, head, _ in members])
            own = together.part(first, first + len(heads))
            images.append((heads, own))
            first += len(heads)
            for name, measure in MEASURES.items():
                full = all_heads(measure(own, own), heads, heads)
                np.fill_diagonal(full, np.nan)
                within[name].setdefault(image, []).append(full)
            progress.advance()
        for one, other in _image_pairs(len(images)):
            (heads, own), (others, their) = images[one], images[other]
            image_pairs += 1
            for name, measure in MEASURES.items():
                full = all_heads(measure(own, their), heads, others)
                across[name].add(full)
                across[name].add(full.T)
            progress.advance()
    found = (
        _similarity(name, within[name].values(), across[name].mean, depths) for name in MEASURES
    )
    return tuple(found), trivial, image_pairs


def _similarity(
    name: str, within: Iterable[Sequence[Floats]], across: Floats, depths: Integers
) -> Similarity:
    """The means over images; within: (heads, heads) of every repeat, by image."""
    over_images = _Mean(len(depths))
    by_layer = []
    for repeats in within:
        of_image = _Mean(len(depths))
        for full in repeats:
            of_image.add(full)
        over_images.add(of_image.mean)
        by_layer.append(between_groups(of_image.mean, depths))
    count = int(depths.max()) + 1
    square = count, count
    values = np.array(by_layer).reshape(-1, count * count)
    defined = ~np.isnan(values)
    sums, counts = np.where(defined, values, 0.0), defined.astype(np.float64)
    means = np.full(values.shape[1], np.nan)
    np.divide(sums.sum(axis=0), counts.sum(axis=0), out=means, where=defined.any(axis=0))
    low, high = bootstrap_intervals(sums, counts)
    return Similarity(
        name,
        over_images.mean,
        over_images.counts,
        across,
        means.reshape(square),
        low.reshape(square),
        high.reshape(square),
        defined.sum(axis=0).reshape(square),
        between_groups(across, depths),
    )


class _Mean:
    """The mean of square matrices, entry by entry, over those in which it is defined."""

    def __init__(self, side: int) -> None:
        self._sums = np.zeros((side, side))
        self.counts = np.zeros((side, side), dtype=np.int64)

    def add(self, values: Floats) -> None:
        defined = ~np.isnan(values)
        self._sums[defined] += values[defined]
        self.counts += defined

    @property
    def mean(self) -> Floats:
        """NaN for entries that are defined in no matrix."""
        means = np.full(self._sums.shape, np.nan)
        np.divide(self._sums, self.counts, out=means, where=self.counts > 0)
        return means


def _image_pairs(count: int) -> list[tuple[int, int]]:
    """Pairs of each image with the next ones in a ring: their number is linear in the images'."""
    steps = range(1, min(OTHER_IMAGES, count - 1) + 1)
    pairs = [(one, (one + step) % count) for step in steps for one in range(count)]
    return sorted({(min(pair), max(pair)) for pair in pairs})
