"""The jobs of workers. The methods of plugins are called here and nowhere else."""

import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import cache, lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from harness.engine import checks
from harness.engine.cell import perturbed, profile
from harness.engine.failures import ENDS_RUN
from harness.engine.isolation import prepare
from harness.engine.messages import point_message
from harness.engine.score import labelled_again, scored
from harness.engine.selection import selected
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, InvalidResultError, RunStoppedError, reason_of
from harness.metrics.modularity import UnprunedMap
from harness.planning.content import code_digest
from harness.planning.identity import seed_of
from harness.planning.survey import MapRecord
from harness.plugin import base, draws, sources
from harness.plugin.classes import class_name, classes_of
from harness.plugin.component import Component
from harness.plugin.patches import Patches
from harness.plugin.registry import Registry
from harness.plugin.score import LabelledGraph, Score
from harness.plugin.spec import component_name
from harness.plugin.values import AttentionMap, Image, Variant
from harness.store import open_for_reading
from harness.store.maps import load_map, save_map
from harness.store.profiles import stored_profile

Header = Mapping[str, Any]
# Sends an answer with these values; its "reply" is "answer" unless given.
Send = Callable[..., None]
# Characters that are stored of the end of a traceback.
DETAIL = 8000
# Kinds of components that take part in cells.
CELL_KINDS = ("graph builder", "clusterer", "perturbation")
C = TypeVar("C")


@dataclass
class Context:
    """What a worker keeps between jobs: plugins, digests of their code, and made components.

    Also the last unpruned map, which no component gets to see: one cell after the other is of the
    same map, and to rank its weights takes as long as several levels.
    """

    registry: Registry
    codes: Mapping[str, str] = field(default_factory=dict)
    # Loads all plugins, if the registry may lack some.
    load_all: Callable[[], Registry] | None = None
    _made: dict[tuple[str, str], Component] = field(default_factory=dict)
    _unpruned: tuple[str, UnprunedMap] | None = None

    def make(self, expected: type[C], kind: str, text: str) -> C:
        """The component of a spec; its code must be that with which the run was planned."""
        if (kind, text) not in self._made:
            try:
                made = self.new(kind, text)
            except HarnessError as error:
                raise RunStoppedError(f"{kind} {text}: a worker cannot make it: {error}") from error
            found = code_digest(made)
            if self.codes.get(f"{kind} {text}", found) != found:
                raise RunStoppedError(f"{kind} {text}: {self._changed(kind, text)}")
            self._made[kind, text] = made
        component = self._made[kind, text]
        if not isinstance(component, expected):
            raise HarnessError(f"{text}: not a {expected.__name__}")
        return component

    def _changed(self, kind: str, text: str) -> str:
        if text in self.registry.objects.get(kind, {}):
            return "its module is another one now than Python has imported; reload it"
        return "its code changed during the run; the same command starts again with the new code"

    def new(self, kind: str, text: str) -> Component:
        """The component of a spec, newly made, whatever its code is."""
        is_object = text in self.registry.objects.get(kind, {})
        is_known = is_object or component_name(text) in self.registry.components[kind]
        if self.load_all and not is_known:
            self.registry, self.load_all = self.load_all(), None
        (made,) = self.registry.make(kind, text)
        return made

    def unpruned(self, digest: str, attention: AttentionMap) -> UnprunedMap:
        """The unpruned map with this digest, made anew if it is not the last one."""
        if self._unpruned is None or self._unpruned[0] != digest:
            self._unpruned = digest, UnprunedMap(attention)
        return self._unpruned[1]


def keys(context: Context, header: Header, send: Send) -> None:
    """Ask a set of images or maps for its keys, and a set of maps for the location of each.

    The answer holds what it warns of, too.
    """
    text = header["set"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if header["kind"] == "image set":
            images = context.make(sources.ImageSet, "image set", text)
            entries = [{"key": key} for key in checks.keys(images.keys(), text)]
        else:
            maps = context.make(sources.MapSet, "extractor", text)
            entries = [
                {"key": key, **checks.location(maps.locate(key), text)}
                for key in checks.keys(maps.keys(), text)
            ]
    said = (each for each in caught if each.category is UserWarning)
    send(entries=entries, warnings=checks.warnings(said))


def survey_images(context: Context, header: Header, send: Send) -> None:
    """Decode images; answers hold a digest or a reason."""
    images = context.make(sources.ImageSet, "image set", header["set"])
    classes = cache(partial(classes_of, images))

    def describe(key: str) -> dict[str, Any]:
        image = checks.kind_of(images.load(key), Image, f"{header['set']}: load()")
        size = dict(zip(("height", "width", "channels"), image.pixels.shape, strict=True))
        named = "" if image.label is None else class_name(image.label, classes())
        return {"digest": image.digest, **size, "label": image.label, "class_name": named}

    _answer_each(header, describe, send)


def survey_maps(context: Context, header: Header, send: Send) -> None:
    """Read maps and save their weights."""
    maps = context.make(sources.MapSet, "extractor", header["set"])

    def describe(key: str) -> dict[str, Any]:
        attention = checks.kind_of(maps.load(key), AttentionMap, f"{header['set']}: load()")
        sums = attention.weights.sum(axis=1, dtype=np.float64)
        return {
            "image": attention.image,
            **vars(attention.head_index),
            "truth": None if attention.truth is None else attention.truth.tolist(),
            "row_sums": [float(sums.min()), float(sums.max())],
            **save_map(attention, Path(header["folder"])).to_message(),
        }

    _answer_each(header, describe, send)


def _answer_each(header: Header, describe: Callable[[Any], dict[str, Any]], send: Send) -> None:
    """Answer the questions in their order, with a reason where that fails."""
    for question in header["questions"]:
        try:
            answer = describe(question)
        except ENDS_RUN:
            raise
        except Exception as error:
            answer = {"reason": reason_of(error)}
        send(**answer)


def survey_extractor(context: Context, header: Header, send: Send) -> None:
    """Ask an extractor for its heads, the digest of its weights, and caveats on image sets."""
    text = header["extractor"]
    extractor = context.make(sources.Extractor, "extractor", text)
    heads = [astuple(each) for each in checks.head_indices(extractor.head_indices(), text)]
    fingerprint = extractor.fingerprint()
    if not isinstance(fingerprint, str):
        raise HarnessError(f"{text}: fingerprint() returned {fingerprint!r}, which is not a string")
    sets = [context.make(sources.ImageSet, "image set", each) for each in header["images"]]
    caveats = [caveat for images in sets if (caveat := extractor.caveat(images))]
    send(heads=heads, fingerprint=fingerprint, caveats=caveats)


def survey_clusterer(context: Context, header: Header, send: Send) -> None:
    """Ask a clusterer for its caveat."""
    send(caveat=str(context.make(base.Clusterer, "clusterer", header["clusterer"]).caveat()))


def extract(context: Context, header: Header, send: Send) -> None:
    """Extract attention maps from images, and from images that controls draw.

    Each item is {"image", "control", "draw", "seed"}, control "" for the image itself. An item is
    "trying" while it is loaded and drawn, then "taken" by the extractor. The last reply holds what
    the extractor's own code warned of.
    """
    images = context.make(sources.ImageSet, "image set", header["images"])
    extractor = context.make(sources.Extractor, "extractor", header["extractor"])
    expected = checks.PendingMaps(header["extractor"], extractor.head_indices())
    # All draws from an image follow each other.
    patches_of = lru_cache(maxsize=1)(extractor.patches)

    def draw() -> Iterator[Image]:
        loaded: Image | None = None
        for index, item in enumerate(header["items"]):
            send("trying", item=index)
            try:
                if loaded is None or loaded.key != item["image"]:
                    loaded = replace(images.load(item["image"]), key=item["image"])
                image = _variant_of(context, patches_of, loaded, item)
            except ENDS_RUN:
                raise
            except Exception as error:
                send("refused", item=index, reason=reason_of(error))
                continue
            expected.take(image, index)
            send("taken", item=index)
            yield image

    folder = Path(header["folder"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        extracted = extractor.extract(draw())
        for returned in checks.iterator(extracted, f"{extractor.name}: extract()", "maps"):
            attention, item = expected.item_of(returned)
            saved = save_map(attention, folder).to_message()
            send("map", item=item, **vars(attention.head_index), **saved)
    # Not what its libraries warn of.
    files = {
        getattr(sys.modules.get(each.__module__), "__file__", "") for each in type(extractor).mro()
    }
    own = (each for each in caught if each.filename in files)
    send("warned", item=None, warnings=checks.warnings(own))


def _variant_of(
    context: Context,
    patches_of: Callable[[Image], Patches | None],
    image: Image,
    item: Header,
) -> Image:
    if not item["control"]:
        return image
    control = context.make(draws.ImageControl, "control", item["control"])
    if control.needs_patches:
        image = replace(image, patches=patches_of(image))
    drawn = checks.kind_of(
        control.draw(image, seed=item["seed"]), Image, f"{item['control']}: draw()"
    )
    if drawn.pixels.shape != image.pixels.shape:
        raise HarnessError(
            f"{item['control']} drew {drawn.pixels.shape} from an image of {image.pixels.shape}"
        )
    variant = Variant("control", item["control"], item["draw"])
    return Image(image.key, drawn.pixels, image.label, variant)


def draw_maps(context: Context, header: Header, send: Send) -> None:
    """Draw map controls from stored maps; each question is {"map", "control", "seed"}."""
    folder = Path(header["folder"])

    def draw(question: Header) -> dict[str, Any]:
        text = question["control"]
        control = context.make(draws.MapControl, "control", text)
        observed = load_map(folder, MapRecord.from_message("", question["map"]))
        drawn = checks.drawn(control.draw(observed, seed=question["seed"]), observed, text)
        return save_map(drawn, folder).to_message()

    _answer_each(header, draw, send)


def cell(context: Context, header: Header, send: Send) -> None:
    """Compute one cell, a perturbed one at the level whose index is "point"; sends each point."""
    attention = _map_of(header, header["folder"])
    builder = context.make(base.GraphBuilder, "graph builder", header["graph"])
    clusterer = context.make(base.Clusterer, "clusterer", header["clusterer"])
    sweep = {name: header[name] for name in ("n_levels", "seed", "resolution")}
    if header["point"] is None:
        unpruned = context.unpruned(header["map"]["digest"], attention)
        points = profile(
            attention, builder, clusterer, rescore=header["rescore"], unpruned=unpruned, **sweep
        )
    else:
        # Of the map, not of the method: every method sees the same perturbed maps.
        of_map = header["run_seed"], header["map"]["digest"], component_name(attention.variant.name)
        points = perturbed(
            attention,
            context.make(draws.Perturbation, "perturbation", attention.variant.name),
            builder,
            clusterer,
            point=header["point"],
            n_draws=header["n_draws"],
            perturbation_seed=seed_of(*of_map),
            **sweep,
        )
    for point in points:
        send("point", **point_message(point))


def _map_of(described: Header, folder: str) -> AttentionMap:
    """The stored map that a cell is of."""
    record = MapRecord.from_message("", described["map"])
    identity = {name: described[name] for name in ("image", "layer", "head")}
    return load_map(Path(folder), record, variant=Variant(*described["variant"]), **identity)


def select(context: Context, header: Header, send: Send) -> None:
    """Apply selectors to the observed profiles of a group and to their nulls.

    Each question is {"cell", "selector", "pool", "untested", "own"}. `controls` holds, for each
    control, the cells of its draws by pool. A selection is made under the first control that has
    draws, and tested under all but the `untested` ones; its bias is measured on the draws whose
    indices in the pool are in `own`.
    """
    with open_for_reading(Path(header["run"])) as stored:
        profile_of = lru_cache(maxsize=None)(partial(stored_profile, stored))

        def choose(question: Header) -> dict[str, Any]:
            selector = context.make(base.Selector, "selector", question["selector"])
            nulls = {
                control: [profile_of(cell) for cell in pools.get(question["pool"], [])]
                for control, pools in header["controls"].items()
            }
            observed, untested = profile_of(question["cell"]), set(question["untested"])
            return selected(selector, observed, nulls, untested, question["own"])

        _answer_each(header, choose, send)


def score(context: Context, header: Header, send: Send) -> None:
    """Compute scores of stored labels; each question is one score of one point of a cell.

    The scores of a point follow each other, and so its graph is made once.
    """
    with open_for_reading(Path(header["run"])) as stored:
        of_last: dict[tuple[str, int], LabelledGraph] = {}

        def compute(question: Header) -> dict[str, Any]:
            made = context.make(Score, "score", question["score"])
            key = question["cell"], question["point"]
            if key not in of_last:
                of_last.clear()
                of_last[key] = labelled(*key, question)
            return {"figure": scored(made, of_last[key])}

        def labelled(cell: str, point: int, question: Header) -> LabelledGraph:
            return labelled_again(
                _map_of(question, header["folder"]),
                context.make(base.GraphBuilder, "graph builder", question["graph"]),
                stored.labels(cell)[point],
                point=point,
                modularity=float(stored_profile(stored, cell).modularity[point]),
                n_levels=header["n_levels"],
                resolution=header["resolution"],
            )

        _answer_each(header, compute, send)


def compare_code(context: Context, header: Header, send: Send) -> None:
    """Name the components of cells whose code here is not that with which the run was planned."""
    differing = []
    for name, code in context.codes.items():
        for kind in CELL_KINDS:
            if name.startswith(f"{kind} "):
                made = context.new(kind, name.removeprefix(f"{kind} "))
                differing += [name] if code_digest(made) != code else []
    send(differing=differing)


def call(context: Context, header: Header, send: Send) -> None:
    """Call a function, given by its module and name, with a component."""
    component = context.make(Component, header["kind"], header["component"])
    send(returned=getattr(import_module(header["module"]), header["function"])(component))


def call_model(context: Context, header: Header, send: Send) -> None:
    """Call a function with a component that holds a model."""
    call(context, header, send)


MODEL_JOBS = ("survey_extractor", "extract", "call_model")
_SURVEYS = keys, survey_images, survey_extractor, survey_maps, survey_clusterer
_ALL = *_SURVEYS, extract, draw_maps, cell, select, score, compare_code, call, call_model
JOBS: Mapping[str, Callable[[Context, Header, Send], None]] = {job.__name__: job for job in _ALL}


def perform(config: WorkerConfig, context: Context, header: Header, send: Send) -> None:
    """Prepare the process and do a job; raises what the job raises."""
    threads = config.extraction_threads if header["job"] in MODEL_JOBS else 1
    prepare(seed=header.get("seed", 0), threads=threads)
    with warnings.catch_warnings():
        JOBS[header["job"]](context, header, send)


def failure_of(error: BaseException, memory: int | None) -> dict[str, Any]:
    """The status, reason and detail of what `perform` raised; memory: bytes that were allowed."""
    reason = reason_of(error)
    if memory is not None and isinstance(error, MemoryError):
        reason = f"out of memory: it may take {memory / 2**30:g} GiB ({reason})"
    # The caller's own frame says nothing about the job.
    trace = error.__traceback__ and error.__traceback__.tb_next
    return {
        "status": "invalid" if isinstance(error, InvalidResultError) else "failed",
        "reason": reason,
        "detail": "".join(traceback.format_exception(type(error), error, trace))[-DETAIL:],
    }
