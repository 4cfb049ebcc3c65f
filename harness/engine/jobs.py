"""What a host can be asked to do. Every method of a plugin is called here and nowhere else."""

import bdb
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from harness import store
from harness.engine import checks
from harness.engine.cell import perturbed, profile
from harness.engine.isolation import ProcessState
from harness.engine.messages import Message, point_message
from harness.engine.selection import selected
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, InvalidResultError, RunStoppedError
from harness.planning.identity import code_digest, seed_of
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
from harness.store.maps import load_map, save_map

Header = Mapping[str, Any]
Send = Callable[[Message], None]
# Characters of a reason, and of the end of a traceback, that are kept.
REASON = 1000
DETAIL = 8000
# They end the run, whatever raises them; a debugger that is quit raises the latter.
ENDS_RUN = (RunStoppedError, bdb.BdbQuit)
C = TypeVar("C")
Q = TypeVar("Q")


@dataclass
class Context:
    """What a host keeps between jobs: the plugins, the code expected of them, what was made.

    codes: the digest of each component's code, by kind and spelling.
    """

    registry: Registry
    codes: Mapping[str, str] = field(default_factory=dict)
    _made: dict[tuple[str, str], Component] = field(default_factory=dict)

    def make(self, base: type[C], kind: str, text: str) -> C:
        """The component that a spelling names.

        Raises RunStoppedError if it is not to be had here, as it was where the run was planned, or
        its code is not what the run was planned with.
        """
        if (kind, text) not in self._made:
            try:
                (made,) = self.registry.make(kind, text)
            except HarnessError as error:
                raise RunStoppedError(f"{kind} {text}: a host cannot make it: {error}") from error
            found = code_digest(type(made))
            if self.codes.get(f"{kind} {text}", found) != found:
                raise RunStoppedError(
                    f"{kind} {text}: its code was changed while the run went on; the same command "
                    "begins with the new code"
                )
            self._made[kind, text] = made
        component = self._made[kind, text]
        if not isinstance(component, base):
            raise HarnessError(f"{text}: not a {base.__name__}")
        return component


def keys(context: Context, header: Header, send: Send) -> None:
    """Ask a set of images or maps for its keys, and a set of maps where each belongs."""
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
    """Decode images, to know their digests or what is wrong; answers keep the keys' order."""
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
    """Read maps and keep their weights for the cells; answers keep the keys' order."""
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
            **save_map(attention, Path(header["folder"])),
        }

    _answer_each(header["keys"], describe, send)


def _answer_each(
    questions: Sequence[Q], describe: Callable[[Q], dict[str, Any]], send: Send
) -> None:
    """Answer questions in their order, with a reason where there is no answer."""
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
    head_indices = [
        [head_index.layer, head_index.head]
        for head_index in checks.head_indices(extractor.head_indices(), text)
    ]
    fingerprint = extractor.fingerprint()
    if not isinstance(fingerprint, str):
        raise HarnessError(f"{text}: fingerprint() returned {fingerprint!r}, which is no text")
    send(Message({"reply": "extractor", "heads": head_indices, "fingerprint": fingerprint}))


def extract(context: Context, header: Header, send: Send) -> None:
    """Extract attention maps of images, or of what controls draw from them.

    Each item is {"image", "control", "draw", "seed"}, control "" for the image itself. An item
    is tried while it is loaded and drawn, then taken by the extractor. What is taken and not
    answered when the job ends is in doubt: the coordinator asks again.
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
        send(Message({"reply": "map", "item": item, **place, **save_map(attention, folder)}))


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
    """Draw map controls from kept maps; items are {"map", "grid", "region", "control", "seed"}.

    Answers keep the order of the items.
    """
    folder = Path(header["folder"])

    def draw(item: Header) -> dict[str, Any]:
        control = context.make(MapControl, "control", item["control"])
        observed = load_map(folder, item["map"], item["grid"], item["region"])
        drawn = control.draw(observed, item["seed"])
        return save_map(checks.drawn(drawn, observed, item["control"]), folder)

    _answer_each(header["items"], draw, send)


def cell(context: Context, header: Header, send: Send) -> None:
    """Compute one cell, each point sent as soon as it is there."""
    points = profile(
        _map_of(header),
        *_method(context, header),
        levels=header["levels"],
        seed=header["seed"],
        resolution=header["resolution"],
        rescore=header["rescore"],
    )
    for point in points:
        send(point_message(point))


def perturbed_cell(context: Context, header: Header, send: Send) -> None:
    """Compute a cell at one level for every draw of a perturbation."""
    text = header["control"]
    points = perturbed(
        _map_of(header),
        context.make(Perturbation, "perturbation", text),
        *_method(context, header),
        levels=header["levels"],
        point=header["point"],
        draws=header["draws"],
        # Of the map, not of the method: every method sees the same perturbed maps.
        perturbation_seed=seed_of(header["run seed"], header["map"], component_name(text)),
        seed=header["seed"],
        resolution=header["resolution"],
    )
    for point in points:
        send(point_message(point))


def _map_of(header: Header) -> AttentionMap:
    return load_map(
        Path(header["folder"]),
        header["map"],
        header["grid"],
        header["region"],
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
    """Apply selectors to observed profiles of a group, and to the nulls beside each.

    `questions` are {"cell", "selector", "nulls"}, nulls being indices into the lists of `controls`
    by control; answers keep their order. The first control is the one that a selector is shown.
    """
    controls: Mapping[str, Sequence[str]] = header["controls"]
    with store.open_for_reading(Path(header["run"])) as stored:
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


@dataclass(frozen=True)
class Job:
    """A function that does what is asked, and whether a model may run in it."""

    function: Callable[[Context, Header, Send], None]
    runs_model: bool = False


JOBS: Mapping[str, Job] = {
    "keys": Job(keys),
    "survey images": Job(survey_images),
    "survey extractor": Job(survey_extractor, runs_model=True),
    "survey maps": Job(survey_maps),
    "extract": Job(extract, runs_model=True),
    "draw maps": Job(draw_maps),
    "cell": Job(cell),
    "perturbed cell": Job(perturbed_cell),
    "select": Job(select),
}


def perform(
    config: WorkerConfig, context: Context, state: ProcessState, header: Header, send: Send
) -> None:
    """Prepare the process and do a job; raises what the job raises."""
    job = JOBS[header["job"]]
    threads = config.extraction_threads if job.runs_model else 1
    state.prepare(seed=header.get("seed", 0), threads=threads)
    with warnings.catch_warnings():
        job.function(context, header, send)


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
    """One line that says what went wrong; of our own errors the type adds nothing."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = "(its message cannot be read)"
    text = said if isinstance(error, HarnessError) else f"{type(error).__name__}: {said}"
    return text if len(text) <= REASON else f"{text[:REASON]}…"
