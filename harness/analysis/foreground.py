"""Do the clusters that a run found follow the images' foreground, and beyond what is trivial?

Joins the chosen clusters with the images that their maps come from.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from harness.analysis.inputs import RunInputs
from harness.analysis.inspection import Choice, Inspection, choices, inspect
from harness.analysis.masks import Foreground
from harness.errors import HarnessError
from harness.metrics.ablation import drop_singletons
from harness.metrics.blocks import spatial_blocks
from harness.metrics.foreground import (
    HALF,
    agreement,
    foreground_shares,
    pixel_kmeans,
    why_undefined,
)
from harness.metrics.inference import Estimate, estimate
from harness.metrics.partition import cluster_count, coverage
from harness.metrics.saliency import order_by_salience
from harness.plugin.patches import Region
from harness.plugin.registry import Registry
from harness.plugin.values import Floats, Image, Integers
from harness.store import Store

BASELINES = ("spatial_blocks", "pixel_kmeans")
# Of k-means on the raw patches.
SEED = 0
NOT_ACCEPTED = "no level was accepted"


@dataclass(frozen=True)
class MapAgreement:
    """How one map's clusters agree with the foreground, or why that does not count.

    ami: their adjusted mutual information with the foreground patches; spatial_blocks and
    pixel_kmeans: those of the baselines, of as many clusters. n_clusters: of two patches or more;
    foreground: the share of the patches. most_salient, least_salient: the foreground's share of
    the area of the clusters that the rest of the image attends to most and least, None where there
    are no two clusters.
    """

    choice: Choice
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
    """What a baseline of as many clusters reaches, and how much more the clusters do."""

    name: str
    ami: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Salient:
    """Mean foreground shares of the most and the least salient cluster, and their difference."""

    images: int
    most: float
    least: float
    difference: Estimate


@dataclass(frozen=True)
class MethodAgreement:
    """How a method's clusters agree with the foreground: means over images.

    Of an image it is the mean over its maps that count. images: how many images have such a map;
    counted, not_accepted, undefined, failed: how many maps count, have no accepted level, have no
    foreground to agree with, have no clusters. ami, n_clusters and coverage are None where no map
    counts; salient where no image has two clusters.
    """

    clusterer: str
    selector: str
    graph: str
    extractor: str
    image_set: str
    images: int
    counted: int
    not_accepted: int
    undefined: int
    failed: int
    n_clusters: float | None
    coverage: float | None
    ami: Estimate | None
    baselines: tuple[Baseline, ...]
    salient: Salient | None


@dataclass(frozen=True)
class ForegroundAgreement:
    """Every method of a run beside the foreground; candidates: whether all levels count."""

    foreground: str
    candidates: bool
    methods: tuple[MethodAgreement, ...]
    maps: tuple[MapAgreement, ...]


def meaning(
    store: Store, registry: Registry, foreground: Foreground, *, candidates: bool = False
) -> ForegroundAgreement:
    """How the clusters of every method agree with the images' foreground.

    Only accepted selections count, or with `candidates` every level that a selector put forward.
    Raises HarnessError if an image is not to be had as it was in the run, or has no foreground that
    can be told.
    """
    maps = list(_measured(store, registry, foreground, candidates))
    methods: dict[tuple[str, ...], list[MapAgreement]] = {}
    for each in maps:
        methods.setdefault(each.choice.method, []).append(each)
    return ForegroundAgreement(
        str(foreground), candidates, tuple(map(_method, methods.values())), tuple(maps)
    )


def _measured(
    store: Store, registry: Registry, foreground: Foreground, candidates: bool
) -> Iterator[MapAgreement]:
    origins = RunInputs(store, registry)
    # The plan has an image's maps and methods one after the other.
    for _, of_image in groupby(choices(store), lambda each: (each.images, each.image)):
        beside = _Beside(foreground)
        for choice in of_image:
            if choice.reason:
                yield MapAgreement(choice, choice.reason)
            elif not (choice.accepted or candidates):
                yield MapAgreement(choice, NOT_ACCEPTED)
            else:
                yield beside.measure(inspect(store, origins, choice))


class _Beside:
    """Measures one image's clusters; what is the same for several of its maps is kept."""

    def __init__(self, foreground: Foreground) -> None:
        self._shares = lru_cache(
            lambda image, grid, region: foreground_shares(foreground.mask(image), grid, region)
        )
        self._baselines = lru_cache(_baselines)

    def measure(self, of: Inspection) -> MapAgreement:
        grid = of.attention.grid
        if grid is None:
            raise HarnessError(f"{of.choice.image}: {of.choice.extractor} tells no grid of patches")
        region = of.attention.region
        shares = self._shares(of.image, grid, region)
        patches = shares >= HALF
        reason = why_undefined(patches)
        if reason:
            return MapAgreement(of.choice, reason, foreground=float(patches.mean()))
        count = cluster_count(of.labels)
        # A method that found no cluster is beside one block of everything: both say nothing.
        blocks, pixels = self._baselines(of.image, grid, region, max(1, count))
        most, least = _salient_shares(of, shares)
        return MapAgreement(
            of.choice,
            "",
            count,
            coverage(of.labels),
            float(patches.mean()),
            agreement(of.labels, patches),
            agreement(blocks, patches),
            agreement(pixels, patches),
            most,
            least,
        )


def _baselines(
    image: Image, grid: tuple[int, int], region: Region | None, k: int
) -> tuple[Integers, Integers]:
    return spatial_blocks(grid, k), pixel_kmeans(image.pixels, grid, k, SEED, region)


def _salient_shares(of: Inspection, shares: Floats) -> tuple[float | None, float | None]:
    labels = drop_singletons(of.labels)
    order = order_by_salience(of.attention.weights, labels)
    if len(order) < 2:
        return None, None
    most, least = (float(shares[labels == each.label].mean()) for each in (order[0], order[-1]))
    return most, least


def _method(maps: Sequence[MapAgreement]) -> MethodAgreement:
    counted = [each for each in maps if each.ami is not None]
    not_accepted = sum(each.reason == NOT_ACCEPTED for each in maps)
    undefined = sum(each.ami is None and each.foreground is not None for each in maps)
    ami = _by_image(counted, lambda each: each.ami)
    first = maps[0].choice
    return MethodAgreement(
        clusterer=first.clusterer,
        selector=first.selector,
        graph=first.graph,
        extractor=first.extractor,
        image_set=first.images,
        images=len(ami),
        counted=len(counted),
        not_accepted=not_accepted,
        undefined=undefined,
        failed=len(maps) - len(counted) - not_accepted - undefined,
        n_clusters=_mean(_by_image(counted, lambda each: each.n_clusters)),
        coverage=_mean(_by_image(counted, lambda each: each.coverage)),
        ami=estimate(ami) if len(ami) else None,
        baselines=tuple(_beside(name, ami, counted) for name in BASELINES) if len(ami) else (),
        salient=_salient(counted),
    )


def _beside(name: str, ami: Floats, counted: Iterable[MapAgreement]) -> Baseline:
    reached = _by_image(counted, lambda each: getattr(each, name))
    return Baseline(name, estimate(reached), estimate(ami - reached))


def _salient(counted: Sequence[MapAgreement]) -> Salient | None:
    differences = _by_image(counted, lambda each: each.salience_contrast)
    if not len(differences):
        return None
    most = _by_image(counted, lambda each: each.most_salient)
    least = _by_image(counted, lambda each: each.least_salient)
    return Salient(len(differences), float(most.mean()), float(least.mean()), estimate(differences))


def _by_image(
    maps: Iterable[MapAgreement], figure: Callable[[MapAgreement], float | None]
) -> Floats:
    """The means over each image's maps that have the figure, (images,)."""
    found: dict[str, list[float]] = {}
    for each in maps:
        value = figure(each)
        if value is not None:
            found.setdefault(each.choice.image, []).append(value)
    return np.array([np.mean(values) for values in found.values()], dtype=np.float64)


def _mean(figures: Floats) -> float | None:
    return float(figures.mean()) if len(figures) else None
