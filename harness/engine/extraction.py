"""Gets the attention maps that missing cells need: extracts them from images, or draws them.

An image that fails affects no other. When a job fails, each image that it had taken and not
answered is tried alone, so that the one to blame is found. An extractor that fails before it takes
an image, or in the same way on the first images, fails as a whole.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from harness.engine.failures import Failures
from harness.engine.worker import LOADING, JobFailedError, Worker, ask_each
from harness.errors import HarnessError
from harness.planning.plan import PlannedMap
from harness.planning.progress import Progress, named
from harness.planning.survey import MapRecord
from harness.plugin.values import HeadIndex
from harness.store import Store
from harness.store.missing import sound_sources


@dataclass
class _Unit:
    """One image or image control: its planned maps by head, and the maps that were found."""

    item: Mapping[str, Any]
    wanted: dict[HeadIndex, PlannedMap]
    found: dict[HeadIndex, MapRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class _Failed:
    """Units that failed for one reason."""

    units: list[_Unit]
    reason: str
    detail: str = ""


# An image set and an extractor.
_Source = tuple[str, str]


@dataclass(frozen=True)
class Extraction:
    """Extracts and draws maps in a worker, saves them in a store's folder and records them."""

    worker: Worker
    store: Store
    limit: float
    progress: Progress
    failures: Failures
    write: Callable[[Iterable[MapRecord]], None]

    def get(self, missing: Sequence[PlannedMap]) -> None:
        """Extract observed maps and those of image controls, then draw map controls.

        Raises HarnessError if extractors fail as a whole and the plan has no map from others.
        """
        if missing:
            # What an earlier execution got is no less sound.
            self.failures.sound(sound_sources(self.store))
        if extracted := [planned for planned in missing if not planned.drawn_from]:
            self._extract(extracted)
        self._draw([planned for planned in missing if planned.drawn_from])

    def _extract(self, missing: Sequence[PlannedMap]) -> None:

        def source(planned: PlannedMap) -> _Source:
            return planned.image_set, planned.extractor

        self.progress.begin("extracting attention", len(_units(missing)))
        broken = {
            of: self._of_source(of, _units(group))
            for of, group in groupby(sorted(missing, key=source), source)
        }
        lines = [named(of[1], failed[-1].reason) for of, failed in broken.items() if failed]
        if lines and not self.store.has_maps():
            raise HarnessError("; ".join(dict.fromkeys(lines)))
        for line in dict.fromkeys(lines):
            self.progress.warn(line)
        for each in chain.from_iterable(broken.values()):
            self._fail(each)

    def _of_source(self, source: _Source, units: list[_Unit]) -> list[_Failed]:
        """Extract units; returns those that failed, unrecorded, if the extractor is to blame."""
        failed: list[_Failed] = []
        queue = [units]
        while queue:
            batch = self._without_stopped(queue.pop(0))
            try:
                queue += self._attempt(source, batch, failed) if batch else []
            except JobFailedError as error:
                rest = [*batch, *chain.from_iterable(queue)]
                return [*failed, _Failed(rest, error.reason, error.detail)]
            if reason := self.failures.stopped(source):
                return [*failed, _Failed(list(chain.from_iterable(queue)), reason)]
        if failed and self.failures.failed_alike(source):
            return failed
        self._blame(failed)
        return []

    def _without_stopped(self, units: list[_Unit]) -> list[_Unit]:
        """The units without those of controls that are stopped, whose failure is recorded."""
        for unit in units:
            if reason := self.failures.stopped(unit.item["control"]):
                self._fail(_Failed([unit], reason))
        return [unit for unit in units if not self.failures.stopped(unit.item["control"])]

    def _attempt(
        self, source: _Source, units: list[_Unit], failed: list[_Failed]
    ) -> list[list[_Unit]]:
        """Extract units; returns the batches to try again.

        Failures that may be the extractor's are added to `failed`; once it gives a map they are
        recorded. Raises JobFailedError if it fails before it takes an image.
        """
        image_set, extractor = source
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
            call = self.worker.call("extract", self.limit, silence=True, first=LOADING, **header)
            for answer in call:
                index = answer["item"]
                match answer["reply"]:
                    case "warned":
                        for warning in answer["warnings"]:
                            self.progress.warn(named(extractor, warning))
                    case "trying":
                        tried = index
                    case "taken":
                        taken[index] = waiting.pop(index)
                        self.failures.sound([taken[index].item["control"]])
                    case "refused":
                        self._blame([_Failed([waiting.pop(index)], answer["reason"])])
                    case "map" if index in taken:
                        unit, head = taken[index], HeadIndex(answer["layer"], answer["head"])
                        if head in unit.wanted:
                            key = unit.wanted[head].key
                            unit.found[head] = MapRecord.from_message(key, answer)
                        if len(unit.found) == len(unit.wanted):
                            self.failures.sound([source])
                            self._blame(failed)
                            self.write(unit.found.values())
                            self.progress.advance()
                            del taken[index]
        except JobFailedError as error:
            if tried in waiting:
                # Loading the image or drawing the control failed, not the extractor.
                culprit = waiting.pop(tried)
                if control := culprit.item["control"]:
                    self.failures.record(control, control, error.reason)
                self._blame([_Failed([culprit], error.reason, error.detail)])
                return [[*taken.values(), *waiting.values()]]
            suspects, rest = list(taken.values()), list(waiting.values())
            if len(suspects) > 1:
                return [*([unit] for unit in suspects), rest]
            if suspects:
                self.failures.record(source, "", error.reason)
                failed.append(_Failed(suspects, error.reason, error.detail))
                if not self.failures.failed_alike(source):
                    self._blame(failed)
            elif len(rest) < len(units):
                self.progress.warn(named(extractor, error.reason))
            else:
                raise
            return [rest]
        for unit in [*taken.values(), *waiting.values()]:
            missing = sorted(set(unit.wanted) - set(unit.found))
            where = f"layer {missing[0].layer}, head {missing[0].head}"
            self._blame([_Failed([unit], f"{extractor} gave no map for {where}")])
        return []

    def _blame(self, failed: list[_Failed]) -> None:
        """Record failures, each with a warning, and forget them."""
        for each in failed:
            for unit in each.units:
                drawn = f"{unit.item['control']} of " if unit.item["control"] else ""
                self.failures.warn(unit.item["image"], each.reason, drawn, each.detail)
            self._fail(each)
        failed.clear()

    def _fail(self, failed: _Failed) -> None:
        """Record why units have no maps."""
        for unit in failed.units:
            keys = [planned.key for planned in unit.wanted.values()]
            self.write([MapRecord(key, reason=failed.reason, detail=failed.detail) for key in keys])
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
        answers = ask_each(
            self.worker, "draw_maps", self.limit, questions, self.failures, itemgetter("control"),
            folder=folder,
        )  # fmt: skip
        for (planned, _), answer in zip(drawable, answers, strict=True):
            self.write([self._drawn(planned, answer)])
            self.progress.advance()

    def _drawn(self, planned: PlannedMap, answer: Mapping[str, Any]) -> MapRecord:
        if "reason" not in answer:
            return MapRecord.from_message(planned.key, answer)
        reason, control = answer["reason"], planned.variant.name
        if reason != self.failures.stopped(control):
            self.failures.warn(planned.image, reason, f"{control} of ", answer.get("detail", ""))
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
