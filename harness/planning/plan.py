"""From settings and a survey of the inputs to the cells of a run, each with its key and seed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from harness.planning.content import code_digest
from harness.planning.identity import ComponentIdentity, identify, key_of, seed_of
from harness.planning.settings import COMPONENTS, Settings
from harness.planning.survey import Survey, SurveyedExtractor, SurveyedImage, SurveyedMap
from harness.plugin.registry import Registry
from harness.plugin.sources import MapSet
from harness.plugin.spec import component_name
from harness.plugin.values import OBSERVED, HeadIndex, Variant

# The most draws of a control that a selection is tested against, unless --nulls asks for more: they
# allow p = .005, and each costs a selection for every image.
MOST_NULLS = 199
# Raise when the same labels would get other scores: stored cells are then computed anew.
SCORING_VERSION = 3


@dataclass(frozen=True, slots=True)
class PlannedMap:
    """One attention map of the run, and where it comes from.

    image_set: "" for stored maps. source: digest of the image or stored map. seed: of a control.
    drawn_from: key of the observed map that a map control alters. observed: key of the map that
    a control is compared with. nodes: of a stored map, 0 if not known before extraction. reason:
    why the input cannot be loaded.
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
    nodes: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One map × graph builder × clusterer × repeat.

    It has all levels; if the variant is a perturbation, it has all draws of it at one level,
    whose index is `point`. parts: what its key depends on besides its map and seed.
    """

    key: str
    map: PlannedMap
    graph: str
    clusterer: str
    repeat: int
    seed: int
    point: int | None = None
    parts: Sequence[Any] = field(default=(), compare=False)

    @property
    def components(self) -> tuple[str, ...]:
        """The specs of all components that it depends on."""
        planned = self.map
        source = planned.image_set, planned.extractor, planned.variant.name
        return *source, self.graph, self.clusterer


@dataclass(frozen=True)
class Plan:
    """The run's maps, and its cells in the order in which they are computed."""

    settings: Settings
    maps: tuple[PlannedMap, ...]
    graphs: tuple[ComponentIdentity, ...]
    clusterers: tuple[ComponentIdentity, ...]
    perturbations: tuple[ComponentIdentity, ...]

    def cells(self) -> Iterator[PlannedCell]:
        """Generate every cell that gives a profile; there may be too many to hold."""
        return self._cells(self.maps)

    def distinct_cells(self) -> Iterator[PlannedCell]:
        """Generate every such cell once; images of equal pixels share their cells."""
        return self._cells({planned.key: planned for planned in self.maps}.values())

    def perturbed_cells(self, selected: Mapping[str, Sequence[int]]) -> Iterator[PlannedCell]:
        """Generate the cells that measure stability: each perturbation at each selected level.

        selected: indices of levels by the key of the observed cell.
        """
        for cell in self.cells():
            if cell.map.variant == OBSERVED:
                for point, perturbation in product(selected.get(cell.key, ()), self.perturbations):
                    yield self._perturbed(cell, point, perturbation)

    def perturbable(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Count the perturbed cells of one selector at most, by graph builder and clusterer."""
        observed = len({planned.key for planned in self.maps if planned.variant == OBSERVED})
        count = observed * self.settings.repeats * len(self.perturbations)
        for graph, clusterer in product(self.graphs, self.clusterers):
            yield (graph.spec, clusterer.spec), count

    def _cells(self, maps: Iterable[PlannedMap]) -> Iterator[PlannedCell]:
        settings, repeats = self.settings, range(self.settings.repeats)
        scoring = [settings.resolution, settings.rescore, SCORING_VERSION]
        methods = self.graphs, self.clusterers, repeats
        for planned, graph, clusterer, repeat in product(maps, *methods):
            parts = [graph.parts, settings.levels, clusterer.parts, repeat, *scoring]
            seed = self._seed(planned, clusterer.name, repeat)
            key = key_of(planned.key, seed, *parts)
            yield PlannedCell(key, planned, graph.spec, clusterer.spec, repeat, seed, None, parts)

    def _seed(self, planned: PlannedMap, clusterer: str, repeat: int) -> int:
        # Independent of level, parameters and versions: identical graphs get identical labels.
        variant = planned.variant
        return seed_of(
            self.settings.seed,
            planned.source,
            _numbers(planned.head_index),
            [variant.role, component_name(variant.name), variant.draw],
            clusterer,
            repeat,
        )

    def _perturbed(
        self, cell: PlannedCell, point: int, perturbation: ComponentIdentity
    ) -> PlannedCell:
        variant = Variant("perturbation", perturbation.spec)
        planned = replace(cell.map, variant=variant, observed=cell.map.key)
        seed = self._seed(planned, component_name(cell.clusterer), cell.repeat)
        draws = self.settings.stability_draws
        key = key_of(cell.map.key, seed, *cell.parts, point, perturbation.parts, draws)
        return replace(cell, key=key, map=planned, seed=seed, point=point)


def make_plan(
    settings: Settings, survey: Survey, registry: Registry, codes: Mapping[str, str]
) -> Plan:
    """Plan all maps and cells that the settings ask for on the surveyed inputs.

    codes: of `expected_code` before the survey, as code may have been edited in the meantime.
    """

    def identities(setting: str) -> tuple[ComponentIdentity, ...]:
        kind = COMPONENTS[setting]
        return tuple(
            identify(component, codes[f"{kind} {spec}"])
            for spec in getattr(settings, setting)
            for component in registry.make(kind, spec)
        )

    extractors = {each.spec: each for each in identities("extractors")}
    return Plan(
        settings,
        tuple(_maps(settings, survey, extractors, identities("controls"))),
        identities("graphs"),
        identities("clusterers"),
        identities("perturbations"),
    )


def expected_code(settings: Settings, registry: Registry) -> dict[str, str]:
    """Return the digest of every component's code, by kind and spec: "clusterer louvain"."""
    return {
        f"{kind} {spec}": code_digest(component)
        for setting, kind in COMPONENTS.items()
        for spec in getattr(settings, setting)
        for component in registry.make(kind, spec)
    }


def _maps(
    settings: Settings,
    survey: Survey,
    extractors: Mapping[str, ComponentIdentity],
    controls: Sequence[ComponentIdentity],
) -> Iterator[PlannedMap]:
    """The observed maps of each extractor, followed by their controls; stored maps likewise.

    A method that fails on a map is then known before the map's controls are clustered.
    """
    readable = _draws((image.digest for image in survey.images if not image.reason), settings)
    for extractor in survey.extractors:
        # Once it can be used, its maps are others.
        weights = None if extractor.reason else extractor.fingerprint
        parts = [*extractors[extractor.spec].parts, weights]
        extracted = [
            _extracted(image, extractor, parts, head_index)
            for image, head_index in product(survey.images, extractor.head_indices)
        ]
        yield from extracted
        for each in () if extractor.reason else extracted:
            yield from _controls(each, controls, settings, readable[each.source])
    of_maps = [control for control in controls if not control.of_images]
    groups: defaultdict[tuple[str, HeadIndex, int], list[str]] = defaultdict(list)
    for found in survey.maps:
        if not found.record.reason:
            groups[_group(found)].append(found.record.digest)
    counts = {group: _draws(digests, settings) for group, digests in groups.items()}
    stored = [_stored(found) for found in survey.maps]
    yield from stored
    for found, each in zip(survey.maps, stored, strict=True):
        if not each.reason:
            of_group = counts[_group(found)]
            yield from _controls(each, of_maps, settings, of_group[each.source])


def _extracted(
    image: SurveyedImage, extractor: SurveyedExtractor, parts: Sequence[Any], head_index: HeadIndex
) -> PlannedMap:
    # An image that cannot be loaded has no digest.
    identity = image.digest or [image.image_set, image.key]
    key = key_of(identity, parts, *_numbers(head_index))
    place = image.image_set, image.key, image.digest, extractor.spec, head_index
    return PlannedMap(key, *place, reason=extractor.reason or image.reason)


def _stored(found: SurveyedMap) -> PlannedMap:
    record = found.record
    identity = record.digest or [found.map_set, record.key]
    # Equal weights elsewhere on an image are another map.
    key = key_of(identity, record.grid, record.region, *_numbers(found.head_index))
    place = "", found.image or record.key, record.digest, found.map_set, found.head_index
    return PlannedMap(key, *place, nodes=record.nodes, reason=record.reason)


def _numbers(index: HeadIndex) -> tuple[int, int]:
    return index.layer, index.head


def _group(found: SurveyedMap) -> tuple[str, HeadIndex, int]:
    """Stored maps of one group are tested against each other's nulls."""
    return found.map_set, found.head_index, found.record.nodes


def _draws(digests: Iterable[str], settings: Settings) -> Counter[str]:
    """How often each control is drawn from each image or map of a group, by digest.

    Equally often, so that the group has as many draws as the settings ask for, unless these are
    more than selections are tested against: then some, in an order that the seed determines, get
    one more than the others.
    """
    found = list(dict.fromkeys(digests))
    if settings.pooling == "image":
        return Counter(dict.fromkeys(found, settings.nulls))
    most = max(settings.nulls, MOST_NULLS)
    each = -(-settings.nulls // max(len(found), 1))
    if len(found) * each <= most:
        return Counter(dict.fromkeys(found, each))
    some = sorted(found, key=lambda digest: seed_of(settings.seed, digest, "draws"))
    fewest, more = divmod(most, len(found))
    return Counter({digest: fewest + (place < more) for place, digest in enumerate(some)})


def _controls(
    observed: PlannedMap,
    controls: Sequence[ComponentIdentity],
    settings: Settings,
    draws: int,
) -> Iterator[PlannedMap]:
    """So many draws of each control of a map."""
    for control, draw in product(controls, range(draws)):
        # All heads of an image see the same noise image; a map control draws for each head.
        head = () if control.of_images else _numbers(observed.head_index)
        seed = seed_of(settings.seed, observed.source, control.name, draw, head)
        yield replace(
            observed,
            key=key_of(observed.key, control.parts, draw, seed),
            variant=Variant("control", control.spec, draw),
            seed=seed,
            drawn_from="" if control.of_images else observed.key,
            observed=observed.key,
        )


def split_extractors(
    settings: Settings, registry: Registry
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the specs of the settings' extractors of images, and those of its map sets."""
    stored = [
        spec
        for spec in settings.extractors
        if issubclass(registry.find("extractor", component_name(spec)), MapSet)
    ]
    return tuple(spec for spec in settings.extractors if spec not in stored), tuple(stored)
