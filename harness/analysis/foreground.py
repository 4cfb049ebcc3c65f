"""Agreement of the clusters that a run found with the objects on its images, beside baselines.

Joins the selected clusters with the images that their maps come from, and with the masks of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.agreement import MapAgreement, MethodAgreement, method_agreement
from harness.analysis.inputs import RunInputs, attention_of
from harness.analysis.masks import Foreground, Masks, UnusableMaskError
from harness.analysis.method import grouped
from harness.analysis.outcomes import Outcome, outcomes
from harness.errors import HarnessError
from harness.metrics.baselines import PatchPixels, spatial_blocks
from harness.metrics.foreground import BACKGROUND, Objects, agreement, chance_agreement
from harness.metrics.partition import cluster_count, coverage, drop_singletons
from harness.metrics.salience import order_by_salience
from harness.planning.progress import SILENT, Progress
from harness.planning.survey import MapRecord
from harness.plugin.patches import Region
from harness.plugin.registry import Registry
from harness.plugin.values import Floats, Image, Integers
from harness.store import Store

# Seed of pixel k-means.
SEED = 0
NOT_ACCEPTED = "no level was accepted"
# Names that a message shows of each kind.
SHOWN = 3


@dataclass(frozen=True)
class Excluded:
    """Images or masks that do not match or cannot be used, all for one reason, by name."""

    what: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.names) - SHOWN
        listed = ", ".join(self.names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"{self.what} ({len(self.names)}): {listed}"


@dataclass(frozen=True)
class ForegroundAgreement:
    """The agreement of all methods of a run with the objects on its images.

    foreground: what defines it; candidates: whether levels that were not accepted count.
    """

    foreground: str
    candidates: bool
    excluded: tuple[Excluded, ...]
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
    """How the clusters of every method agree with the objects on the images.

    Only accepted levels count, or with `candidates` all selected levels. Images without a usable
    mask do not count, and are listed. Raises HarnessError if no image has one, if an image
    cannot be loaded or differs from that of the run, or if the run has no attention maps.
    """
    store.check_maps()
    measurement = _Measurement(store, registry, foreground, candidates)
    found = outcomes(store)
    # Maps of one image follow each other, so that what they share is computed once.
    by_image = sorted(
        range(len(found)), key=lambda at: (found[at].method.image_set, found[at].image)
    )
    measured = {at: measurement.of(found[at]) for at in progress.track("measuring maps", by_image)}
    maps = tuple(measured[at] for at in range(len(found)))
    if isinstance(foreground, Masks):
        for name in foreground.without_image({each.image for each in maps}):
            measurement.exclude("masks without an image", name)
    excluded = measurement.excluded()
    if excluded and all(each.status in ("unmatched", "failed") for each in maps):
        why = "; ".join(map(str, excluded))
        raise HarnessError(
            f"{foreground}: no image of the run has a mask that can be used: {why}; a mask is "
            "named like its image: KEY.png"
        )
    methods = grouped(maps, lambda each: each.method)
    means = tuple(method_agreement(method, of_method) for method, of_method in methods.items())
    return ForegroundAgreement(str(foreground), candidates, excluded, means, maps)


class _Measurement:
    """Measures selected clusters; caches what the maps of the last image share."""

    def __init__(
        self, store: Store, registry: Registry, foreground: Foreground, candidates: bool
    ) -> None:
        self._store = store
        self._inputs = RunInputs(store, registry)
        self._candidates = candidates
        self._excluded: dict[str, dict[str, None]] = {}
        self._objects = lru_cache(maxsize=8)(
            lambda image, grid, region: Objects.on(foreground.mask(image), grid, region)
        )
        self._pixels = lru_cache(maxsize=8)(
            lambda image, grid, region: PatchPixels.on(image.pixels, grid, region)
        )
        self._baselines = lru_cache(self._baselines_of)
        # Several selectors may select one level.
        self._figures = lru_cache(maxsize=8)(self._figures_at)

    def exclude(self, what: str, name: str) -> None:
        """Remember an image or a mask that is not used."""
        self._excluded.setdefault(what, {})[name] = None

    def excluded(self) -> tuple[Excluded, ...]:
        """What is not used, and why."""
        return tuple(Excluded(what, tuple(names)) for what, names in self._excluded.items())

    def of(self, found: Outcome) -> MapAgreement:
        """How an outcome's clusters agree with the objects, or why they do not count."""
        name = self._inputs.class_name(found.method.image_set, found.image)
        observation = found.method, found.image, name, found.layer, found.head, found.repeat
        measured = self._measured(found)
        return MapAgreement(*observation, found.candidate, found.accepted, **measured)

    def _measured(self, found: Outcome) -> dict[str, Any]:
        """The fields of a `MapAgreement` from its status on."""
        if found.reason:
            return {"status": "failed", "reason": found.reason}
        image, record = self._image(found), self._record(found)
        try:
            objects: Objects = self._objects(image, record.grid, record.region)
        except UnusableMaskError as error:
            self.exclude(error.fault, error.name)
            return {"status": "unmatched", "reason": str(error)}
        about = {
            "foreground": float(np.mean(objects.patches != BACKGROUND)),
            "n_objects": int(np.count_nonzero(objects.values != BACKGROUND)),
        }
        if reason := objects.why_undefined():
            self.exclude(f"images in which {reason}", found.image)
            return {"status": "undefined", "reason": reason, **about}
        if not (found.accepted or self._candidates):
            return {"status": "not accepted", "reason": NOT_ACCEPTED, **about}
        figures = self._figures(found.cell, found.candidate, image, objects, record)
        return {"status": "counted", **about, **figures}

    def _image(self, found: Outcome) -> Image:
        method = found.method
        if not method.image_set:
            raise HarnessError(
                f"{found.image}: its map comes from {method.extractor}, not an image"
            )
        return self._inputs.image(method.image_set, found.image)

    def _record(self, found: Outcome) -> MapRecord:
        record = self._store.map(found.map)
        assert record is not None
        if record.grid is None:
            raise HarnessError(f"{found.image}: {found.method.extractor} gives no grid of patches")
        return record

    def _figures_at(
        self, cell: str, candidate: int | None, image: Image, objects: Objects, record: MapRecord
    ) -> Mapping[str, Any]:
        weights = attention_of(self._store, record.key, image.key).weights
        # Without one there is a reason.
        assert candidate is not None
        labels = self._store.labels_at(cell, candidate)
        count = cluster_count(labels)
        # A method without clusters is compared with one block of all patches: both say nothing.
        baselines = self._baselines(image, objects.grid, record.region, max(1, count))
        return {
            "n_clusters": count,
            "coverage": coverage(labels),
            "clusters": agreement(labels, objects, weights),
            **{name: agreement(each, objects, weights) for name, each in baselines.items()},
            "chance": chance_agreement(labels, objects, weights),
            **_salient_fractions(weights, labels, objects.foreground),
        }

    def _baselines_of(
        self, image: Image, grid: tuple[int, int], region: Region | None, k: int
    ) -> Mapping[str, Integers]:
        return {
            "spatial_blocks": spatial_blocks(grid, k),
            "pixel_kmeans": self._pixels(image, grid, region).kmeans(k, SEED),
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
