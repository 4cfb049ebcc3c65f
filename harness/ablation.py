"""What removing the clusters that a run found does to the model that its maps come from.

Joins stored partitions with the images and the checkpoint that they were made from; both have to
be those of the run, by their digests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.identity import seed_of
from harness.inspection import attention_of, map_key
from harness.origins import Origins
from harness.places import StoredPartition, images_of, stored_partition
from harness.registry import Registry
from harness.scores.ablation import (
    Answers,
    Effect,
    clusters_of_two,
    count_patch_sets,
    effects,
    patch_sets,
)
from harness.scores.ablation_contrasts import Contrast, ImageEffects, contrasts
from harness.scores.saliency import order_by_salience
from harness.spelling import did_you_mean
from harness.store import Store
from harness.values import UNASSIGNED, Image, Integers
from harness.vit.patch_orders import contiguous_orders, random_orders
from harness.vit.removal import At, Fill

if TYPE_CHECKING:
    from torch import Tensor

    from harness.vit.checkpoint import Checkpoint

# Sets of patches that one image may have removed from it, one after the other.
MOST_SETS = 2000
MOST_DRAWS = 100_000


@dataclass(frozen=True)
class AblationSettings:
    """How clusters are removed, and what that is compared with.

    at: where in the model, as `harness.vit.ablation` defines it; fill: what replaces a removed
    row, for block and attention; together: up to how many clusters are removed at once; draws: of
    random and of contiguous random patches. Raises HarnessError for what is none.
    """

    at: At = "block"
    fill: Fill = "zero"
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
        if self.seed < 0:
            raise HarnessError(f"seed: expected a whole number from 0, not {self.seed}")


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
        by_label = {each.clusters: each for each in self.effects if each.kind == "alone"}
        return ImageEffects(
            sum(cluster.patches for cluster in self.clusters),
            [by_label[each.label,] for each in self.clusters if each.salience is not None],
        )


@dataclass(frozen=True)
class NothingRemoved:
    """An image without a cluster to remove, and why."""

    image: str
    reason: str


@dataclass(frozen=True)
class Ablation:
    """What removing clusters did to images of a run.

    classes: their names, the images' own where the checkpoint does not tell them. contrasts are
    over the images with at least two clusters; nothing are those without any, which are in no
    mean.
    """

    place: str
    settings: AblationSettings
    classes: tuple[str, ...]
    images: tuple[ImageAblation, ...]
    nothing: tuple[NothingRemoved, ...]
    contrasts: tuple[Contrast, ...]


def ablate(
    store: Store, registry: Registry, place: str, images: Sequence[str], settings: AblationSettings
) -> Ablation:
    """Remove the clusters at a place from some images of a run, or from all if none are named.

    `harness.places` says how places are spelled. Raises HarnessError for an image or place that
    is not there, for maps of another extractor than one-layer-vit, and for a checkpoint or pixels
    that are not those of the run.
    """
    known = images_of(store, place)
    for image in images:
        if image not in known:
            hint = did_you_mean(image, known) or f"; there are {len(known)}, such as {known[0]}"
            raise HarnessError(f"{store.folder}: there is no image {image!r}{hint}")
    origins = Origins(store, registry)
    classes: tuple[str, ...] = ()
    found: list[ImageAblation] = []
    nothing: list[NothingRemoved] = []
    refused: list[HarnessError] = []
    for image in dict.fromkeys(images or known):
        try:
            partition = stored_partition(store, image, place)
        except HarnessError as error:
            refused.append(error)
            nothing.append(NothingRemoved(image, str(error)))
            continue
        checkpoint = origins.checkpoint(partition.extractor)
        learned = tuple(checkpoint.record.get("classes", ()))
        labelled = origins.classes(partition.images)
        classes = learned or (
            labelled if len(labelled) == checkpoint.model.settings.classes else ()
        )
        labels = clusters_of_two(partition.labels)
        if reason := _why_nothing(partition, labels):
            nothing.append(NothingRemoved(image, reason))
        else:
            pictured = origins.image(partition.images, image)
            if classes and labelled not in ((), classes):
                # Its label is of other classes than the model's.
                pictured = replace(pictured, label=None)
            slot = partition.layer, partition.head
            key = map_key(store, partition.images, image, partition.extractor, *slot)
            weights = attention_of(store, key, image, *slot).weights
            found.append(
                _image_ablation(checkpoint, pictured, partition, weights, labels, settings)
            )
    if refused and len(refused) == len(nothing) and not found:
        # No image of the run has such a place: it is the place that is wrong.
        raise refused[0]
    return Ablation(
        place,
        settings,
        classes,
        tuple(found),
        tuple(nothing),
        tuple(contrasts([each.alone for each in found])),
    )


def _why_nothing(partition: StoredPartition, labels: Integers) -> str:
    """Why there is no cluster to remove; "" if there is one."""
    if partition.accepted is False:
        return f"{partition.selector} accepted no level"
    if not (labels != UNASSIGNED).any():
        return "no cluster has two patches"
    return ""


def _image_ablation(
    checkpoint: "Checkpoint",
    image: Image,
    partition: StoredPartition,
    weights: NDArray[np.floating[Any]],
    labels: Integers,
    settings: AblationSettings,
) -> ImageAblation:
    from harness.vit.ablation import ablated

    model, pixels = checkpoint.model, _fed(checkpoint, image)
    grid = model.settings.grid
    clusters = _by_salience(weights, labels)
    count = count_patch_sets(len(clusters), settings.together)
    if count > MOST_SETS:
        raise HarnessError(
            f"{image.key}: {len(clusters)} clusters, up to {settings.together} together, are "
            f"{count} sets to remove, more than {MOST_SETS}; take fewer together"
        )
    done = ablated(model, pixels, settings.at, settings.fill)
    known = image.label is not None and 0 <= image.label < len(done.logits)
    target = image.label if known and image.label is not None else int(done.logits.argmax())
    answers = Answers(done.logits[None], target)
    drawing = settings.draws, seed_of("ablation", settings.seed, image.digest)
    orders = random_orders(len(labels), *drawing), contiguous_orders(grid, *drawing)
    return ImageAblation(
        image.key,
        partition.place(),
        clusters,
        target,
        known,
        tuple(done.logits.tolist()),
        float(answers.margin[0]),
        float(answers.probability[0]),
        int(answers.predicted[0]),
        tuple(
            effects(
                done.logits,
                done.changes,
                done.patch_changes,
                target,
                list(patch_sets(labels, settings.together)),
                orders,
            )
        ),
    )


def _fed(checkpoint: "Checkpoint", image: Image) -> "Tensor":
    """The image as the model is fed it, (1, channels, height, width)."""
    import torch

    from harness.vit.preprocessing import fitted

    settings = checkpoint.model.settings
    pixels = fitted(image, settings.height, settings.width, settings.channels)
    return checkpoint.normalisation(torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0))


def _by_salience(
    weights: NDArray[np.floating[Any]], labels: Integers
) -> tuple[ClusterPatches, ...]:
    ordered = [
        ClusterPatches(each.label, each.size, each.incoming)
        for each in order_by_salience(weights, labels)
    ]
    loose = int((labels == UNASSIGNED).sum())
    return (*ordered, *([ClusterPatches(UNASSIGNED, loose, None)] if loose else []))
