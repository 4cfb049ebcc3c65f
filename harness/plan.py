"""From settings and a survey of the inputs to the cells of a run, each with its key and seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.components import ImageControl, MapSet
from harness.identity import ComponentIdentity, code_digest, identify, key_of, seed_of
from harness.registry import Registry
from harness.settings import COMPONENTS, Settings
from harness.values import FIRST_SLOT, OBSERVED, Slot, Variant

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
    slots: tuple[Slot, ...]
    fingerprint: str


@dataclass(frozen=True)
class SurveyedMap:
    """A map of a map set: its digest and size, or the reason why it cannot be had."""

    map_set: str
    key: str
    image: str = ""
    slot: Slot = FIRST_SLOT
    digest: str = ""
    nodes: int = 0
    grid: tuple[int, int] | None = None
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
    slot: Slot
    variant: Variant = OBSERVED
    seed: int = 0
    drawn_from: str = ""
    observed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One map × graph builder × clusterer × repeat."""

    key: str
    map: PlannedMap
    graph: str
    clusterer: str
    repeat: int
    seed: int


@dataclass(frozen=True)
class Plan:
    """The run's maps, and its cells in the order in which they are worked through."""

    settings: Settings
    maps: tuple[PlannedMap, ...]
    graphs: tuple[ComponentIdentity, ...]
    clusterers: tuple[ComponentIdentity, ...]

    def cells(self) -> Iterator[PlannedCell]:
        """Every cell, made when it is asked for: there may be many."""
        for planned in self.maps:
            for graph in self.graphs:
                for clusterer in self.clusterers:
                    for repeat in range(self.settings.repeats):
                        yield _cell(self.settings, planned, graph, clusterer, repeat)


def make_plan(settings: Settings, survey: Survey, registry: Registry) -> Plan:
    """All maps and cells that the settings ask for on the surveyed inputs."""
    return Plan(
        settings,
        tuple(_maps(settings, survey, registry)),
        _identities(settings.graphs, "graph builder", registry),
        _identities(settings.clusterers, "clusterer", registry),
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
    texts: Sequence[str], kind: str, registry: Registry
) -> tuple[ComponentIdentity, ...]:
    return tuple(identify(component) for text in texts for component in registry.make(kind, text))


def _cell(
    settings: Settings,
    planned: PlannedMap,
    graph: ComponentIdentity,
    clusterer: ComponentIdentity,
    repeat: int,
) -> PlannedCell:
    variant = planned.variant
    # Never of level, parameters or versions: identical graphs get identical labels.
    seed = seed_of(
        settings.seed,
        planned.source,
        [planned.slot.layer, planned.slot.head],
        [variant.role, variant.name.partition("[")[0], variant.draw],
        clusterer.name,
        repeat,
    )
    key = key_of(
        planned.key,
        graph.parts,
        settings.levels,
        clusterer.parts,
        repeat,
        seed,
        settings.resolution,
        SCORING_VERSION,
    )
    return PlannedCell(key, planned, graph.text, clusterer.text, repeat, seed)


@dataclass(frozen=True)
class _Control:
    """A configured control as the plan sees it."""

    identity: ComponentIdentity
    of_images: bool


def _maps(settings: Settings, survey: Survey, registry: Registry) -> Iterator[PlannedMap]:
    controls = [
        _Control(identify(component), isinstance(component, ImageControl))
        for text in settings.controls
        for component in registry.make("control", text)
    ]
    extractors = {
        identity.text: identity
        for identity in _identities(settings.extractors, "extractor", registry)
    }
    for extractor in survey.extractors:
        parts = [*extractors[extractor.text].parts, extractor.fingerprint]
        for image in survey.images:
            for slot in extractor.slots:
                yield from _with_controls(
                    PlannedMap(
                        # An unreadable image has no digest to go by.
                        key_of(image.digest or [image.image_set, image.key], parts, *_place(slot)),
                        image.image_set,
                        image.key,
                        image.digest,
                        extractor.text,
                        slot,
                        reason=image.reason,
                    ),
                    controls,
                    settings,
                )
    for stored in survey.maps:
        yield from _with_controls(
            PlannedMap(
                key_of(
                    stored.digest or [stored.map_set, stored.key], stored.grid, *_place(stored.slot)
                ),
                "",
                stored.image or stored.key,
                stored.digest,
                stored.map_set,
                stored.slot,
                reason=stored.reason,
            ),
            [control for control in controls if not control.of_images],
            settings,
        )


def _place(slot: Slot) -> tuple[int, int]:
    return slot.layer, slot.head


def _with_controls(
    observed: PlannedMap, controls: Sequence[_Control], settings: Settings
) -> Iterator[PlannedMap]:
    yield observed
    for control in controls:
        for draw in range(settings.draws):
            # All slots of an image see the same noise image; a map control draws for each.
            place = () if control.of_images else _place(observed.slot)
            seed = seed_of(settings.seed, observed.source, control.identity.name, draw, place)
            yield PlannedMap(
                key_of(observed.key, control.identity.parts, draw, seed),
                observed.image_set,
                observed.image,
                observed.source,
                observed.extractor,
                observed.slot,
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
        component = registry.find("extractor", text.partition("[")[0]).component
        (map_sets if issubclass(component, MapSet) else extractors).append(text)
    return tuple(extractors), tuple(map_sets)
