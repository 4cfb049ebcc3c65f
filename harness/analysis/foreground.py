"""Agreement of the clusters that a run found with the images' foreground, and with two baselines.

Joins the selected clusters with the images that their maps come from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.analysis.inputs import RunInputs, attention_of
from harness.analysis.method import MethodKey, grouped
from harness.analysis.outcomes import Outcome, outcomes
from harness.errors import HarnessError
from harness.metrics.foreground import (
    HALF,
    agreement,
    foreground_fractions,
    pixel_kmeans,
    spatial_blocks,
    why_undefined,
)
from harness.metrics.inference import Estimate, estimate
from harness.metrics.partition import cluster_count, coverage, drop_singletons
from harness.metrics.salience import order_by_salience
from harness.planning.progress import SILENT, Progress
from harness.plugin.arguments import checked_class
from harness.plugin.base import ImageSet
from harness.plugin.registry import Registry
from harness.plugin.values import Floats, Image, Integers
from harness.store import Store

BASELINES = ("spatial_blocks", "pixel_kmeans")
# Seed of pixel k-means.
SEED = 0
NOT_ACCEPTED = "no level was accepted"


@runtime_checkable
class Foreground(Protocol):
    """Defines the foreground of images."""

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) are foreground; HarnessError if the image has none."""


@checked_class
@dataclass(frozen=True)
class BrightnessThreshold:
    """The foreground is the pixels of grey images that are brighter than a value in 0 … 254."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 254:
            raise HarnessError(f"foreground: expected a brightness from 0 to 254, not {self.value}")

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) are brighter."""
        if image.pixels.shape[2] != 1:
            raise HarnessError(
                f"{image.key}: brightness defines no foreground in a colour image; use masks"
            )
        return np.asarray(image.pixels[:, :, 0] > self.value)

    def __str__(self) -> str:
        return f"pixels above {self.value}"


@dataclass(frozen=True)
class Masks:
    """The foreground is the pixels that are not black in a mask of the image's size.

    images: the masks, named like the image with .png appended, or with .png as their suffix;
    folder: what messages call them.
    """

    images: ImageSet
    folder: str

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) are not black in the image's mask."""
        names = (f"{image.key}.png", PurePosixPath(image.key or "-").with_suffix(".png").as_posix())
        found = next((name for name in names if name in self._keys), None)
        if found is None:
            raise HarnessError(f"{self.folder}: there is no mask {names[0]} for {image.key}")
        pixels = self.images.load(found).pixels
        if pixels.shape[:2] != image.pixels.shape[:2]:
            raise HarnessError(
                f"{self.folder}: {found} is {pixels.shape[0]}×{pixels.shape[1]} pixels, its image "
                f"{image.pixels.shape[0]}×{image.pixels.shape[1]}"
            )
        return np.asarray(pixels.any(axis=2))

    @cached_property
    def _keys(self) -> Mapping[str, None]:
        return dict.fromkeys(self.images.keys())

    def __str__(self) -> str:
        return f"masks in {self.folder}"


@dataclass(frozen=True)
class MapAgreement:
    """How one map's clusters agree with the foreground, or the reason why they do not count.

    reason: "" if the map counts; n_clusters: the number of clusters of two patches or more;
    coverage, foreground: the fractions of patches that are in clusters, and that are foreground;
    ami: the adjusted mutual information of the clusters with the foreground patches;
    spatial_blocks, pixel_kmeans: that of two baselines with as many clusters; most_salient,
    least_salient: the fraction of foreground in the area of the most and of the least salient
    cluster, None if there are fewer than two clusters.
    """

    method: MethodKey
    image: str
    layer: int
    head: int
    repeat: int
    candidate: int | None
    accepted: bool
    reason: str = ""
    n_clusters: int | None = None
    coverage: float | None = None
    foreground: float | None = None
    ami: float | None = None
    spatial_blocks: float | None = None
    pixel_kmeans: float | None = None
    most_salient: float | None = None
    least_salient: float | None = None

    @property
    def salience_contrast(self) -> float | None:
        """How much more foreground the most salient cluster has than the least salient one."""
        if self.most_salient is None or self.least_salient is None:
            return None
        return self.most_salient - self.least_salient


@dataclass(frozen=True)
class Baseline:
    """A baseline's agreement, and the paired difference: the method's less the baseline's."""

    name: str
    ami: Estimate
    difference: Estimate


@dataclass(frozen=True)
class SalienceAgreement:
    """Mean foreground fractions of the most and the least salient cluster, and their difference."""

    images: int
    most: float
    least: float
    difference: Estimate


@dataclass(frozen=True)
class MethodAgreement:
    """How a method's clusters agree with the foreground: means over images.

    An image counts with the mean over those of its maps that count. images: the number of images
    with such a map; counted, not_accepted, undefined, failed: the numbers of maps that count, that
    have no accepted level, whose patches are all foreground or all background, and that have no
    clusters. n_clusters, coverage and ami are None if no map counts; salient is None if no image
    has two clusters.
    """

    method: MethodKey
    images: int
    counted: int
    not_accepted: int
    undefined: int
    failed: int
    n_clusters: float | None
    coverage: float | None
    ami: Estimate | None
    baselines: tuple[Baseline, ...]
    salient: SalienceAgreement | None


@dataclass(frozen=True)
class ForegroundAgreement:
    """The agreement of all methods of a run; candidates: whether levels not accepted count."""

    foreground: str
    candidates: bool
    methods: tuple[MethodAgreement, ...]
    maps: tuple[MapAgreement, ...]


def foreground_agreement(
    store: Store,
    registry: Registry,
    foreground: Foreground,
    *,
    candidates: bool = False,
    progress: Progress = SILENT,
) -> ForegroundAgreement:
    """How the clusters of every method agree with the images' foreground.

    Only accepted levels count, or with `candidates` all selected levels. Raises HarnessError if an
    image cannot be loaded, differs from that of the run, or has no foreground.
    """
    maps = list(_measured_maps(store, registry, foreground, candidates, progress))
    methods = grouped(maps, lambda each: each.method)
    return ForegroundAgreement(
        str(foreground),
        candidates,
        tuple(_method_agreement(method, of_method) for method, of_method in methods.items()),
        tuple(maps),
    )


def _measured_maps(
    store: Store,
    registry: Registry,
    foreground: Foreground,
    candidates: bool,
    progress: Progress,
) -> Iterator[MapAgreement]:
    measurement = _Measurement(store, registry, foreground)
    for each in progress.track("measuring maps", list(outcomes(store))):
        if each.reason:
            figures: dict[str, Any] = {"reason": each.reason}
        elif each.accepted or candidates:
            figures = measurement.figures(each)
        else:
            figures = {"reason": NOT_ACCEPTED}
        observation = each.method, each.image, each.layer, each.head, each.repeat
        yield MapAgreement(*observation, each.candidate, each.accepted, **figures)


class _Measurement:
    """Measures selected clusters; caches what maps of one image share: they follow each other."""

    def __init__(self, store: Store, registry: Registry, foreground: Foreground) -> None:
        self._store = store
        self._inputs = RunInputs(store, registry)
        self._fractions = lru_cache(maxsize=8)(
            lambda image, grid, region: foreground_fractions(foreground.mask(image), grid, region)
        )
        self._baselines = lru_cache(
            lambda image, grid, region, k: (
                spatial_blocks(grid, k),
                pixel_kmeans(image.pixels, grid, k, SEED, region),
            )
        )

    def figures(self, of: Outcome) -> dict[str, Any]:
        """The fields of a `MapAgreement` that say how the clusters agree, or the reason."""
        method = of.method
        if not method.image_set:
            raise HarnessError(f"{of.image}: its map comes from {method.extractor}, not an image")
        image = self._inputs.image(method.image_set, of.image)
        attention = attention_of(self._store, of.map, of.image)
        if attention.grid is None:
            raise HarnessError(f"{of.image}: {method.extractor} gives no grid of patches")
        place = image, attention.grid, attention.region
        fractions = self._fractions(*place)
        patches = fractions >= HALF
        foreground = float(patches.mean())
        if reason := why_undefined(patches):
            return {"reason": reason, "foreground": foreground}
        labels = self._store.labels(of.cell)[of.candidate]
        count = cluster_count(labels)
        # A method without clusters is compared with one block of all patches: both say nothing.
        baselines = zip(BASELINES, self._baselines(*place, max(1, count)), strict=True)
        return {
            "n_clusters": count,
            "coverage": coverage(labels),
            "foreground": foreground,
            "ami": agreement(labels, patches),
            **{name: agreement(found, patches) for name, found in baselines},
            **_salient_fractions(attention.weights, labels, fractions),
        }


def _salient_fractions(
    weights: NDArray[np.floating[Any]], labels: Integers, fractions: Floats
) -> dict[str, float]:
    labels = drop_singletons(labels)
    order = order_by_salience(weights, labels)
    if len(order) < 2:
        return {}
    ends = {"most_salient": order[0].label, "least_salient": order[-1].label}
    return {name: float(fractions[labels == label].mean()) for name, label in ends.items()}


def _method_agreement(method: MethodKey, maps: Sequence[MapAgreement]) -> MethodAgreement:
    counted = [each for each in maps if each.ami is not None]
    not_accepted = sum(each.reason == NOT_ACCEPTED for each in maps)
    undefined = sum(each.ami is None and each.foreground is not None for each in maps)
    ami = _by_image(counted, "ami")
    return MethodAgreement(
        method,
        images=len(ami),
        counted=len(counted),
        not_accepted=not_accepted,
        undefined=undefined,
        failed=len(maps) - len(counted) - not_accepted - undefined,
        n_clusters=float(_by_image(counted, "n_clusters").mean()) if counted else None,
        coverage=float(_by_image(counted, "coverage").mean()) if counted else None,
        ami=estimate(ami) if counted else None,
        baselines=tuple(_baseline(name, ami, counted) for name in BASELINES) if counted else (),
        salient=_salience_agreement(counted),
    )


def _baseline(name: str, ami: Floats, counted: Iterable[MapAgreement]) -> Baseline:
    reached = _by_image(counted, name)
    return Baseline(name, estimate(reached), estimate(ami - reached))


def _salience_agreement(counted: Sequence[MapAgreement]) -> SalienceAgreement | None:
    names = ("most_salient", "least_salient", "salience_contrast")
    most, least, difference = (_by_image(counted, name) for name in names)
    if not len(difference):
        return None
    means = float(most.mean()), float(least.mean())
    return SalienceAgreement(len(difference), *means, estimate(difference))


def _by_image(maps: Iterable[MapAgreement], name: str) -> Floats:
    """Each image's mean of a figure over its maps that have it, (images,)."""
    images = grouped(maps, lambda each: each.image).values()
    values = [[value for one in of if (value := getattr(one, name)) is not None] for of in images]
    return np.array([np.mean(each) for each in values if each], dtype=np.float64)
