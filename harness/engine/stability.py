"""How stable the selected clusters are: across levels, seeds and perturbations.

The selected clusters are compared with those that the same method found at the neighbouring
levels of the plateau, or on each draw of a perturbation. Everything is derived from stored labels.
"""

from collections.abc import Iterator
from operator import itemgetter

import numpy as np

from harness.metrics.stability import adjusted_jaccard, cluster_stabilities
from harness.plugin.values import Integers
from harness.store import Accepted, Store, accepted, perturbed_cells
from harness.store.records import LEVELS, StabilityRecord


def stabilities(store: Store) -> Iterator[StabilityRecord]:
    """Yield the stability of every accepted selection by kind; NaN if a perturbed cell failed."""
    perturbed = perturbed_cells(store)
    for selection in accepted(store):
        labels = store.labels(selection.cell)
        reference = labels[selection.candidate]
        yield _record(selection, LEVELS, reference, labels[_neighbours(selection, len(labels))])
        of_level = perturbed.get((selection.cell, selection.candidate), {})
        for perturbation, cell in of_level.items():
            drawn = labels[:0] if cell is None else store.labels(cell)
            yield _record(selection, perturbation, reference, drawn)


def _neighbours(selection: Accepted, levels: int) -> list[int]:
    """The other levels of the plateau, or the levels next to the selected one if there are none."""
    chosen = selection.candidate
    first, last = selection.plateau or (chosen, chosen)
    if first == last:
        first, last = max(chosen - 1, 0), min(chosen + 1, levels - 1)
    return [level for level in range(first, last + 1) if level != chosen]


def _record(
    selection: Accepted, kind: str, reference: Integers, others: Integers
) -> StabilityRecord:
    similarities = [adjusted_jaccard(reference, other) for other in others]
    jaccard = float(np.mean(similarities)) if similarities else float("nan")
    clusters = cluster_stabilities(reference, others)
    weakest = min(clusters, key=itemgetter(2), default=(-1, 0, float("nan")))
    return StabilityRecord(
        selection.cell, selection.selector, kind, len(similarities), jaccard, *weakest
    )
