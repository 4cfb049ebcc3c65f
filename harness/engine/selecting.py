"""Applies selectors to stored profiles, group by group."""

from collections.abc import Iterator

from harness.engine.host import Host, in_order
from harness.engine.messages import Message
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
    store: Store, host: Host, wanted: list[tuple[str, str]], controls: list[str], limit: float
) -> Iterator[SelectionRecord]:
    """The choices for (cell, selector) pairs of one group, in their order."""

    def ask(first: int) -> Iterator[Message]:
        asked = {"run": str(store.folder), "wanted": wanted[first:], "controls": controls}
        return host.call("select", limit, silence=True, **asked)

    for pair, answer in zip(wanted, in_order(ask, len(wanted)), strict=True):
        if "reason" in answer:
            yield SelectionRecord(*pair, None, answer["reason"])
        else:
            chosen = answer["selection"]
            ends = chosen["plateau"]
            plateau = None if ends is None else (ends[0], ends[1])
            yield SelectionRecord(*pair, Selection(**{**chosen, "plateau": plateau}))
