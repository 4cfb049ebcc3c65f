"""What agreement with the objects on images is, map by map, and its means over images by method."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal, get_args

import numpy as np

from harness.analysis.method import MethodKey, flat_types, flatten, grouped
from harness.metrics.foreground import Agreement
from harness.metrics.inference import Estimate, estimate
from harness.plugin.values import Floats

BASELINES = ("spatial_blocks", "pixel_kmeans", "chance")
FIGURES = tuple(field.name for field in fields(Agreement))
Status = Literal["counted", "not accepted", "undefined", "unmatched", "failed"]


@dataclass(frozen=True)
class MapAgreement:
    """How one map's clusters agree with the objects on its image, or why they do not count.

    class_name: the class of the image, "" if it is not known; status: whether the map counts, or
    has no accepted level, patches of one label only, no usable mask, or no clusters; reason: the
    same in words, "" if it counts. n_clusters: the number of clusters of two patches or more;
    coverage, foreground: the fractions of patches that are in clusters, and that are foreground;
    n_objects: the labels of the mask besides the background. clusters: their agreement;
    spatial_blocks, pixel_kmeans: that of two baselines with as many clusters; chance: what clusters
    of the same sizes expect if their patches are random. most_salient, least_salient: the fraction
    of foreground in the area of the most and of the least salient cluster, None if there are fewer
    than two clusters.
    """

    method: MethodKey
    image: str
    class_name: str
    layer: int
    head: int
    repeat: int
    candidate: int | None
    accepted: bool
    status: Status
    reason: str = ""
    n_clusters: int | None = None
    coverage: float | None = None
    foreground: float | None = None
    n_objects: int | None = None
    clusters: Agreement | None = None
    spatial_blocks: Agreement | None = None
    pixel_kmeans: Agreement | None = None
    chance: Agreement | None = None
    most_salient: float | None = None
    least_salient: float | None = None

    @property
    def salience_contrast(self) -> float | None:
        """How much more foreground the most salient cluster has than the least salient one."""
        if self.most_salient is None or self.least_salient is None:
            return None
        return self.most_salient - self.least_salient

    def row(self) -> dict[str, Any]:
        """All values by name: the clusters' figures by their own, a baseline's after its name."""
        row = flatten(self)
        for partition in ("clusters", *BASELINES):
            figures = row.pop(partition) or dict.fromkeys(FIGURES)
            before = "" if partition == "clusters" else f"{partition}_"
            row |= {f"{before}{name}": value for name, value in figures.items()}
        return row


def _map_types() -> dict[str, Any]:
    types = flat_types(MapAgreement) | {"status": str}
    partitions = {name: types.pop(name) for name in ("clusters", *BASELINES)}
    before = ["" if name == "clusters" else f"{name}_" for name in partitions]
    return types | {f"{each}{name}": float for each in before for name in FIGURES}


# The type of each value of `MapAgreement.row`, by name.
MAP_TYPES = _map_types()


@dataclass(frozen=True)
class Baseline:
    """A baseline's mean, and the paired difference: the clusters' figure minus the baseline's."""

    name: str
    mean: Estimate
    difference: Estimate


@dataclass(frozen=True)
class FigureAgreement:
    """One figure of a method's clusters, over the images that have it, beside the baselines'."""

    name: str
    images: int
    mean: Estimate
    baselines: tuple[Baseline, ...]


@dataclass(frozen=True)
class SalienceAgreement:
    """Mean foreground fractions of the most and the least salient cluster, and their difference."""

    images: int
    most: float
    least: float
    difference: Estimate


@dataclass(frozen=True)
class MethodAgreement:
    """How a method's clusters agree with the objects: means over images.

    An image counts with the mean over those of its maps that count. images: the number of images
    with such a map; counted, not_accepted, undefined, unmatched, failed: the numbers of maps by
    their status. n_clusters and coverage are None and figures is empty if no map counts; salient is
    None if no image has two clusters.
    """

    method: MethodKey
    images: int
    counted: int
    not_accepted: int
    undefined: int
    unmatched: int
    failed: int
    n_clusters: float | None
    coverage: float | None
    figures: tuple[FigureAgreement, ...]
    salient: SalienceAgreement | None

    def figure(self, name: str) -> FigureAgreement | None:
        """A figure of `harness.metrics.foreground.Agreement` by name; None if no image has it."""
        return next((each for each in self.figures if each.name == name), None)


def method_agreement(method: MethodKey, maps: Sequence[MapAgreement]) -> MethodAgreement:
    """The means of a method over its maps."""
    by_status = grouped(maps, lambda each: each.status)
    count = {status: len(by_status.get(status, ())) for status in get_args(Status)}
    counted = by_status.get("counted", [])
    return MethodAgreement(
        method,
        images=len({each.image for each in counted}),
        counted=len(counted),
        not_accepted=count["not accepted"],
        undefined=count["undefined"],
        unmatched=count["unmatched"],
        failed=count["failed"],
        n_clusters=float(_by_image(counted, "n_clusters").mean()) if counted else None,
        coverage=float(_by_image(counted, "coverage").mean()) if counted else None,
        figures=tuple(_figures(counted)),
        salient=_salience_agreement(counted),
    )


def _figures(counted: Sequence[MapAgreement]) -> Iterator[FigureAgreement]:
    for name in FIGURES:
        reached = _by_image(counted, f"clusters.{name}")
        if not len(reached):
            continue
        # Whether a figure is defined depends on the mask, so these are of the same images.
        others = {each: _by_image(counted, f"{each}.{name}") for each in BASELINES}
        baselines = (
            Baseline(each, estimate(other), estimate(reached - other))
            for each, other in others.items()
        )
        yield FigureAgreement(name, len(reached), estimate(reached), tuple(baselines))


def _salience_agreement(counted: Sequence[MapAgreement]) -> SalienceAgreement | None:
    names = ("most_salient", "least_salient", "salience_contrast")
    most, least, difference = (_by_image(counted, name) for name in names)
    if not len(difference):
        return None
    means = float(most.mean()), float(least.mean())
    return SalienceAgreement(len(difference), *means, estimate(difference))


def _by_image(maps: Sequence[MapAgreement], name: str) -> Floats:
    """Each image's mean of a figure over its maps that have it, (images,); a.b is b of a."""
    value_of = attrgetter(name)
    images = grouped(maps, lambda each: each.image).values()
    values = [[value for one in of if (value := value_of(one)) is not None] for of in images]
    return np.array([np.mean(each) for each in values if each], dtype=np.float64)
