"""Applies selectors to stored profiles, group by group, and tests the selections."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.engine.inline_worker import worker_maker
from harness.engine.messages import Message
from harness.engine.stability import stabilities
from harness.engine.worker import Worker, WorkerConfig, in_order
from harness.errors import HarnessError
from harness.metrics.significance import significance
from harness.planning.identity import code_digest, seed_of
from harness.planning.progress import Progress, named
from harness.planning.settings import Execution, Pooling
from harness.plugin.profile import Selection
from harness.plugin.registry import Registry
from harness.plugin.spec import format_spec
from harness.store import (
    Group,
    Store,
    count_observed,
    failed_selections,
    groups,
    open_for_reading,
    open_for_writing,
    replace_selections,
    replace_stabilities,
)
from harness.store.records import SelectionRecord

# The most draws of a control that a selection is tested against, unless --nulls asks for more: they
# allow p = .005, and each costs a selection for every image.
MOST_NULLS = 199
# Nulls in one message; the pooled nulls of many maps take many messages.
MOST_INDICES = 1_000_000


def select_all(
    store: Store,
    worker: Worker,
    selectors: Sequence[str],
    *,
    pooling: Pooling,
    n_nulls: int,
    limit: float,
    progress: Progress,
) -> Iterator[SelectionRecord]:
    """Yield the selection of every selector on every observed profile; a failure is a record too.

    Each is tested against draws of every control: those of its group or, with pooling by image,
    those of its image. From too many draws a random sample is taken, seeded by the cell's seed,
    which does not depend on code.
    """
    progress.begin("selecting", count_observed(store) * len(selectors))
    warned: set[tuple[str, str]] = set()
    for group in groups(store):
        questions = _Questions(group, selectors, pooling, max(n_nulls, MOST_NULLS))
        for record in _select_group(store, worker, questions, limit):
            failure = record.selector, record.reason
            if record.selection is None and failure not in warned:
                warned.add(failure)
                progress.warn(named(*failure))
            progress.advance()
            yield record


class _Questions:
    """The selections of a group, each with its nulls as indices into lists of cells by control."""

    def __init__(self, group: Group, selectors: Sequence[str], pooling: Pooling, most: int) -> None:
        self.controls = {control: list(cells) for control, cells in group.controls.items()}
        self.pairs = [(cell, selector) for cell in group.observed for selector in selectors]
        self._most = most
        self._seeds = group.seeds
        pooled = pooling == "group"
        # Indices by control and by what they are nulls of: a map, or "" for the whole group.
        self._pools: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for control, cells in group.controls.items():
            for index, of in enumerate(cells.values()):
                self._pools[control, "" if pooled else of].append(index)
        self._pool_of = {cell: "" if pooled else of for cell, of in group.observed.items()}

    def after(self, first: int) -> list[Mapping[str, Any]]:
        """The questions from an index on, as many as fit in one message; at least one."""
        asked: list[Mapping[str, Any]] = []
        indices = 0
        for cell, selector in self.pairs[first:]:
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
    """Yield the answers to the questions of one group, in their order."""

    def ask(first: int) -> Iterator[Message]:
        asked = {"questions": questions.after(first), "controls": questions.controls}
        return worker.call("select", limit, silence=True, run=str(store.folder), **asked)

    pairs = questions.pairs
    for pair, answer in zip(pairs, in_order(ask, len(pairs)), strict=True):
        if "reason" in answer:
            yield SelectionRecord(*pair, None, answer["reason"])
            continue
        chosen = answer["selection"]
        plateau = chosen["plateau"] and tuple(chosen["plateau"])
        tests = {
            control: significance(test["statistic"], test["nulls"])
            for control, test in answer["tests"].items()
        }
        yield SelectionRecord(*pair, Selection(**{**chosen, "plateau": plateau}), tests=tests)


def apply_selectors(
    folder: Path,
    specs: Sequence[str],
    execution: Execution,
    registry: Registry,
    progress: Progress,
) -> int:
    """Apply more selectors to the stored profiles of a run; nothing is clustered again.

    Clusters at levels that no selector selected before are compared across levels only: seeds and
    perturbations need clustering, which the next run does. Returns how many selections failed.
    Raises HarnessError if there is no run, it is in use, or a selector does not exist.
    """
    made = [one for text in specs for one in registry.make("selector", text)]
    if not made:
        raise HarnessError("selectors: name at least one selector")
    codes = {format_spec(selector): code_digest(type(selector)) for selector in made}
    config = WorkerConfig.of(execution, {f"selector {text}": code for text, code in codes.items()})
    with open_for_reading(folder) as store:
        settings = store.settings()
    with (
        open_for_writing(folder) as store,
        worker_maker(config, execution.isolation, registry) as make_worker,
        make_worker() as worker,
    ):
        records = select_all(
            store,
            worker,
            list(codes),
            pooling=settings["pooling"],
            n_nulls=settings["nulls"],
            limit=execution.timeout.seconds,
            progress=progress,
        )
        replace_selections(store, records, list(codes))
        listed = list(dict.fromkeys([*settings["selectors"], *codes]))
        store.change_settings({**settings, "selectors": listed})
        replace_stabilities(store, stabilities(store))
        return failed_selections(store)
