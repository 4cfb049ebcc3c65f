"""What a host can be asked to do. Every method of a plugin is called here and nowhere else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from harness import store
from harness.components import (
    Clusterer,
    Component,
    Extractor,
    GraphBuilder,
    ImageControl,
    ImageSet,
    MapControl,
    MapSet,
    Selector,
)
from harness.engine.cell import profile
from harness.engine.kept_maps import keep, kept_map
from harness.engine.messages import Message, point_message
from harness.errors import HarnessError
from harness.registry import Registry
from harness.scores.partition import InvalidLabels
from harness.values import Image, Profile, Selection, Variant

Header = Mapping[str, Any]
Send = Callable[[Message], None]
C = TypeVar("C")


@dataclass
class Context:
    """What a host keeps between jobs: the plugins, and the components made last."""

    registry: Registry
    _made: dict[tuple[str, str], Component] = field(default_factory=dict)

    def make(self, base: type[C], kind: str, text: str) -> C:
        """The component that a spelling names."""
        if (kind, text) not in self._made:
            (self._made[kind, text],) = self.registry.make(kind, text)
        component = self._made[kind, text]
        if not isinstance(component, base):
            raise HarnessError(f"{text}: not a {base.__name__}")
        return component


def survey_images(context: Context, header: Header, send: Send) -> None:
    """Decode every image of a set, to know its digest or why it cannot be had."""
    images = context.make(ImageSet, "image set", header["images"])
    keys = list(images.keys())
    send(Message({"reply": "count", "count": len(keys)}))
    for key in keys:
        try:
            image = images.load(key)
        except Exception as error:
            send(Message({"reply": "refused", "key": key, "reason": reason_of(error)}))
            continue
        height, width, channels = image.pixels.shape
        send(
            Message(
                {
                    "reply": "image",
                    "key": key,
                    "digest": image.digest,
                    "height": height,
                    "width": width,
                    "channels": channels,
                    "label": None if image.label is None else int(image.label),
                }
            )
        )


def survey_extractor(context: Context, header: Header, send: Send) -> None:
    """Ask an extractor for its slots and the digest of its weights."""
    extractor = context.make(Extractor, "extractor", header["extractor"])
    slots = [[slot.layer, slot.head] for slot in extractor.slots()]
    send(Message({"reply": "extractor", "slots": slots, "fingerprint": extractor.fingerprint()}))


def survey_maps(context: Context, header: Header, send: Send) -> None:
    """Read every map of a map set and keep its weights where cells find them."""
    maps = context.make(MapSet, "extractor", header["maps"])
    keys = list(maps.keys())
    send(Message({"reply": "count", "count": len(keys)}))
    for key in keys:
        try:
            attention = maps.load(key)
        except Exception as error:
            send(Message({"reply": "refused", "key": key, "reason": reason_of(error)}))
            continue
        stored = keep(attention, Path(header["folder"]))
        place = {"image": attention.image, "layer": attention.layer, "head": attention.head}
        send(Message({"reply": "map", "key": key, **place, **stored}))


def extract(context: Context, header: Header, send: Send) -> None:
    """Extract attention maps of images, or of what controls draw from them.

    Each item is {"image", "control", "draw", "seed"}, control "" for the image itself. What
    is taken and not answered when the job ends is in doubt: the coordinator asks again.
    """
    images = context.make(ImageSet, "image set", header["images"])
    extractor = context.make(Extractor, "extractor", header["extractor"])
    places: dict[tuple[str, Variant], int] = {}

    def draw() -> Iterator[Image]:
        loaded: Image | None = None
        for index, item in enumerate(header["items"]):
            try:
                if loaded is None or loaded.key != item["image"]:
                    loaded = replace(images.load(item["image"]), key=item["image"])
                image = _variant_of(context, loaded, item)
            except Exception as error:
                send(Message({"reply": "refused", "item": index, "reason": reason_of(error)}))
                continue
            places[image.key, image.variant] = index
            send(Message({"reply": "taken", "item": index}))
            yield image

    folder = Path(header["folder"])
    for attention in extractor.extract(draw()):
        item = places[attention.image, attention.variant]
        place = {"layer": attention.layer, "head": attention.head}
        send(Message({"reply": "map", "item": item, **place, **keep(attention, folder)}))


def _variant_of(context: Context, image: Image, item: Header) -> Image:
    if not item["control"]:
        return image
    control = context.make(ImageControl, "control", item["control"])
    drawn = control.draw(image, item["seed"])
    if drawn.pixels.shape != image.pixels.shape:
        raise HarnessError(
            f"{item['control']} drew {drawn.pixels.shape} from an image of {image.pixels.shape}"
        )
    variant = Variant("control", item["control"], item["draw"])
    return Image(image.key, drawn.pixels, image.label, variant)


def draw_maps(context: Context, header: Header, send: Send) -> None:
    """Draw map controls from kept maps; items are {"map", "grid", "control", "seed"}."""
    folder = Path(header["folder"])
    for index, item in enumerate(header["items"]):
        control = context.make(MapControl, "control", item["control"])
        observed = kept_map(folder, item["map"], item["grid"])
        try:
            drawn = control.draw(observed, item["seed"])
            if drawn.weights.shape != observed.weights.shape:
                raise HarnessError(
                    f"{item['control']} drew {drawn.weights.shape} from a map of "
                    f"{observed.weights.shape}"
                )
        except Exception as error:
            send(Message({"reply": "refused", "item": index, "reason": reason_of(error)}))
            continue
        send(Message({"reply": "map", "item": index, **keep(drawn, folder)}))


def cell(context: Context, header: Header, send: Send) -> None:
    """Compute one cell, each point sent as soon as it is there."""
    variant = Variant(header["role"], header["control"], header["draw"])
    place = {"image": header["image"], "layer": header["layer"], "head": header["head"]}
    attention = kept_map(
        Path(header["folder"]), header["map"], header["grid"], variant=variant, **place
    )
    points = profile(
        attention,
        context.make(GraphBuilder, "graph builder", header["graph"]),
        context.make(Clusterer, "clusterer", header["clusterer"]),
        levels=header["levels"],
        seed=header["seed"],
        resolution=header["resolution"],
    )
    for point in points:
        send(point_message(point))


def select(context: Context, header: Header, send: Send) -> None:
    """Apply selectors to observed profiles of a group, read from the run's store.

    `wanted` holds [cell, selector] pairs, those of a cell together; answers keep their order.
    """
    with store.open_for_reading(Path(header["run"])) as stored:
        controls = [stored.profile(key) for key in header["controls"]]
        last, observed = "", Profile([])
        for key, text in header["wanted"]:
            if key != last:
                last, observed = key, stored.profile(key)
            try:
                answer = _selection(context, text, observed, controls)
            except Exception as error:
                answer = {"reason": reason_of(error)}
            send(Message({"reply": "selection", **answer}))


def _selection(
    context: Context, text: str, observed: Profile, controls: list[Profile]
) -> dict[str, Any]:
    selector = context.make(Selector, "selector", text)
    selection = selector.select(observed, controls)
    if not isinstance(selection, Selection) or not 0 <= selection.candidate < len(observed):
        raise HarnessError(f"{text} chose no level of the profile but {selection!r}")
    return {
        "candidate": int(selection.candidate),
        "statistic": float(selection.statistic),
        "accepted": bool(selection.accepted),
        "plateau": None if selection.plateau is None else [int(i) for i in selection.plateau],
        "reason": selection.reason,
    }


JOBS: Mapping[str, Callable[[Context, Header, Send], None]] = {
    "survey images": survey_images,
    "survey extractor": survey_extractor,
    "survey maps": survey_maps,
    "extract": extract,
    "draw maps": draw_maps,
    "cell": cell,
    "select": select,
}


def reason_of(error: Exception) -> str:
    """One line that says what went wrong; of our own errors the type adds nothing."""
    ours = isinstance(error, HarnessError | InvalidLabels)
    text = str(error) if ours else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
