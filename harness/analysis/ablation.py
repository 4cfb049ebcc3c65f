"""Effects of removing the clusters that a run found from the model that its maps come from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.inputs import RunInputs, attention_of
from harness.analysis.partitions import StoredPartition, images_of, stored_partition
from harness.errors import HarnessError, WrongValueError, hint
from harness.metrics.ablation import (
    Contrast,
    Effect,
    contrasts,
    draws_of,
    effects,
    margins,
    probabilities,
)
from harness.metrics.partition import drop_singletons, numbered
from harness.metrics.patch_sets import (
    contiguous_orders,
    count_patch_sets,
    patch_sets,
    random_orders,
)
from harness.metrics.salience import ClusterSalience, order_by_salience
from harness.planning.identity import key_of, seed_of, source_digest
from harness.planning.progress import SILENT, Progress
from harness.plugin.ablation import AblationSpec, At, Fill, ModelResponse, OutputKind
from harness.plugin.arguments import checked_class
from harness.plugin.registry import Registry
from harness.plugin.values import UNASSIGNED, Floats, Image, Integers
from harness.store import Store
from harness.store.ablations import KeptDraws

# Sets of patches that are removed from one image, one after the other.
MOST_SETS = 2000
MOST_DRAWS = 100_000


@checked_class
@dataclass(frozen=True)
class AblationSettings:
    """How clusters are removed, and how many random sets of patches they are compared with.

    at: where in a layer, as docs/ablation.md defines; fill: what replaces a removed row of the
    block or the attention; layer: None for the one of the clusters' map; together: up to how many
    clusters are removed at once; draws: the number of random sets of patches, and of contiguous
    ones; seed: that of the draws. Raises HarnessError if a value is out of range.
    """

    at: At = "block"
    fill: Fill = "zero"
    layer: int | None = None
    together: int = 2
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.at == "keys" and self.fill != "zero":
            raise WrongValueError("keys are masked, not filled; fill is for block and attention")
        for name, least, most in (
            ("together", 1, 100), ("draws", 1, MOST_DRAWS), ("seed", 0, None), ("layer", 0, None),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not least <= value <= (value if most is None else most):
                to = "" if most is None else f" to {most}"
                raise WrongValueError(
                    f"{name}: expected a whole number from {least}{to}, not {value}"
                )


@dataclass(frozen=True)
class Prediction:
    """A classifier's prediction for a whole image.

    target: the true class; if it is unknown or none of the model's classes, the predicted one.
    labelled: whether the target is the true class. margin and probability are the target's.
    """

    target: int
    labelled: bool
    logits: tuple[float, ...]
    margin: float
    probability: float
    predicted: int


@dataclass(frozen=True)
class ImageAblation:
    """The effects of removing clusters from one image.

    class_name: the class of the image, "" if it is not known; partition: which one of the run, by
    `StoredPartition`'s fields; clusters: by their numbers, most salient first, unassigned patches
    (−1) last; answer and dimensions: the kind of the model's output, and its length; prediction:
    None if the model has no classifier.
    """

    image: str
    class_name: str
    partition: Mapping[str, Any]
    clusters: tuple[ClusterSalience, ...]
    answer: OutputKind
    dimensions: int
    prediction: Prediction | None
    effects: tuple[Effect, ...]

    def alone(self) -> tuple[int, list[Effect]]:
        """The number of patches, and the effects of each cluster alone, most salient first."""
        alone = {each.clusters: each for each in self.effects if each.kind == "alone"}
        ordered = [alone[each.label,] for each in self.clusters if each.salience is not None]
        return sum(each.patches for each in self.clusters), ordered


@dataclass(frozen=True)
class Ablation:
    """The effects of removing clusters from images of a run.

    partition: the reference of the clusters; classes: the names of the model's classes, or those
    of the images if the model has no names; nothing: why there is no cluster to remove, by image;
    contrasts: over the images with at least two clusters.
    """

    partition: str
    settings: AblationSettings
    classes: tuple[str, ...]
    images: tuple[ImageAblation, ...]
    nothing: Mapping[str, str]
    contrasts: tuple[Contrast, ...]


def ablate(
    store: Store,
    registry: Registry,
    partition: str,
    images: Sequence[str],
    settings: AblationSettings,
    progress: Progress = SILENT,
    computed_by: Mapping[str, Any] | None = None,
) -> Ablation:
    """Remove the clusters of a partition from some images of a run, by default from all.

    `harness.analysis.partitions` defines partition references. Raises HarnessError if an image or
    the partition does not exist, if the run has no attention maps, if the extractor supports no
    ablation, and if the model or the pixels are not those of the run. What is measured on random
    patches is kept in the run's folder, so that an ablation that was interrupted continues;
    computed_by: the environment, without which it would not be the same.
    """
    store.check_maps()
    inputs, made_by = RunInputs(store, registry), (source_digest(), computed_by)
    tasks: list[_Task] = []
    nothing: dict[str, str] = {}
    refused: list[HarnessError] = []
    for image in _chosen_images(store, partition, images):
        try:
            stored = stored_partition(store, image, partition)
        except HarnessError as error:
            refused.append(error)
            nothing[image] = str(error)
            continue
        labels = numbered(drop_singletons(stored.labels))
        if reason := _why_nothing(stored, labels):
            nothing[image] = reason
            continue
        _check_sets(image, len(np.unique(labels)), settings.together)
        tasks.append(_Task(stored, labels, _kept_draws(store, inputs, stored, settings, made_by)))
    if not tasks and refused and len(refused) == len(nothing):
        # No image of the run has such a partition, so the reference is wrong.
        raise refused[0]
    progress.begin("removing sets of patches", sum(task.steps(settings) for task in tasks))
    classes: tuple[str, ...] = ()
    found = []
    for task in tasks:
        ablated, classes = _ablate_image(store, inputs, task, settings, progress)
        found.append(ablated)
    compared = contrasts([each.alone() for each in found])
    return Ablation(partition, settings, classes, tuple(found), nothing, tuple(compared))


@dataclass(frozen=True, eq=False)
class _Task:
    """Clusters to remove from one image, and what is known of random patches there."""

    partition: StoredPartition
    labels: Integers
    kept: KeptDraws

    def steps(self, settings: AblationSettings) -> int:
        """The number of sets of patches to remove."""
        sets = list(patch_sets(self.labels, settings.together))
        known = {each._replace(target=None) for each in self.kept}
        return len(sets) + settings.draws * len(draws_of(sets) - known)


def _layer(partition: StoredPartition, settings: AblationSettings) -> int:
    return partition.layer if settings.layer is None else settings.layer


def _kept_draws(
    store: Store,
    inputs: RunInputs,
    partition: StoredPartition,
    settings: AblationSettings,
    computed_by: Sequence[Any],
) -> KeptDraws:
    parts = asdict(settings) | {"layer": _layer(partition, settings), "together": None}
    model = inputs.identity(partition.extractor)
    image = inputs.digest(partition.image_set, partition.image)
    return KeptDraws(store.folder, key_of(parts, model, image, *computed_by))


def _ablate_image(
    store: Store, inputs: RunInputs, task: _Task, settings: AblationSettings, progress: Progress
) -> tuple[ImageAblation, tuple[str, ...]]:
    """Remove one image's clusters; also returns the names of the model's classes."""
    partition, labels = task.partition, task.labels
    attention = attention_of(store, partition.map, partition.image)
    clusters = order_by_salience(attention.weights, labels)
    if unassigned := int((labels == UNASSIGNED).sum()):
        clusters = (*clusters, ClusterSalience(UNASSIGNED, unassigned, None))
    removal = AblationSpec(settings.at, settings.fill, _layer(partition, settings))
    ablator = inputs.ablator(partition.extractor, removal)
    image = inputs.image(partition.image_set, partition.image)
    response = ablator(image)
    orders = _orders(image, response.grid, labels, settings)
    classes, label = _classes_and_label(inputs, partition, response, image)
    prediction = _prediction(response.intact, label) if response.answer == "logits" else None

    def changes(removed: NDArray[np.bool_]) -> Floats:
        found = response.changes(removed)
        progress.advance(len(removed))
        return found

    found = effects(
        response.intact,
        changes,
        tuple(patch_sets(labels, settings.together)),
        orders,
        prediction.target if prediction else None,
        response.patch_changes,
        task.kept,
    )
    ablated = ImageAblation(
        image.key,
        inputs.class_name(partition.image_set, partition.image),
        partition.identity(),
        clusters,
        response.answer,
        len(response.intact),
        prediction,
        tuple(found),
    )
    return ablated, classes


def _chosen_images(store: Store, partition: str, images: Sequence[str]) -> list[str]:
    known = images_of(store, partition)
    for image in (each for each in images if each not in known):
        raise WrongValueError(f"{store.folder}: there is no image {image!r}{hint(image, known, 5)}")
    return list(dict.fromkeys(images or known))


def _why_nothing(partition: StoredPartition, labels: Integers) -> str:
    """Why there is no cluster to remove; "" if there is one."""
    if partition.accepted is False:
        return f"{partition.selector} accepted no level"
    if not (labels != UNASSIGNED).any():
        return "no cluster has two patches"
    return ""


def _check_sets(image: str, clusters: int, together: int) -> None:
    count = count_patch_sets(clusters, together)
    if count > MOST_SETS:
        raise HarnessError(
            f"{image}: {clusters} clusters, up to {together} together, are {count} sets to "
            f"remove, more than {MOST_SETS}; take fewer together"
        )


def _classes_and_label(
    inputs: RunInputs, partition: StoredPartition, response: ModelResponse, image: Image
) -> tuple[tuple[str, ...], int | None]:
    """The names of the model's classes, and the image's label if it is one of them."""
    if response.answer != "logits":
        return (), None
    of_images = inputs.classes(partition.image_set)
    outputs = len(response.intact)
    classes = response.classes or (of_images if len(of_images) == outputs else ())
    foreign = classes and of_images not in ((), classes)
    known = image.label is not None and 0 <= image.label < outputs
    return classes, image.label if known and not foreign else None


def _orders(
    image: Image, grid: tuple[int, int], labels: Integers, settings: AblationSettings
) -> tuple[Integers, Integers]:
    rows, columns = grid
    if len(labels) != rows * columns:
        raise HarnessError(
            f"{image.key}: its map has {len(labels)} nodes, which are not the model's "
            f"{rows}×{columns} patches"
        )
    drawing = settings.draws, seed_of("ablation", settings.seed, image.digest)
    return random_orders(len(labels), *drawing), contiguous_orders(grid, *drawing)


def _prediction(logits: Floats, label: int | None) -> Prediction:
    predicted = int(logits.argmax())
    target = predicted if label is None else label
    return Prediction(
        target,
        label is not None,
        tuple(logits.tolist()),
        float(margins(logits[None], target)[0]),
        float(probabilities(logits[None], target)[0]),
        predicted,
    )
