"""What removing the clusters that a run found does to the model that its maps come from.

Joins stored partitions with the images and the model that they were made from; both have to be
those of the run, by their digests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from harness.analysis.ablated_images import (
    ClusterPatches,
    EmbeddingAblation,
    ImageAblation,
    Task,
    clusters_by_salience,
    of_embedding,
    of_logits,
)
from harness.analysis.inputs import RunInputs, attention_of, map_key
from harness.analysis.partitions import StoredPartition, images_of, stored_partition
from harness.errors import HarnessError
from harness.metrics.ablation import count_patch_sets, drop_singletons, patch_sets
from harness.metrics.ablation_contrasts import OF_EMBEDDINGS, OF_LOGITS, Contrast, contrasts
from harness.metrics.patch_orders import contiguous_orders, random_orders
from harness.planning.identity import seed_of
from harness.plugin.ablation import AblationSpec, At, Fill, ModelResponse
from harness.plugin.registry import Registry
from harness.plugin.spec import did_you_mean
from harness.plugin.values import UNASSIGNED, Image, Integers
from harness.store import Store

# Sets of patches that one image may have removed from it, one after the other.
MOST_SETS = 2000
MOST_DRAWS = 100_000


@dataclass(frozen=True)
class AblationSettings:
    """How clusters are removed, and what that is compared with.

    at: where in a layer, as docs/ablation.md defines it; fill: what replaces a removed row, for
    block and attention; layer: which, None for the one that the clusters' map is of; together: up
    to how many clusters are removed at once; draws: of random and of contiguous random patches.
    Raises HarnessError for what is none.
    """

    at: At = "block"
    fill: Fill = "zero"
    layer: int | None = None
    together: int = 2
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("at", get_args(At)), ("fill", get_args(Fill))):
            if getattr(self, name) not in choices:
                raise HarnessError(
                    f"{name}: expected {', '.join(choices)}, not {getattr(self, name)!r}"
                )
        if self.at == "keys" and self.fill != "zero":
            raise HarnessError("keys are masked, not filled; fill is for block and attention")
        for name, most in (("together", 100), ("draws", MOST_DRAWS)):
            if not 1 <= getattr(self, name) <= most:
                raise HarnessError(
                    f"{name}: expected a whole number from 1 to {most}, not {getattr(self, name)}"
                )
        for name in ("seed", "layer"):
            if (getattr(self, name) or 0) < 0:
                raise HarnessError(
                    f"{name}: expected a whole number from 0, not {getattr(self, name)}"
                )


@dataclass(frozen=True)
class NothingRemoved:
    """An image without a cluster to remove, and why."""

    image: str
    reason: str


@dataclass(frozen=True)
class Ablation:
    """What removing clusters did to images of a run.

    images where the model is a classifier, embeddings where it gives none but an embedding.
    classes: their names, the images' own where the model does not tell them. contrasts are over
    the images with at least two clusters; nothing are those without any, which are in no mean.
    """

    place: str
    settings: AblationSettings
    classes: tuple[str, ...]
    images: tuple[ImageAblation, ...]
    embeddings: tuple[EmbeddingAblation, ...]
    nothing: tuple[NothingRemoved, ...]
    contrasts: tuple[Contrast, ...]


def ablate(
    store: Store, registry: Registry, place: str, images: Sequence[str], settings: AblationSettings
) -> Ablation:
    """Remove the clusters at a place from some images of a run, or from all if none are named.

    `harness.analysis.partitions` says how places are spelled. Raises HarnessError for an image or
    place that is not there, for maps of an extractor that offers no ablation, and for a model or
    pixels that are not those of the run.
    """
    known = images_of(store, place)
    for image in images:
        if image not in known:
            hint = did_you_mean(image, known) or f"; there are {len(known)}, such as {known[0]}"
            raise HarnessError(f"{store.folder}: there is no image {image!r}{hint}")
    origins = RunInputs(store, registry)
    classes: tuple[str, ...] = ()
    found: list[ImageAblation] = []
    embedded: list[EmbeddingAblation] = []
    nothing: list[NothingRemoved] = []
    refused: list[HarnessError] = []
    for image in dict.fromkeys(images or known):
        try:
            partition = stored_partition(store, image, place)
        except HarnessError as error:
            refused.append(error)
            nothing.append(NothingRemoved(image, str(error)))
            continue
        labels = drop_singletons(partition.labels)
        if reason := _why_nothing(partition, labels):
            nothing.append(NothingRemoved(image, reason))
            continue
        clusters = _clusters_of(store, partition, image, labels)
        _check_sets(image, len(clusters), settings.together)
        done, pictured = _ablated(origins, partition, image, settings)
        task = _task(partition, pictured, clusters, labels, done.grid, settings)
        if done.answer == "logits":
            classes, label = _classes_and_label(origins, partition.image_set, done, pictured)
            found.append(of_logits(task, done, label))
        else:
            embedded.append(of_embedding(task, done))
    if refused and len(refused) == len(nothing) and not (found or embedded):
        # No image of the run has such a place: it is the place that is wrong.
        raise refused[0]
    if embedded:
        compared = contrasts([each.alone for each in embedded], OF_EMBEDDINGS)
    else:
        compared = contrasts([each.alone for each in found], OF_LOGITS)
    return Ablation(
        place,
        settings,
        classes,
        tuple(found),
        tuple(embedded),
        tuple(nothing),
        tuple(compared),
    )


def _task(
    partition: StoredPartition,
    image: Image,
    clusters: tuple[ClusterPatches, ...],
    labels: Integers,
    grid: tuple[int, int],
    settings: AblationSettings,
) -> Task:
    if len(labels) != grid[0] * grid[1]:
        raise HarnessError(
            f"{image.key}: its map has {len(labels)} nodes, which are not the model's "
            f"{grid[0]}×{grid[1]} patches"
        )
    drawing = settings.draws, seed_of("ablation", settings.seed, image.digest)
    return Task(
        image.key,
        partition.identity(),
        clusters,
        tuple(patch_sets(labels, settings.together)),
        (random_orders(len(labels), *drawing), contiguous_orders(grid, *drawing)),
    )


def _classes_and_label(
    origins: RunInputs, image_set: str, done: ModelResponse, image: Image
) -> tuple[tuple[str, ...], int | None]:
    """The names of the model's classes, and the image's label where it is one of them."""
    labelled = origins.classes(image_set)
    classes = done.classes or (labelled if len(labelled) == len(done.intact) else ())
    foreign = classes and labelled not in ((), classes)
    return classes, None if foreign else image.label


def _ablated(
    origins: RunInputs, partition: StoredPartition, image: str, settings: AblationSettings
) -> tuple[ModelResponse, Image]:
    """What the model behind a partition answers without some patches, and the image."""
    layer = partition.layer if settings.layer is None else settings.layer
    ablator = origins.ablator(partition.extractor, AblationSpec(settings.at, settings.fill, layer))
    pictured = origins.image(partition.image_set, image)
    return ablator(pictured), pictured


def _clusters_of(
    store: Store, partition: StoredPartition, image: str, labels: Integers
) -> tuple[ClusterPatches, ...]:
    head_index = partition.layer, partition.head
    key = map_key(store, partition.image_set, image, partition.extractor, *head_index)
    return clusters_by_salience(attention_of(store, key, image, *head_index).weights, labels)


def _check_sets(image: str, clusters: int, together: int) -> None:
    count = count_patch_sets(clusters, together)
    if count > MOST_SETS:
        raise HarnessError(
            f"{image}: {clusters} clusters, up to {together} together, are {count} sets to "
            f"remove, more than {MOST_SETS}; take fewer together"
        )


def _why_nothing(partition: StoredPartition, labels: Integers) -> str:
    """Why there is no cluster to remove; "" if there is one."""
    if partition.accepted is False:
        return f"{partition.selector} accepted no level"
    if not (labels != UNASSIGNED).any():
        return "no cluster has two patches"
    return ""
