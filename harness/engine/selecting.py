"""Applies selectors to stored profiles, group by group, and tests what they choose."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.engine.host import Host, in_order
from harness.engine.messages import Message
from harness.engine.progress import Progress, named
from harness.identity import seed_of
from harness.records import SelectionRecord
from harness.scores.significance import significance
from harness.settings import Pooling
from harness.store import Group, Store, groups
from harness.values import Selection

# Draws of a control that a selection is tested against at most, unless more are asked for: with
# them p is as small as .005, and every draw costs a selection for every image.
MOST_NULLS = 199


def select_all(
    store: Store,
    host: Host,
    selectors: Sequence[str],
    *,
    pooling: Pooling,
    nulls: int,
    limit: float,
    progress: Progress,
) -> Iterator[SelectionRecord]:
    """What every selector chooses on every observed profile; a failure is a record too.

    Each is tested against draws of every control: those of its group, or with pooling by image
    its own image's; of more than are wanted so many are taken at random, by the cell's key.
    """
    found = groups(store)
    progress.begin("selecting", sum(len(group.observed) for group in found) * len(selectors))
    told: set[tuple[str, str]] = set()
    for group in found:
        pools = _Pools(group, pooling, max(nulls, MOST_NULLS))
        questions = [
            {"cell": cell, "selector": selector, "nulls": pools.of(cell)}
            for cell in group.observed
            for selector in selectors
        ]
        for record in _select_group(store, host, questions, pools.controls, limit):
            failure = record.selector, record.reason
            if record.selection is None and failure not in told:
                told.add(failure)
                progress.warn(named(*failure))
            progress.advance()
            yield record


class _Pools:
    """The nulls of each selection of a group, as indices into lists of cells by control."""

    def __init__(self, group: Group, pooling: Pooling, most: int) -> None:
        self.controls = {control: list(cells) for control, cells in group.controls.items()}
        self._group = group
        self._pooling = pooling
        self._most = most

    def of(self, cell: str) -> dict[str, list[int]]:
        """The nulls of an observed cell's selections."""
        return {control: self._indices(cell, control) for control in self.controls}

    def _indices(self, cell: str, control: str) -> list[int]:
        drawn_for = self._group.controls[control]
        observed = self._group.observed[cell]
        indices = [
            index
            for index, drawn in enumerate(self.controls[control])
            if self._pooling == "group" or drawn_for[drawn] == observed
        ]
        if len(indices) <= self._most:
            return indices
        random = np.random.default_rng(seed_of(cell, control))
        return sorted(random.choice(indices, self._most, replace=False).tolist())


def _select_group(
    store: Store,
    host: Host,
    questions: Sequence[Mapping[str, Any]],
    controls: Mapping[str, Sequence[str]],
    limit: float,
) -> Iterator[SelectionRecord]:
    """The answers to the questions of one group, in their order."""

    def ask(first: int) -> Iterator[Message]:
        asked = {"run": str(store.folder), "questions": questions[first:], "controls": controls}
        return host.call("select", limit, silence=True, **asked)

    for question, answer in zip(questions, in_order(ask, len(questions)), strict=True):
        place = question["cell"], question["selector"]
        if "reason" in answer:
            yield SelectionRecord(*place, None, answer["reason"])
            continue
        chosen = answer["selection"]
        ends = chosen["plateau"]
        plateau = None if ends is None else (ends[0], ends[1])
        tests = {
            control: significance(test["statistic"], test["nulls"])
            for control, test in answer["tests"].items()
        }
        yield SelectionRecord(*place, Selection(**{**chosen, "plateau": plateau}), tests=tests)
