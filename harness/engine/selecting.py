"""Applies selectors to stored profiles, group by group, and tests what they choose."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.engine.messages import Message
from harness.engine.worker import Worker, in_order
from harness.metrics.significance import significance
from harness.planning.identity import seed_of
from harness.planning.progress import Progress, named
from harness.planning.settings import Pooling
from harness.plugin.profile import Selection
from harness.store import Group, Store, count_observed, groups
from harness.store.records import SelectionRecord

# Draws of a control that a selection is tested against at most, unless more are asked for: with
# them p is as small as .005, and every draw costs a selection for every image.
MOST_NULLS = 199
# Nulls named in one message; what many maps are tested against together fills many.
MOST_INDICES = 1_000_000


def select_all(
    store: Store,
    worker: Worker,
    selectors: Sequence[str],
    *,
    pooling: Pooling,
    nulls: int,
    limit: float,
    progress: Progress,
) -> Iterator[SelectionRecord]:
    """What every selector chooses on every observed profile; a failure is a record too.

    Each is tested against draws of every control: those of its group, or with pooling by image
    its own image's; of more than are wanted so many are taken at random, by the
    cell's seed, which code that changes leaves as it is.
    """
    progress.begin("selecting", count_observed(store) * len(selectors))
    told: set[tuple[str, str]] = set()
    for group in groups(store):
        questions = _Questions(group, selectors, pooling, max(nulls, MOST_NULLS))
        for record in _select_group(store, worker, questions, limit):
            failure = record.selector, record.reason
            if record.selection is None and failure not in told:
                told.add(failure)
                progress.warn(named(*failure))
            progress.advance()
            yield record


class _Questions:
    """The selections of a group, each with its nulls as indices into lists of cells by control."""

    def __init__(self, group: Group, selectors: Sequence[str], pooling: Pooling, most: int) -> None:
        self.controls = {control: list(cells) for control, cells in group.controls.items()}
        self.places = [(cell, selector) for cell in group.observed for selector in selectors]
        self._most = most
        self._seeds = group.seeds
        pooled = pooling == "group"
        # Indices by control and what they are nulls of: a map, or the group.
        self._pools: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for control, cells in group.controls.items():
            for index, of in enumerate(cells.values()):
                self._pools[control, "" if pooled else of].append(index)
        self._pool_of = {cell: "" if pooled else of for cell, of in group.observed.items()}

    def after(self, first: int) -> list[Mapping[str, Any]]:
        """The questions from a number on, as many as are asked at once; at least one."""
        asked: list[Mapping[str, Any]] = []
        indices = 0
        for cell, selector in self.places[first:]:
            nulls = {control: self._nulls(cell, control) for control in self.controls}
            asked.append({"cell": cell, "selector": selector, "nulls": nulls})
            indices += sum(map(len, nulls.values()))
            if indices >= MOST_INDICES:
                break
        return asked

    def _nulls(self, cell: str, control: str) -> list[int]:
        pool = self._pools[control, self._pool_of[cell]]
        if len(pool) <= self._most:
            return pool
        random = np.random.default_rng(seed_of(self._seeds[cell], control))
        return sorted(random.choice(pool, self._most, replace=False).tolist())


def _select_group(
    store: Store,
    worker: Worker,
    questions: _Questions,
    limit: float,
) -> Iterator[SelectionRecord]:
    """The answers to the questions of one group, in their order."""

    def ask(first: int) -> Iterator[Message]:
        asked = {"questions": questions.after(first), "controls": questions.controls}
        return worker.call("select", limit, silence=True, run=str(store.folder), **asked)

    places = questions.places
    for place, answer in zip(places, in_order(ask, len(places)), strict=True):
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
