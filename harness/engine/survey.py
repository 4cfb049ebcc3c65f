"""Surveys the inputs of a run before planning: images, extractors, stored maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.engine.failures import Failures
from harness.engine.worker import LOADING, JobFailedError, Worker, ask_each
from harness.errors import HarnessError
from harness.planning.progress import Progress, named
from harness.planning.survey import (
    MapRecord,
    Survey,
    SurveyedExtractor,
    SurveyedImage,
    SurveyedMap,
)
from harness.plugin.values import HeadIndex

# Sums of rows may be off by this much without a warning: bfloat16 rounds each weight by up to
# 2⁻⁹ of itself.
ROUNDING = 2**-8


@dataclass(frozen=True)
class Surveyor:
    """Asks one worker about the inputs, and saves the weights of stored maps in a folder.

    others: the workers that are asked about some of the map sets instead.
    """

    worker: Worker
    folder: Path
    limit: float
    progress: Progress
    others: Mapping[str, Worker] = field(default_factory=dict)

    def survey(
        self, images: tuple[str, ...], extractors: tuple[str, ...], map_sets: tuple[str, ...]
    ) -> Survey:
        """Everything that a plan needs about these image sets, extractors and map sets.

        Raises HarnessError if a whole set cannot be used, or no extractor can. A single image or
        map that cannot be read is part of the survey, with its reason, and so is an extractor
        beside others.
        """
        # Extractors first: they answer quickly, and are often what is wrong.
        surveyed = tuple(self._extractor(text, images) for text in extractors)
        broken = [named(each.spec, each.reason) for each in surveyed if each.reason]
        if len(broken) == len(surveyed) and not map_sets and broken:
            raise HarnessError("; ".join(broken))
        for line in broken:
            self.progress.warn(line)
        return Survey(
            # Images matter to extractors only.
            tuple(found for text in images for found in self._images(text)) if extractors else (),
            surveyed,
            tuple(found for text in map_sets for found in self._maps(text)),
        )

    def warn_of_clusterers(self, clusterers: tuple[str, ...]) -> None:
        """Show what each of these clusterers does not use of a graph."""
        for text in clusterers:
            # A clusterer that does not answer fails in its cells, with the reason.
            with suppress(JobFailedError):
                if caveat := self._ask("survey_clusterer", clusterer=text)["caveat"]:
                    self.progress.warn(named(text, caveat))

    def _images(self, text: str) -> Iterator[SurveyedImage]:
        for answer in self._entries(text, "image set", "survey_images"):
            yield SurveyedImage(text, **answer)

    def _maps(self, text: str) -> Iterator[SurveyedMap]:
        unusual: dict[str, tuple[float, float]] = {}
        folder = str(self.folder)
        for answer in self._entries(text, "map set", "survey_maps", folder=folder):
            key, head_index = answer["key"], HeadIndex(answer["layer"], answer["head"])
            if "reason" in answer:
                record = MapRecord(key, reason=answer["reason"])
            else:
                record = MapRecord.from_message(key, answer)
                least, most = answer["row_sums"]
                if max(1 - least, most - 1) > ROUNDING:
                    unusual[key] = least, most
            yield SurveyedMap(text, answer["image"], head_index, record)
        if unusual:
            self.progress.warn(named(text, _of_row_sums(unusual)))

    def _entries(self, text: str, kind: str, job: str, **header: Any) -> Iterator[dict[str, Any]]:
        """Yield every key of a set with what was read, or with a "reason" if reading failed."""
        worker = self.others.get(text, self.worker)
        try:
            (asked,) = worker.call("keys", self.limit, first=LOADING, set=text, kind=kind)
        except JobFailedError as error:
            raise HarnessError(named(text, error.reason)) from error
        for warning in asked["warnings"]:
            self.progress.warn(named(text, warning))
        entries = asked["entries"]
        keys = [entry["key"] for entry in entries]
        self.progress.begin(f"reading {text}", len(keys))
        answers = ask_each(worker, job, self.limit, keys, set=text, **header)
        with Failures(self.progress) as failures:
            for entry, answer in zip(entries, answers, strict=True):
                found = {name: answer[name] for name in answer if name not in ("reply", "detail")}
                if "reason" in answer:
                    failures.warn(entry["key"], answer["reason"])
                yield {**entry, **found}
                self.progress.advance()

    def _extractor(self, text: str, images: Sequence[str]) -> SurveyedExtractor:
        try:
            answer = self._ask("survey_extractor", extractor=text, images=images)
        except JobFailedError as error:
            return SurveyedExtractor(text, (HeadIndex(0, 0),), "", error.reason)
        for caveat in dict.fromkeys(answer["caveats"]):
            self.progress.warn(named(text, caveat))
        heads = tuple(HeadIndex(layer, head) for layer, head in answer["heads"])
        return SurveyedExtractor(text, heads, answer["fingerprint"])

    def _ask(self, job: str, **header: Any) -> Mapping[str, Any]:
        """The one answer of a job about a whole component."""
        (answer,) = self.worker.call(job, self.limit, first=LOADING, **header)
        return answer


def _of_row_sums(sums: Mapping[str, tuple[float, float]]) -> str:
    """The warning about maps whose rows do not sum to one; values are smallest and largest sum."""
    first, *others = sums
    more = f" and {len(others)} more maps" if others else ""
    low = min(least for least, _ in sums.values())
    high = max(most for _, most in sums.values())
    return (
        f"rows of {first}{more} do not sum to one, but to {low:.3g} … {high:.3g}; they are taken "
        "as they are"
    )
