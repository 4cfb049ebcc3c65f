"""Applies selectors to stored profiles, group by group."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.engine.host import Host, JobFailed, answers
from harness.engine.progress import Progress, named
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
    told: set[tuple[str, str]] = set()
    for observed, controls in groups:
        wanted = [(cell, selector) for cell in observed for selector in settings.selectors]
        for record in _select_group(store, host, wanted, controls, limit):
            failure = record.selector, record.reason
            if record.selection is None and failure not in told:
                told.add(failure)
                progress.warn(named(*failure))
            progress.advance()
            yield record


def _select_group(
    store: Store,
    host: Host,
    waiting: list[tuple[str, str]],
    controls: list[str],
    limit: float,
) -> Iterator[SelectionRecord]:
    """The choices for (cell, selector) pairs of one group, in their order."""
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
                yield _record(*waiting.pop(0), answer)
        except JobFailed as error:
            # Answers come in order: the first that is missing is the one that failed.
            yield SelectionRecord(*waiting.pop(0), None, error.reason)


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
