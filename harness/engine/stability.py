"""How stable the selected clusters are: across levels, seeds and perturbations.

The selected clusters are compared with those that the same method found at the neighbouring
levels of the plateau, or on each draw of a perturbation. Everything is derived from stored labels.
"""

from collections.abc import Iterator
from operator import itemgetter

import numpy as np

from harness.metrics.stability import adjusted_jaccard, cluster_stabilities
from harness.planning.progress import Progress
from harness.plugin.values import Integers
from harness.store import Store
from harness.store.records import LEVELS, StabilityRecord
from harness.store.selections import accepted, perturbed_cells


def stabilities(store: Store, progress: Progress) -> Iterator[StabilityRecord]:
    """Yield the stability of every accepted selection by kind; NaN if a perturbed cell failed."""
    perturbed = perturbed_cells(store)
    selected = progress.track("comparing partitions", accepted(store))
    for cell, selector, level, first, last in selected:
        labels = store.labels(cell)
        neighbours = labels[_neighbours(level, first, last, len(labels))]
        yield StabilityRecord(cell, selector, LEVELS, *_compared(labels[level], neighbours))
        for perturbation, perturbed_cell in perturbed.get((cell, level), {}).items():
            drawn = labels[:0] if perturbed_cell is None else store.labels(perturbed_cell)
            yield StabilityRecord(cell, selector, perturbation, *_compared(labels[level], drawn))


def _neighbours(chosen: int, first: int, last: int, levels: int) -> list[int]:
    """The other levels of the plateau, or the levels next to the selected one if there are none."""
    if first == last:
        first, last = max(chosen - 1, 0), min(chosen + 1, levels - 1)
    return [level for level in range(first, last + 1) if level != chosen]


def _compared(reference: Integers, others: Integers) -> tuple[int, float, int, int, float]:
    """The figures of a StabilityRecord."""
    similarities = [adjusted_jaccard(reference, other) for other in others]
    jaccard = float(np.mean(similarities)) if similarities else float("nan")
    clusters = cluster_stabilities(reference, others)
    weakest = min(clusters, key=itemgetter(2), default=(-1, 0, float("nan")))
    return len(similarities), jaccard, *weakest
