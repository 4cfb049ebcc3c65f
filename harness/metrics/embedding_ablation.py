"""What removing clusters of an image does to the embedding that a model gives, beside chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from harness.metrics.ablation import ROUNDING, TAILS, Changes, Kind, PatchSet
from harness.metrics.significance import p_value
from harness.plugin.values import Floats, Integers


@dataclass(frozen=True)
class DistanceChance:
    """How far removing as many patches moves the embedding that are drawn at random.

    distance: the mean over the draws; low and high: their 2.5 % and 97.5 % quantiles; p: the share
    of draws that move it at least as far, the observed one among them.
    """

    distance: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class EmbeddingEffect:
    """How far removing a set of patches moves an embedding: the cosine distance from the intact.

    0 where the direction stays, 1 at a right angle, 2 at the opposite.
    """

    kind: Kind
    clusters: tuple[int, ...]
    patches: int
    distance: float
    random: DistanceChance
    contiguous: DistanceChance


def cosine_distances(intact: Floats, changes: Floats) -> Floats:
    """1 − cos of the angle between an embedding (dimensions,) and each changed one, (sets,).

    changes: (sets, dimensions), what is added to the intact embedding. An embedding of zeros has
    no direction: its distance is 1.
    """
    changed = intact + changes
    lengths = np.linalg.norm(intact) * np.linalg.norm(changed, axis=-1)
    cosines = np.divide(changed @ intact, lengths, out=np.zeros(len(changed)), where=lengths > 0)
    return np.asarray(np.clip(1 - cosines, 0, 2))


def embedding_effects(
    intact: Floats, changes: Changes, sets: Sequence[PatchSet], orders: tuple[Integers, Integers]
) -> list[EmbeddingEffect]:
    """How far removing each of some sets of patches moves an image's embedding (dimensions,).

    changes and orders are those of `harness.metrics.ablation.effects`.
    """
    if not sets:
        return []
    observed = cosine_distances(intact, changes(np.array([each.removed for each in sets])))

    # Sets of one size have the same draws.
    @cache
    def drawn(kind: int, patches: int) -> Floats:
        return cosine_distances(intact, changes(orders[kind] < patches))

    def chance(kind: int, patches: int, distance: float) -> DistanceChance:
        distances = drawn(kind, patches)
        low, high = np.quantile(distances, TAILS)
        p = p_value(distance - ROUNDING, distances)
        return DistanceChance(float(distances.mean()), float(low), float(high), p)

    return [
        EmbeddingEffect(
            each.kind,
            each.clusters,
            patches := int(each.removed.sum()),
            distance := float(observed[index]),
            chance(0, patches, distance),
            chance(1, patches, distance),
        )
        for index, each in enumerate(sets)
    ]
