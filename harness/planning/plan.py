"""From settings and a survey of the inputs to the cells of a run, each with its key and seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.planning.identity import ComponentIdentity, code_digest, identify, key_of, seed_of
from harness.planning.settings import COMPONENTS, Settings
from harness.plugin.base import ImageControl, MapSet
from harness.plugin.patches import Region
from harness.plugin.registry import Registry
from harness.plugin.spec import component_name
from harness.plugin.values import FIRST_HEAD, OBSERVED, HeadIndex, Variant

# Raise when the same labels would get other scores: stored cells are then computed anew.
SCORING_VERSION = 1


@dataclass(frozen=True)
class SurveyedImage:
    """An image of a set: its digest and size, or the reason why it cannot be had."""

    image_set: str
    key: str
    digest: str = ""
    height: int = 0
    width: int = 0
    channels: int = 0
    label: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class SurveyedExtractor:
    """What an extractor will give for each image, and the digest of its weights."""

    text: str
    head_indices: tuple[HeadIndex, ...]
    fingerprint: str


@dataclass(frozen=True)
class SurveyedMap:
    """A map of a map set: digest, size, true communities and region, or why it cannot be had."""

    map_set: str
    key: str
    image: str = ""
    head_index: HeadIndex = FIRST_HEAD
    digest: str = ""
    nodes: int = 0
    grid: tuple[int, int] | None = None
    truth: tuple[int, ...] | None = None
    region: Region | None = None
    reason: str = ""


@dataclass(frozen=True)
class Survey:
    """All that a plan needs to know of the inputs."""

    images: tuple[SurveyedImage, ...]
    extractors: tuple[SurveyedExtractor, ...]
    maps: tuple[SurveyedMap, ...]


@dataclass(frozen=True, slots=True)
class PlannedMap:
    """One attention map of the run, and where it comes from.

    `source` is the digest of the image or stored map behind it, `image_set` is "" for a map
    set's maps, `drawn_from` the key of the observed map that a map control alters, `observed` the
    key of the map that a control is compared with, `seed` the control's. `reason` says why the
    input cannot be had.
    """

    key: str
    image_set: str
    image: str
    source: str
    extractor: str
    head_index: HeadIndex
    variant: Variant = OBSERVED
    seed: int = 0
    drawn_from: str = ""
    observed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One map × graph builder × clusterer × repeat.

    At all levels, or, where the variant is a perturbation, at the level of the index `point`
    for each of the perturbation's draws.
    """

    key: str
    map: PlannedMap
    graph: str
    clusterer: str
    repeat: int
    seed: int
    point: int | None = None

    @property
    def components(self) -> tuple[str, ...]:
        """The spellings of all that has a part in it."""
        planned = self.map
        source = planned.image_set, planned.extractor, planned.variant.name
        return *source, self.graph, self.clusterer


@dataclass(frozen=True)
class Plan:
    """The run's maps, and its cells in the order in which they are worked through."""

    settings: Settings
    maps: tuple[PlannedMap, ...]
    graphs: tuple[ComponentIdentity, ...]
    clusterers: tuple[ComponentIdentity, ...]
    perturbations: tuple[ComponentIdentity, ...]

    def cells(self) -> Iterator[PlannedCell]:
        """Every cell that gives a profile, made when it is asked for: there may be many."""
        return (cell for cell, _ in self._with_parts(self.maps))

    def distinct_cells(self) -> Iterator[PlannedCell]:
        """Every such cell once: images of equal pixels share theirs."""
        maps = {planned.key: planned for planned in self.maps}
        return (cell for cell, _ in self._with_parts(maps.values()))

    def perturbed_cells(self, chosen: Mapping[str, Sequence[int]]) -> Iterator[PlannedCell]:
        """The cells that tell how stable selections are, every perturbation at every level chosen.

        `chosen`: indices of levels by the key of the observed cell.
        """
        for cell, parts in self._with_parts(self.maps):
            if cell.map.variant == OBSERVED:
                for point in chosen.get(cell.key, ()):
                    for perturbation in self.perturbations:
                        yield self._perturbed(cell, parts, point, perturbation)

    def perturbable(self) -> Iterator[tuple[tuple[str, str], int]]:
        """By graph and clusterer how many cells `perturbed_cells` gives at most for a selector."""
        observed = len({planned.key for planned in self.maps if planned.variant == OBSERVED})
        for graph in self.graphs:
            for clusterer in self.clusterers:
                count = observed * self.settings.repeats * len(self.perturbations)
                yield (graph.text, clusterer.text), count

    def _with_parts(self, maps: Iterable[PlannedMap]) -> Iterator[tuple[PlannedCell, "_Parts"]]:
        for planned in maps:
            for graph in self.graphs:
                for clusterer in self.clusterers:
                    for repeat in range(self.settings.repeats):
                        yield self._cell(planned, graph, clusterer, repeat)

    def _cell(
        self,
        planned: PlannedMap,
        graph: ComponentIdentity,
        clusterer: ComponentIdentity,
        repeat: int,
    ) -> tuple[PlannedCell, "_Parts"]:
        settings = self.settings
        scoring = [settings.resolution, settings.rescore, SCORING_VERSION]
        parts = [graph.parts, settings.levels, clusterer.parts, repeat, *scoring]
        seed = self._seed(planned, clusterer.name, repeat)
        key = key_of(planned.key, seed, *parts)
        return PlannedCell(key, planned, graph.text, clusterer.text, repeat, seed), parts

    def _seed(self, planned: PlannedMap, clusterer: str, repeat: int) -> int:
        # Never of level, parameters or versions: identical graphs get identical labels.
        variant = planned.variant
        return seed_of(
            self.settings.seed,
            planned.source,
            [planned.head_index.layer, planned.head_index.head],
            [variant.role, component_name(variant.name), variant.draw],
            clusterer,
            repeat,
        )

    def _perturbed(
        self,
        cell: PlannedCell,
        parts: "_Parts",
        point: int,
        perturbation: ComponentIdentity,
    ) -> PlannedCell:
        variant = Variant("perturbation", perturbation.text)
        planned = replace(cell.map, variant=variant, observed=cell.map.key)
        seed = self._seed(planned, component_name(cell.clusterer), cell.repeat)
        draws = self.settings.stability_draws
        key = key_of(cell.map.key, seed, *parts, point, perturbation.parts, draws)
        return PlannedCell(key, planned, cell.graph, cell.clusterer, cell.repeat, seed, point)


# What goes into the key of a cell beside its map and seed.
_Parts = list[Any]


def make_plan(
    settings: Settings, survey: Survey, registry: Registry, codes: Mapping[str, str]
) -> Plan:
    """All maps and cells that the settings ask for on the surveyed inputs.

    codes: what `expected_code` said before the survey. Code is never digested a second time:
    what was edited meanwhile must not lend its key to what the old code makes.
    """
    return Plan(
        settings,
        tuple(_maps(settings, survey, registry, codes)),
        _identities(settings.graphs, "graph builder", registry, codes),
        _identities(settings.clusterers, "clusterer", registry, codes),
        _identities(settings.perturbations, "perturbation", registry, codes),
    )


def expected_code(settings: Settings, registry: Registry) -> dict[str, str]:
    """The digest of every component's code, by kind and spelling: "clusterer louvain"."""
    return {
        f"{kind} {text}": code_digest(type(component))
        for setting, kind in COMPONENTS.items()
        for text in getattr(settings, setting)
        for component in registry.make(kind, text)
    }


def _identities(
    texts: Sequence[str], kind: str, registry: Registry, codes: Mapping[str, str]
) -> tuple[ComponentIdentity, ...]:
    return tuple(
        identify(component, codes[f"{kind} {text}"])
        for text in texts
        for component in registry.make(kind, text)
    )


@dataclass(frozen=True)
class _Control:
    """A configured control as the plan sees it."""

    identity: ComponentIdentity
    of_images: bool


def _maps(
    settings: Settings, survey: Survey, registry: Registry, codes: Mapping[str, str]
) -> Iterator[PlannedMap]:
    controls = [
        _Control(identify(component, codes[f"control {text}"]), isinstance(component, ImageControl))
        for text in settings.controls
        for component in registry.make("control", text)
    ]
    extractors = {
        identity.text: identity
        for identity in _identities(settings.extractors, "extractor", registry, codes)
    }
    readable = len({image.digest for image in survey.images if not image.reason})
    for extractor in survey.extractors:
        parts = [*extractors[extractor.text].parts, extractor.fingerprint]
        for image in survey.images:
            for head_index in extractor.head_indices:
                yield from _with_controls(
                    PlannedMap(
                        # An unreadable image has no digest to go by.
                        key_of(
                            image.digest or [image.image_set, image.key], parts, *_place(head_index)
                        ),
                        image.image_set,
                        image.key,
                        image.digest,
                        extractor.text,
                        head_index,
                        reason=image.reason,
                    ),
                    controls,
                    settings,
                    readable,
                )
    stored_maps = Counter(
        (stored.map_set, stored.head_index, stored.nodes)
        for stored in survey.maps
        if not stored.reason
    )
    for stored in survey.maps:
        yield from _with_controls(
            PlannedMap(
                key_of(
                    stored.digest or [stored.map_set, stored.key],
                    stored.grid,
                    # Equal weights elsewhere on an image are another map.
                    stored.region,
                    *_place(stored.head_index),
                ),
                "",
                stored.image or stored.key,
                stored.digest,
                stored.map_set,
                stored.head_index,
                reason=stored.reason,
            ),
            [control for control in controls if not control.of_images],
            settings,
            stored_maps[stored.map_set, stored.head_index, stored.nodes],
        )


def _place(head_index: HeadIndex) -> tuple[int, int]:
    return head_index.layer, head_index.head


def _with_controls(
    observed: PlannedMap, controls: Sequence[_Control], settings: Settings, maps: int
) -> Iterator[PlannedMap]:
    """A map and its controls, of which a group of so many maps has enough together."""
    yield observed
    draws = settings.nulls if settings.pooling == "image" else -(-settings.nulls // max(maps, 1))
    for control in controls:
        for draw in range(draws):
            # All heads of an image see the same noise image; a map control draws for each.
            place = () if control.of_images else _place(observed.head_index)
            seed = seed_of(settings.seed, observed.source, control.identity.name, draw, place)
            yield PlannedMap(
                key_of(observed.key, control.identity.parts, draw, seed),
                observed.image_set,
                observed.image,
                observed.source,
                observed.extractor,
                observed.head_index,
                Variant("control", control.identity.text, draw),
                seed,
                "" if control.of_images else observed.key,
                observed.key,
                observed.reason,
            )


def split_extractors(
    settings: Settings, registry: Registry
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The settings' extractors of images, and its map sets."""
    extractors: list[str] = []
    map_sets: list[str] = []
    for text in settings.extractors:
        component = registry.find("extractor", component_name(text)).component
        (map_sets if issubclass(component, MapSet) else extractors).append(text)
    return tuple(extractors), tuple(map_sets)
