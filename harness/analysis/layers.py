"""How a model's attention clusters by depth: figures by layer and head, and what they share.

Joins the outcomes of every method with the partitions that its selector chose, and compares those
of different layers and heads of one image, and of different images.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from harness.analysis.heads import HeadRow, LayerRow, layer_rows, slot_rows
from harness.analysis.inspection import Choice, choices
from harness.analysis.outcomes import Outcome, outcomes
from harness.analysis.partitions import spellings_meant
from harness.errors import HarnessError
from harness.metrics.inference import bootstrap_intervals
from harness.metrics.similarity import (
    Comparable,
    adjusted_jaccards,
    adjusted_mutual_informations,
    between_groups,
)
from harness.plugin.values import Floats, Integers
from harness.store import Store

Measure = Callable[[Comparable, Comparable], Floats]
MEASURES: Mapping[str, Measure] = {
    "AMI": adjusted_mutual_informations,
    "Jaccard": adjusted_jaccards,
}
# With how many of the images after it, in the run's order, an image is compared.
OTHER_IMAGES = 3


@dataclass(frozen=True, eq=False)
class Similarity:
    """How alike a method's partitions on different heads are by one measure: 1 same, 0 chance.

    Of one image, means over images: heads: (heads, heads), and head_images, over how many images;
    layers: (layers, layers), over pairs of different heads and then over images, with the
    bootstrap interval over images (low, high) and how many they are (layer_images). Across images:
    heads_elsewhere and layers_elsewhere, the same between partitions of different images, where the
    diagonal of heads_elsewhere is one head beside itself. NaN where nothing is to be compared; the
    diagonal of heads is NaN.
    """

    measure: str
    head_indices: Floats
    head_images: Integers
    heads_elsewhere: Floats
    layers: Floats
    low: Floats
    high: Floats
    layer_images: Integers
    layers_elsewhere: Floats


@dataclass(frozen=True, eq=False)
class MethodLayers:
    """One method by layer and head.

    layers: by depth; heads: by layer and head, the order of the heads in `similarities`, which
    there is one of for each measure. compared: partitions that were accepted and are not trivial;
    trivial: accepted ones of one cluster or none, with which nothing can be compared;
    image_pairs: how many pairs of different images were compared.
    """

    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    layers: tuple[LayerRow, ...]
    heads: tuple[HeadRow, ...]
    similarities: tuple[Similarity, ...]
    compared: int
    trivial: int
    image_pairs: int


def layers(store: Store, clusterers: Sequence[str] = ()) -> list[MethodLayers]:
    """Every method of a run by layer and head, as planned; clusterers are spellings or names.

    Raises HarnessError if the run has no such clusterer, or one layer and head only.
    """
    found: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes(store):
        found.setdefault(outcome.method, []).append(outcome)
    wanted = spellings_meant(
        "--of", "clusterer", clusterers, [clusterer for clusterer, *_ in found]
    )
    places = {(each.layer, each.head) for of_method in found.values() for each in of_method}
    if len(places) < 2:
        raise HarnessError(
            f"{store.folder}: the run has one layer and head only, and nothing to compare them "
            "with; run an extractor with more of them"
        )
    chosen: dict[tuple[str, ...], list[Choice]] = {}
    for choice in choices(store):
        chosen.setdefault(choice.method, []).append(choice)
    controls = store.controls()
    return [
        _method(store, of_method, chosen[method], controls)
        for method, of_method in found.items()
        if method[0] in wanted
    ]


def _method(
    store: Store, found: Sequence[Outcome], chosen: Sequence[Choice], controls: Sequence[str]
) -> MethodLayers:
    heads = tuple(slot_rows(found, controls))
    head_indices = {(row.layer, row.head): number for number, row in enumerate(heads)}
    depths = {layer: number for number, layer in enumerate(sorted({row.layer for row in heads}))}
    compared = _Compared(np.array([depths[row.layer] for row in heads]))
    partitions = [
        (each, head_indices[each.layer, each.head], _labels(store, each)) for each in chosen
    ]
    accepted = [
        _Partition(choice.image, choice.repeat, head_index, labels)
        for choice, head_index, labels in partitions
        if labels is not None
    ]
    # Builders may choose levels by the number of nodes, and only equal ones can be compared.
    accepted.sort(key=lambda each: (len(each.labels), each.repeat))
    for _, alike in groupby(accepted, lambda each: (len(each.labels), each.repeat)):
        compared.add(list(alike))
    first = found[0]
    return MethodLayers(
        first.clusterer,
        first.selector,
        first.graph,
        first.extractor,
        first.images,
        tuple(layer_rows(found, controls)),
        heads,
        tuple(compared.similarity(measure) for measure in MEASURES),
        len(accepted) - compared.trivial,
        compared.trivial,
        compared.image_pairs,
    )


@dataclass(frozen=True, eq=False)
class _Partition:
    image: str
    repeat: int
    head_index: int
    labels: NDArray[np.int16]


def _labels(store: Store, choice: Choice) -> NDArray[np.int16] | None:
    if choice.reason or choice.candidate is None or not choice.accepted:
        return None
    # Two bytes a label, as in the store: there may be very many.
    return np.asarray(store.labels(choice.cell)[choice.candidate], dtype=np.int16)


class _Compared:
    """Collects what comparisons of a method's partitions give, image by image."""

    def __init__(self, depths: Integers) -> None:
        """depths: (heads,), the number of each head's layer."""
        self._depths = depths
        self._within: dict[str, dict[str, list[Floats]]] = {name: {} for name in MEASURES}
        self._across: dict[str, _Mean] = {name: _Mean(len(depths)) for name in MEASURES}
        self.trivial = 0
        self.image_pairs = 0

    def add(self, partitions: Sequence[_Partition]) -> None:
        """Compare partitions of equally many nodes, and of one repeat, the images' in a row."""
        together = Comparable.of([each.labels for each in partitions])
        self.trivial += int(together.members.trivial.sum())
        spans, first = [], 0
        for image, members in groupby(partitions, lambda each: each.image):
            head_indices = np.array([each.head_index for each in members])
            spans.append((image, head_indices, together.part(first, first + len(head_indices))))
            first += len(head_indices)
        for image, head_indices, own in spans:
            for name, measure in MEASURES.items():
                full = self._spread(measure(own, own), head_indices, head_indices)
                np.fill_diagonal(full, np.nan)
                self._within[name].setdefault(image, []).append(full)
        for one, other in _image_pairs(len(spans)):
            (_, head_indices, own), (_, others, across) = spans[one], spans[other]
            self.image_pairs += 1
            for name, measure in MEASURES.items():
                full = self._spread(measure(own, across), head_indices, others)
                self._across[name].add(full)
                self._across[name].add(full.T)

    def _spread(self, alike: Floats, rows: Integers, columns: Integers) -> Floats:
        """Values of some heads (rows, columns) as a matrix of all, NaN for the others."""
        full = np.full((len(self._depths), len(self._depths)), np.nan)
        full[np.ix_(rows, columns)] = alike
        return full

    def similarity(self, name: str) -> Similarity:
        """What was found by one of the measures."""
        count = int(self._depths.max()) + 1
        over_images = _Mean(len(self._depths))
        by_layer = []
        for repeats in self._within[name].values():
            of_image = _Mean(len(self._depths))
            for full in repeats:
                of_image.add(full)
            over_images.add(of_image.mean)
            by_layer.append(between_groups(of_image.mean, self._depths).ravel())
        values = np.array(by_layer).reshape(len(by_layer), count * count)
        defined = ~np.isnan(values)
        sums, counts = np.where(defined, values, 0.0), defined.astype(np.float64)
        means = np.full(count * count, np.nan)
        np.divide(sums.sum(axis=0), counts.sum(axis=0), out=means, where=defined.any(axis=0))
        low, high = bootstrap_intervals(sums, counts)
        square = (count, count)
        return Similarity(
            name,
            over_images.mean,
            over_images.counts,
            self._across[name].mean,
            means.reshape(square),
            low.reshape(square),
            high.reshape(square),
            defined.sum(axis=0).reshape(square),
            between_groups(self._across[name].mean, self._depths),
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
        """NaN where there is none."""
        means = np.full(self._sums.shape, np.nan)
        np.divide(self._sums, self.counts, out=means, where=self.counts > 0)
        return means


def _image_pairs(count: int) -> list[tuple[int, int]]:
    """Different images, each beside the next ones in a ring: linear in their number."""
    pairs = {
        tuple(sorted((one, (one + step) % count)))
        for step in range(1, min(OTHER_IMAGES, count - 1) + 1)
        for one in range(count)
    }
    return [(one, other) for one, other in sorted(pairs)]
