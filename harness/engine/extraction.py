"""Gets the attention maps that missing cells need: extracts them from images, or draws them.

An image that fails affects no other. When a job fails, each image that it had taken and not
answered is tried alone, so that the one to blame is found.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.engine.messages import Message
from harness.engine.worker import JobFailedError, Worker, answers, in_order
from harness.planning.plan import PlannedMap
from harness.planning.progress import Progress, named
from harness.planning.survey import MapRecord
from harness.plugin.values import HeadIndex

Write = Callable[[Iterable[MapRecord]], None]


@dataclass
class _Unit:
    """One image or image control: its planned maps by head, and the maps that were found."""

    item: Mapping[str, Any]
    wanted: dict[HeadIndex, PlannedMap]
    found: dict[HeadIndex, MapRecord] = field(default_factory=dict)

    def failed(self, reason: str, detail: str) -> list[MapRecord]:
        return [
            MapRecord(planned.key, reason=reason, detail=detail) for planned in self.wanted.values()
        ]


@dataclass(frozen=True)
class Extraction:
    """Extracts and draws maps in a worker, saves them in a folder and records them."""

    worker: Worker
    folder: Path
    limit: float
    progress: Progress
    write: Write

    def extract(self, missing: Sequence[PlannedMap]) -> None:
        """Extract observed maps and those of image controls; records each."""

        def source(planned: PlannedMap) -> tuple[str, str]:
            return planned.image_set, planned.extractor

        self.progress.begin("extracting attention", len(_units(missing)))
        for (image_set, extractor), group in groupby(sorted(missing, key=source), source):
            queue = [_units(group)]
            while queue:
                queue += self._attempt(image_set, extractor, queue.pop(0))

    def _attempt(self, image_set: str, extractor: str, units: list[_Unit]) -> list[list[_Unit]]:
        """Extract units; returns the batches to try again."""
        taken: dict[int, _Unit] = {}
        waiting = dict(enumerate(units))
        tried: int | None = None
        call = self.worker.call(
            "extract",
            self.limit,
            silence=True,
            images=image_set,
            extractor=extractor,
            items=[unit.item for unit in units],
            folder=str(self.folder),
        )
        try:
            for answer in answers(call):
                index = answer["item"]
                match answer["reply"]:
                    case "trying":
                        tried = index
                    case "taken":
                        taken[index] = waiting.pop(index)
                    case "refused":
                        self._fail([waiting.pop(index)], answer["reason"])
                    case "map" if index in taken:
                        unit, head_index = taken[index], HeadIndex(answer["layer"], answer["head"])
                        if head_index in unit.wanted:
                            unit.found[head_index] = MapRecord.from_message(
                                unit.wanted[head_index].key, answer
                            )
                        if len(unit.found) == len(unit.wanted):
                            self.write(unit.found.values())
                            self.progress.advance()
                            del taken[index]
        except JobFailedError as error:
            suspects = list(taken.values())
            if tried in waiting:
                # Loading the image or drawing the control failed, not the extractor.
                self._fail([waiting.pop(tried)], error.reason, error.detail)
                return _batch([*suspects, *waiting.values()])
            if len(suspects) > 1:
                return [[unit] for unit in suspects] + _batch(waiting.values())
            if suspects:
                self._fail(suspects, error.reason, error.detail)
                return _batch(waiting.values())
            if len(waiting) < len(units):
                self.progress.warn(named(extractor, error.reason))
                return _batch(waiting.values())
            # It failed before it took an image: no image is to blame.
            self._fail(units, error.reason, error.detail)
            return []
        for unit in [*taken.values(), *waiting.values()]:
            missing = sorted(set(unit.wanted) - set(unit.found))
            where = f"layer {missing[0].layer}, head {missing[0].head}"
            self._fail([unit], f"{extractor} gave no map for {where}")
        return []

    def _fail(self, units: Sequence[_Unit], reason: str, detail: str = "") -> None:
        for unit in units:
            self.write(unit.failed(reason, detail))
            drawn = f"{unit.item['control']} of " if unit.item["control"] else ""
            self.progress.warn(drawn + named(unit.item["image"], reason))
            self.progress.advance()

    def draw(self, missing: Sequence[PlannedMap], stored: Mapping[str, MapRecord]) -> None:
        """Draw map controls from stored maps; records each."""
        drawable = []
        for planned in missing:
            observed = stored[planned.drawn_from]
            if observed.reason:
                self.write([MapRecord(planned.key, reason=observed.reason)])
            else:
                drawable.append((planned, observed))
        if not drawable:
            return
        self.progress.begin("drawing controls", len(drawable))
        items = [
            {
                "map": observed.to_message(),
                "control": planned.variant.name,
                "seed": planned.seed,
            }
            for planned, observed in drawable
        ]

        def ask(first: int) -> Iterator[Message]:
            asked = {"items": items[first:], "folder": str(self.folder)}
            return self.worker.call("draw maps", self.limit, silence=True, **asked)

        for (planned, _), answer in zip(drawable, in_order(ask, len(items)), strict=True):
            self.write([self._drawn(planned, answer)])
            self.progress.advance()

    def _drawn(self, planned: PlannedMap, answer: Mapping[str, Any]) -> MapRecord:
        if "reason" not in answer:
            return MapRecord.from_message(planned.key, answer)
        reason = answer["reason"]
        self.progress.warn(f"{planned.variant.name} of {named(planned.image, reason)}")
        return MapRecord(planned.key, reason=reason, detail=answer.get("detail", ""))


def _batch(units: Iterable[_Unit]) -> list[list[_Unit]]:
    """The units as one batch, or no batch if there are none."""
    batch = list(units)
    return [batch] if batch else []


def _units(planned_maps: Iterable[PlannedMap]) -> list[_Unit]:
    units: dict[tuple[Any, ...], _Unit] = {}
    for planned in planned_maps:
        variant = planned.variant
        identity = (planned.image_set, planned.extractor, planned.image, variant)
        item = {
            "image": planned.image,
            "control": variant.name,
            "draw": variant.draw,
            "seed": planned.seed,
        }
        units.setdefault(identity, _Unit(item, {})).wanted[planned.head_index] = planned
    return list(units.values())
