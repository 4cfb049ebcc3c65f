"""The jobs of workers. The methods of plugins are called here and nowhere else."""

import bdb
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from harness.engine import checks
from harness.engine.cell import perturbed, profile
from harness.engine.isolation import ProcessState
from harness.engine.messages import Message, point_message
from harness.engine.selection import selected
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, InvalidResultError, RunStoppedError
from harness.planning.identity import code_digest, seed_of
from harness.planning.survey import MapRecord
from harness.plugin.base import (
    Clusterer,
    Component,
    Extractor,
    GraphBuilder,
    ImageControl,
    ImageSet,
    MapControl,
    MapSet,
    Perturbation,
    Selector,
)
from harness.plugin.registry import Registry
from harness.plugin.spec import component_name
from harness.plugin.values import AttentionMap, Image, Variant
from harness.store import open_for_reading
from harness.store.maps import load_map, save_map

Header = Mapping[str, Any]
Send = Callable[[Message], None]
# Characters that are stored of a reason, and of the end of a traceback.
REASON = 1000
DETAIL = 8000
# They always end the run; quitting the debugger raises the second.
ENDS_RUN = (RunStoppedError, bdb.BdbQuit)
C = TypeVar("C")
Q = TypeVar("Q")


@dataclass
class Context:
    """What a worker keeps between jobs: the plugins, and the components that it has made.

    codes: the expected digest of each component's code by kind and spec.
    """

    registry: Registry
    codes: Mapping[str, str] = field(default_factory=dict)
    _made: dict[tuple[str, str], Component] = field(default_factory=dict)

    def make(self, base: type[C], kind: str, text: str) -> C:
        """The component of a spec.

        Raises RunStoppedError if the coordinator could make it but this process cannot, or if its
        code has changed since the run was planned.
        """
        if (kind, text) not in self._made:
            try:
                (made,) = self.registry.make(kind, text)
            except HarnessError as error:
                raise RunStoppedError(f"{kind} {text}: a worker cannot make it: {error}") from error
            found = code_digest(type(made))
            if self.codes.get(f"{kind} {text}", found) != found:
                raise RunStoppedError(
                    f"{kind} {text}: its code changed during the run; the same command starts "
                    "again with the new code"
                )
            self._made[kind, text] = made
        component = self._made[kind, text]
        if not isinstance(component, base):
            raise HarnessError(f"{text}: not a {base.__name__}")
        return component


def keys(context: Context, header: Header, send: Send) -> None:
    """Ask a set of images or maps for its keys, and a set of maps for the location of each."""
    text = header["set"]
    if header["kind"] == "image set":
        images = context.make(ImageSet, "image set", text)
        entries = [{"key": key} for key in checks.keys(images.keys(), text)]
    else:
        maps = context.make(MapSet, "extractor", text)
        entries = [
            {"key": key, **checks.location(maps.locate(key), text)}
            for key in checks.keys(maps.keys(), text)
        ]
    send(Message({"reply": "keys", "entries": entries}))


def survey_images(context: Context, header: Header, send: Send) -> None:
    """Decode images, in the order of the keys; answers hold a digest or a reason."""
    images = context.make(ImageSet, "image set", header["set"])

    def describe(key: str) -> dict[str, Any]:
        image = checks.kind_of(images.load(key), Image, f"{header['set']}: load()")
        height, width, channels = image.pixels.shape
        return {
            "digest": image.digest,
            "height": height,
            "width": width,
            "channels": channels,
            "label": image.label,
        }

    _answer_each(header["keys"], describe, send)


def survey_maps(context: Context, header: Header, send: Send) -> None:
    """Read maps, in the order of the keys, and save their weights."""
    maps = context.make(MapSet, "extractor", header["set"])

    def describe(key: str) -> dict[str, Any]:
        attention = checks.kind_of(maps.load(key), AttentionMap, f"{header['set']}: load()")
        place = {"image": attention.image, "layer": attention.layer, "head": attention.head}
        truth = None if attention.truth is None else attention.truth.tolist()
        sums = attention.weights.sum(axis=1, dtype=np.float64)
        return {
            **place,
            "truth": truth,
            "row_sums": [float(sums.min()), float(sums.max())],
            **save_map(attention, Path(header["folder"])).to_message(),
        }

    _answer_each(header["keys"], describe, send)


def _answer_each(
    questions: Sequence[Q], describe: Callable[[Q], dict[str, Any]], send: Send
) -> None:
    """Answer questions in their order, with a reason where that fails."""
    for question in questions:
        try:
            answer = describe(question)
        except ENDS_RUN:
            raise
        except Exception as error:
            answer = {"reason": reason_of(error)}
        send(Message({"reply": "answer", **answer}))


def survey_extractor(context: Context, header: Header, send: Send) -> None:
    """Ask an extractor for its heads and the digest of its weights."""
    text = header["extractor"]
    extractor = context.make(Extractor, "extractor", text)
    named = checks.head_indices(extractor.head_indices(), text)
    heads = [[head_index.layer, head_index.head] for head_index in named]
    fingerprint = extractor.fingerprint()
    if not isinstance(fingerprint, str):
        raise HarnessError(f"{text}: fingerprint() returned {fingerprint!r}, which is not a string")
    send(Message({"reply": "extractor", "heads": heads, "fingerprint": fingerprint}))


def extract(context: Context, header: Header, send: Send) -> None:
    """Extract attention maps from images, and from images that controls draw.

    Each item is {"image", "control", "draw", "seed"}, control "" for the image itself. An item is
    "trying" while it is loaded and drawn, then "taken" by the extractor. The coordinator asks
    again for items that were taken and have no map when the job fails.
    """
    images = context.make(ImageSet, "image set", header["images"])
    extractor = context.make(Extractor, "extractor", header["extractor"])
    expected = checks.PendingMaps(header["extractor"], extractor.head_indices())

    def draw() -> Iterator[Image]:
        loaded: Image | None = None
        for index, item in enumerate(header["items"]):
            send(Message({"reply": "trying", "item": index}))
            try:
                if loaded is None or loaded.key != item["image"]:
                    loaded = replace(images.load(item["image"]), key=item["image"])
                image = _variant_of(context, loaded, item)
            except ENDS_RUN:
                raise
            except Exception as error:
                send(Message({"reply": "refused", "item": index, "reason": reason_of(error)}))
                continue
            expected.take(image, index)
            send(Message({"reply": "taken", "item": index}))
            yield image

    folder = Path(header["folder"])
    for returned in extractor.extract(draw()):
        attention, item = expected.item_of(returned)
        place = {"layer": attention.layer, "head": attention.head}
        saved = save_map(attention, folder).to_message()
        send(Message({"reply": "map", "item": item, **place, **saved}))


def _variant_of(context: Context, image: Image, item: Header) -> Image:
    if not item["control"]:
        return image
    control = context.make(ImageControl, "control", item["control"])
    drawn = checks.kind_of(control.draw(image, item["seed"]), Image, f"{item['control']}: draw()")
    if drawn.pixels.shape != image.pixels.shape:
        raise HarnessError(
            f"{item['control']} drew {drawn.pixels.shape} from an image of {image.pixels.shape}"
        )
    variant = Variant("control", item["control"], item["draw"])
    return Image(image.key, drawn.pixels, image.label, variant)


def draw_maps(context: Context, header: Header, send: Send) -> None:
    """Draw map controls from stored maps, in the order of the items.

    Each item is {"map", "control", "seed"}.
    """
    folder = Path(header["folder"])

    def draw(item: Header) -> dict[str, Any]:
        control = context.make(MapControl, "control", item["control"])
        observed = load_map(folder, MapRecord.from_message("", item["map"]))
        drawn = control.draw(observed, item["seed"])
        return save_map(checks.drawn(drawn, observed, item["control"]), folder).to_message()

    _answer_each(header["items"], draw, send)


def cell(context: Context, header: Header, send: Send) -> None:
    """Compute one cell; each point is sent as soon as it is computed."""
    points = profile(
        _map_of(header),
        *_method(context, header),
        n_levels=header["levels"],
        seed=header["seed"],
        resolution=header["resolution"],
        rescore=header["rescore"],
    )
    for point in points:
        send(point_message(point))


def perturbed_cell(context: Context, header: Header, send: Send) -> None:
    """Compute a cell at one level, once for every draw of a perturbation."""
    text, run_seed, digest = header["control"], header["run seed"], header["map"]["digest"]
    points = perturbed(
        _map_of(header),
        context.make(Perturbation, "perturbation", text),
        *_method(context, header),
        n_levels=header["levels"],
        point=header["point"],
        n_draws=header["draws"],
        # Of the map, not of the method: every method sees the same perturbed maps.
        perturbation_seed=seed_of(run_seed, digest, component_name(text)),
        seed=header["seed"],
        resolution=header["resolution"],
    )
    for point in points:
        send(point_message(point))


def _map_of(header: Header) -> AttentionMap:
    return load_map(
        Path(header["folder"]),
        MapRecord.from_message("", header["map"]),
        variant=Variant(header["role"], header["control"], header["draw"]),
        image=header["image"],
        layer=header["layer"],
        head=header["head"],
    )


def _method(context: Context, header: Header) -> tuple[GraphBuilder, Clusterer]:
    return (
        context.make(GraphBuilder, "graph builder", header["graph"]),
        context.make(Clusterer, "clusterer", header["clusterer"]),
    )


def select(context: Context, header: Header, send: Send) -> None:
    """Apply selectors to the observed profiles of a group and to their nulls, in order.

    Each question is {"cell", "selector", "nulls"}; nulls are, by control, indices into the lists
    of `controls`. A selection is made under the first control.
    """
    controls: Mapping[str, Sequence[str]] = header["controls"]
    with open_for_reading(Path(header["run"])) as stored:
        profile_of = lru_cache(maxsize=None)(stored.profile)

        def choose(question: Header) -> dict[str, Any]:
            selector = context.make(Selector, "selector", question["selector"])
            observed = profile_of(question["cell"])
            nulls = {
                control: [profile_of(controls[control][index]) for index in indices]
                for control, indices in question["nulls"].items()
            }
            return selected(selector, observed, nulls)

        _answer_each(header["questions"], choose, send)


JOBS: Mapping[str, Callable[[Context, Header, Send], None]] = {
    "keys": keys,
    "survey images": survey_images,
    "survey extractor": survey_extractor,
    "survey maps": survey_maps,
    "extract": extract,
    "draw maps": draw_maps,
    "cell": cell,
    "perturbed cell": perturbed_cell,
    "select": select,
}
MODEL_JOBS = ("survey extractor", "extract")


def perform(
    config: WorkerConfig, context: Context, state: ProcessState, header: Header, send: Send
) -> None:
    """Prepare the process and do a job; raises what the job raises."""
    threads = config.extraction_threads if header["job"] in MODEL_JOBS else 1
    state.prepare(seed=header.get("seed", 0), threads=threads)
    with warnings.catch_warnings():
        JOBS[header["job"]](context, header, send)


def failure_of(error: BaseException, memory: int | None) -> dict[str, str]:
    """The status, reason and detail of what `perform` raised.

    memory: the bytes that the job was allowed, or None where there was no limit.
    """
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


def reason_of(error: BaseException) -> str:
    """One line that says what went wrong; the type of our own errors would add nothing."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = "(its message cannot be read)"
    text = said if isinstance(error, HarnessError) else f"{type(error).__name__}: {said}"
    return text if len(text) <= REASON else f"{text[:REASON]}…"
