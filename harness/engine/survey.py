"""Looks at a run's inputs before anything is planned: images, extractors, stored maps."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.engine.host import Host, JobFailed, answers
from harness.engine.kept_maps import stored_map
from harness.engine.progress import Progress, named
from harness.errors import HarnessError
from harness.plan import Survey, SurveyedExtractor, SurveyedImage, SurveyedMap
from harness.values import Slot


class Surveyor:
    """Asks one host about the inputs; the weights of stored maps are kept in a folder."""

    def __init__(self, host: Host, folder: Path, limit: float, progress: Progress) -> None:
        self.host = host
        self.folder = folder
        self.limit = limit
        self.progress = progress

    def survey(
        self, images: tuple[str, ...], extractors: tuple[str, ...], map_sets: tuple[str, ...]
    ) -> Survey:
        """Everything about these image sets, extractors and map sets that a plan needs.

        Raises HarnessError if a set or an extractor as a whole cannot be used; a single image
        or map that cannot be had is part of the survey, with its reason.
        """
        # Extractors first: they are asked quickly, and are often what is wrong.
        surveyed = tuple(self._extractor(text) for text in extractors)
        return Survey(
            # Images matter to extractors only.
            tuple(found for text in images for found in self._images(text)) if extractors else (),
            surveyed,
            tuple(found for text in map_sets for found in self._maps(text)),
        )

    def _images(self, text: str) -> Iterator[SurveyedImage]:
        for answer in self._entries(text, "survey images", images=text):
            if answer["reply"] == "refused":
                yield SurveyedImage(text, answer["key"], reason=answer["reason"])
                continue
            yield SurveyedImage(
                text,
                answer["key"],
                answer["digest"],
                answer["height"],
                answer["width"],
                answer["channels"],
                answer["label"],
            )

    def _maps(self, text: str) -> Iterator[SurveyedMap]:
        for answer in self._entries(text, "survey maps", maps=text, folder=str(self.folder)):
            if answer["reply"] == "refused":
                yield SurveyedMap(text, answer["key"], reason=answer["reason"])
                continue
            kept = stored_map("", answer)
            slot = Slot(answer["layer"], answer["head"])
            yield SurveyedMap(
                text, answer["key"], answer["image"], slot, kept.digest, kept.nodes, kept.grid
            )

    def _entries(self, text: str, job: str, **header: Any) -> Iterator[Mapping[str, Any]]:
        """What a set holds, entry by entry, refused ones too.

        Answers keep the order of the keys: where the host ends, the next key is to blame, and
        the others are asked for again from the one behind it.
        """
        keys: list[str] = []
        answered = 0
        while not keys or answered < len(keys):
            call = self.host.call(job, self.limit, silence=True, first=answered, **header)
            try:
                for answer in answers(call):
                    if answer["reply"] == "keys":
                        if not keys:
                            self.progress.begin(f"reading {text}", len(answer["keys"]))
                        keys = answer["keys"]
                        continue
                    answered += 1
                    yield self._told(answer)
            except JobFailed as error:
                if answered >= len(keys):
                    raise HarnessError(named(text, error.reason)) from error
                refused = {"reply": "refused", "key": keys[answered], "reason": error.reason}
                answered += 1
                yield self._told(refused)

    def _told(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if answer["reply"] == "refused":
            self.progress.warn(named(answer["key"], answer["reason"]))
        self.progress.advance()
        return answer

    def _extractor(self, text: str) -> SurveyedExtractor:
        try:
            (answer,) = answers(self.host.call("survey extractor", self.limit, extractor=text))
        except JobFailed as error:
            raise HarnessError(f"{text}: {error.reason}") from error
        slots = tuple(Slot(layer, head) for layer, head in answer["slots"])
        return SurveyedExtractor(text, slots, answer["fingerprint"])
