"""Applies selectors to stored profiles, group by group."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.engine.host import Host, JobFailed, answers
from harness.engine.progress import Progress
from harness.records import SelectionRecord
from harness.settings import Settings
from harness.store import Store
from harness.values import Selection


def select_all(
    store: Store, host: Host, settings: Settings, limit: float, progress: Progress
) -> Iterator[SelectionRecord]:
    """What every selector chooses on every observed profile; a failure is a record too."""
    groups = store.groups()
    total = sum(len(observed) for observed, _ in groups) * len(settings.selectors)
    progress.begin("selecting", total)
    for observed, controls in groups:
        waiting = [(cell, selector) for cell in observed for selector in settings.selectors]
        while waiting:
            call = host.call(
                "select",
                limit,
                silence=True,
                run=str(store.folder),
                wanted=waiting,
                controls=controls,
            )
            try:
                for answer in answers(call):
                    cell, selector = waiting.pop(0)
                    yield _record(cell, selector, answer)
                    progress.advance()
            except JobFailed as error:
                # Answers come in order: the first that is missing is the one that failed.
                cell, selector = waiting.pop(0)
                progress.warn(f"{selector}: {error.reason}")
                yield SelectionRecord(cell, selector, None, error.reason)
                progress.advance()


def _record(cell: str, selector: str, answer: Mapping[str, Any]) -> SelectionRecord:
    if "candidate" not in answer:
        return SelectionRecord(cell, selector, None, answer["reason"])
    plateau = answer["plateau"]
    return SelectionRecord(
        cell,
        selector,
        Selection(
            answer["candidate"],
            answer["statistic"],
            answer["accepted"],
            None if plateau is None else (plateau[0], plateau[1]),
            answer["reason"],
        ),
    )
