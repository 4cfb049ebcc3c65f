"""What removing the clusters of one image does to a classifier's logits, or to an embedding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.metrics.ablation import Answers, Effect, PatchSet, effects
from harness.metrics.ablation_contrasts import ImageEffects
from harness.metrics.embedding_ablation import EmbeddingEffect, embedding_effects
from harness.metrics.saliency import order_by_salience
from harness.plugin.ablation import ModelResponse, OutputKind
from harness.plugin.values import UNASSIGNED, Integers

E = TypeVar("E", Effect, EmbeddingEffect)


@dataclass(frozen=True)
class ClusterPatches:
    """A cluster of an image: how many patches, and its salience; None for the unassigned (−1)."""

    label: int
    patches: int
    salience: float | None


@dataclass(frozen=True)
class ImageAblation:
    """What removing clusters did to one image.

    place: where in the run the partition lies; clusters: most salient first, the patches that are
    in none last; target: the true class, or where none is known among the model's the one
    predicted, and labelled whether it is the true one. logits, margin, probability and predicted
    are of the intact image.
    """

    image: str
    place: Mapping[str, Any]
    clusters: tuple[ClusterPatches, ...]
    target: int
    labelled: bool
    logits: tuple[float, ...]
    margin: float
    probability: float
    predicted: int
    effects: tuple[Effect, ...]

    @property
    def alone(self) -> ImageEffects:
        """What removing each cluster alone did, the most salient first."""
        return _alone(self.clusters, self.effects)


@dataclass(frozen=True)
class EmbeddingAblation:
    """What removing clusters did to the embedding of one image, where a model has no classifier.

    answer: which embedding; place and clusters are those of `ImageAblation`.
    """

    image: str
    place: Mapping[str, Any]
    clusters: tuple[ClusterPatches, ...]
    answer: OutputKind
    dimensions: int
    effects: tuple[EmbeddingEffect, ...]

    @property
    def alone(self) -> ImageEffects:
        """What removing each cluster alone did, the most salient first."""
        return _alone(self.clusters, self.effects)


def _alone(clusters: Sequence[ClusterPatches], effects: Sequence[E]) -> ImageEffects:
    by_label = {each.clusters: each for each in effects if each.kind == "alone"}
    return ImageEffects(
        sum(cluster.patches for cluster in clusters),
        [by_label[each.label,] for each in clusters if each.salience is not None],
    )


@dataclass(frozen=True, eq=False)
class Task:
    """What is removed from one image, and in which orders patches are drawn beside it."""

    image: str
    place: Mapping[str, Any]
    clusters: tuple[ClusterPatches, ...]
    sets: tuple[PatchSet, ...]
    orders: tuple[Integers, Integers]


def clusters_by_salience(
    weights: NDArray[np.floating[Any]], labels: Integers
) -> tuple[ClusterPatches, ...]:
    """Clusters of labels (n,) on weights (n, n), the most salient first, the unassigned last."""
    ordered = [
        ClusterPatches(each.label, each.size, each.incoming)
        for each in order_by_salience(weights, labels)
    ]
    loose = int((labels == UNASSIGNED).sum())
    return (*ordered, *([ClusterPatches(UNASSIGNED, loose, None)] if loose else []))


def of_logits(task: Task, done: ModelResponse, label: int | None) -> ImageAblation:
    """What removing a task's sets does to an image's logits; label: its true class, if known."""
    known = label is not None and 0 <= label < len(done.intact)
    target = label if known and label is not None else int(done.intact.argmax())
    answers = Answers(done.intact[None], target)
    return ImageAblation(
        task.image,
        task.place,
        task.clusters,
        target,
        known,
        tuple(done.intact.tolist()),
        float(answers.margin[0]),
        float(answers.probability[0]),
        int(answers.predicted[0]),
        tuple(
            effects(done.intact, done.changes, done.patch_changes, target, task.sets, task.orders)
        ),
    )


def of_embedding(task: Task, done: ModelResponse) -> EmbeddingAblation:
    """How far removing a task's sets moves an image's embedding."""
    return EmbeddingAblation(
        task.image,
        task.place,
        task.clusters,
        done.answer,
        len(done.intact),
        tuple(embedding_effects(done.intact, done.changes, task.sets, task.orders)),
    )
