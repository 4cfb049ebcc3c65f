"""Gets the attention maps that missing cells need: extracts them from images, or draws them.

An image that fails affects no other. When a job fails, each image that it had taken and not
answered is tried alone, so that the one to blame is found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from harness.engine.worker import JobFailedError, Worker, ask_each
from harness.planning.plan import PlannedMap
from harness.planning.progress import Progress, named
from harness.planning.survey import MapRecord
from harness.plugin.values import HeadIndex
from harness.store import Store


@dataclass
class _Unit:
    """One image or image control: its planned maps by head, and the maps that were found."""

    item: Mapping[str, Any]
    wanted: dict[HeadIndex, PlannedMap]
    found: dict[HeadIndex, MapRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Extraction:
    """Extracts and draws maps in a worker, saves them in a store's folder and records them."""

    worker: Worker
    store: Store
    limit: float
    progress: Progress
    write: Callable[[Iterable[MapRecord]], None]

    def get(self, missing: Sequence[PlannedMap]) -> None:
        """Extract observed maps and those of image controls, then draw map controls."""
        if extracted := [planned for planned in missing if not planned.drawn_from]:
            self._extract(extracted)
        self._draw([planned for planned in missing if planned.drawn_from])

    def _extract(self, missing: Sequence[PlannedMap]) -> None:

        def source(planned: PlannedMap) -> tuple[str, str]:
            return planned.image_set, planned.extractor

        self.progress.begin("extracting attention", len(_units(missing)))
        for (image_set, extractor), group in groupby(sorted(missing, key=source), source):
            queue = [_units(group)]
            while queue:
                if units := queue.pop(0):
                    queue += self._attempt(image_set, extractor, units)

    def _attempt(self, image_set: str, extractor: str, units: list[_Unit]) -> list[list[_Unit]]:
        """Extract units; returns the batches to try again."""
        taken: dict[int, _Unit] = {}
        waiting = dict(enumerate(units))
        tried: int | None = None
        header = {
            "images": image_set,
            "extractor": extractor,
            "items": [unit.item for unit in units],
            "folder": str(self.store.maps_folder),
        }
        try:
            call = self.worker.call("extract", self.limit, silence=True, **header)
            for answer in call:
                index = answer["item"]
                match answer["reply"]:
                    case "trying":
                        tried = index
                    case "taken":
                        taken[index] = waiting.pop(index)
                    case "refused":
                        self._fail([waiting.pop(index)], answer["reason"])
                    case "map" if index in taken:
                        unit, head = taken[index], HeadIndex(answer["layer"], answer["head"])
                        if head in unit.wanted:
                            key = unit.wanted[head].key
                            unit.found[head] = MapRecord.from_message(key, answer)
                        if len(unit.found) == len(unit.wanted):
                            self.write(unit.found.values())
                            self.progress.advance()
                            del taken[index]
        except JobFailedError as error:
            if tried in waiting:
                # Loading the image or drawing the control failed, not the extractor.
                self._fail([waiting.pop(tried)], error.reason, error.detail)
                return [[*taken.values(), *waiting.values()]]
            suspects, rest = list(taken.values()), list(waiting.values())
            if len(suspects) > 1:
                return [*([unit] for unit in suspects), rest]
            if suspects:
                self._fail(suspects, error.reason, error.detail)
            elif len(rest) < len(units):
                self.progress.warn(named(extractor, error.reason))
            else:
                # It failed before it took an image: no image is to blame.
                self._fail(units, error.reason, error.detail)
                rest = []
            return [rest]
        for unit in [*taken.values(), *waiting.values()]:
            missing = sorted(set(unit.wanted) - set(unit.found))
            where = f"layer {missing[0].layer}, head {missing[0].head}"
            self._fail([unit], f"{extractor} gave no map for {where}")
        return []

    def _fail(self, units: Sequence[_Unit], reason: str, detail: str = "") -> None:
        for unit in units:
            keys = [planned.key for planned in unit.wanted.values()]
            self.write([MapRecord(key, reason=reason, detail=detail) for key in keys])
            drawn = f"{unit.item['control']} of " if unit.item["control"] else ""
            self.progress.warn(drawn + named(unit.item["image"], reason))
            self.progress.advance()

    def _draw(self, missing: Sequence[PlannedMap]) -> None:
        stored = self.store.maps() if missing else {}
        drawable = []
        for planned in missing:
            observed = stored[planned.drawn_from]
            if observed.reason:
                self.write([MapRecord(planned.key, reason=observed.reason)])
            else:
                drawable.append((planned, observed.to_message()))
        if not drawable:
            return
        self.progress.begin("drawing controls", len(drawable))
        questions = [
            {"map": observed, "control": planned.variant.name, "seed": planned.seed}
            for planned, observed in drawable
        ]
        folder = str(self.store.maps_folder)
        answers = ask_each(self.worker, "draw_maps", self.limit, questions, folder=folder)
        for (planned, _), answer in zip(drawable, answers, strict=True):
            self.write([self._drawn(planned, answer)])
            self.progress.advance()

    def _drawn(self, planned: PlannedMap, answer: Mapping[str, Any]) -> MapRecord:
        if "reason" not in answer:
            return MapRecord.from_message(planned.key, answer)
        reason = answer["reason"]
        self.progress.warn(f"{planned.variant.name} of {named(planned.image, reason)}")
        return MapRecord(planned.key, reason=reason, detail=answer.get("detail", ""))


def _units(planned_maps: Iterable[PlannedMap]) -> list[_Unit]:
    units: dict[tuple[Any, ...], _Unit] = {}
    for planned in planned_maps:
        variant = planned.variant
        identity = (planned.image_set, planned.extractor, planned.image, variant)
        control = {"control": variant.name, "draw": variant.draw, "seed": planned.seed}
        item = {"image": planned.image, **control}
        units.setdefault(identity, _Unit(item, {})).wanted[planned.head_index] = planned
    return list(units.values())
