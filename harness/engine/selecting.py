"""Applies selectors to stored profiles, group by group, and tests the selections."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import cycle
from operator import itemgetter
from pathlib import Path
from typing import Any

from harness.engine.ahead import Ahead, Rehearsed
from harness.engine.applying import applied, made_of
from harness.engine.failures import Failures
from harness.engine.pool import LocalPool
from harness.engine.stability import stabilities
from harness.engine.worker import Worker, ask_each
from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import significance
from harness.planning.progress import Progress
from harness.planning.settings import Execution, Pooling
from harness.plugin.profile import Selection
from harness.plugin.registry import Registry
from harness.store import Store, open_for_reading
from harness.store.records import ControlRecord, SelectionRecord
from harness.store.selections import (
    Group,
    count_observed,
    groups,
    replace_selections,
    replace_stabilities,
    undrawn_controls,
)

Questions = list[dict[str, Any]]
Header = Mapping[str, Any]
# Questions of one group, and what they share.
Piece = tuple[Questions, Header]

# Questions that one worker gets at a time; each time it reads the draws anew.
PIECE = 200
# Selections that take as long as several workers to start.
MANY_QUESTIONS = 400


def select_all(
    store: Store,
    worker: Worker,
    selectors: Sequence[str],
    how: Execution,
    progress: Progress,
    pool: LocalPool | None = None,
) -> Iterator[SelectionRecord]:
    """Yield the selection of every selector on every observed profile; a failure is a record too.

    Each is tested against draws of every control: those of its group or, with pooling by image,
    those of its image. The workers of a pool select ahead; records and their order are the same.
    """
    progress.begin("selecting", count_observed(store) * len(selectors))
    limit = how.timeout.seconds
    with Failures(progress, how.keep_going) as failures:
        for questions, header, asked in _asked(_pieces(store, selectors), worker, limit, pool):
            answers = ask_each(
                asked, "select", limit, questions, failures, itemgetter("selector"), **header
            )
            for question, answer in zip(questions, answers, strict=True):
                record = _record(question["cell"], question["selector"], answer)
                if record.selection is None and record.reason != failures.stopped(record.selector):
                    failures.warn(record.selector, record.reason)
                for control, test in answer.get("tests", {}).items():
                    if "reason" in test:
                        failures.warn(record.selector, test["reason"], f"under {control}, ")
                progress.advance()
                yield record


def needs_pool(store: Store, selectors: Sequence[str], how: Execution) -> bool:
    """Whether there are so many selections that several workers on this machine take less time."""
    is_local = how.isolation == "process" and how.dask is None and how.workers > 1
    return is_local and count_observed(store) * len(selectors) >= MANY_QUESTIONS


def _asked(
    pieces: Iterable[Piece], worker: Worker, limit: float, pool: LocalPool | None
) -> Iterator[tuple[Questions, Header, Worker]]:
    """Yield each piece with a worker that answers it; with a pool, the next ones are under way."""
    if pool is None:
        yield from ((*piece, worker) for piece in pieces)
        return
    under_way: deque[tuple[Piece, Future[Ahead]]] = deque()
    for questions, header in pieces:
        under_way.append(((questions, header), pool.ask("select", limit, questions, header)))
        if len(under_way) == pool.room():
            piece, ahead = under_way.popleft()
            yield *piece, Rehearsed(ahead.result(), worker)
    for piece, ahead in under_way:
        yield *piece, Rehearsed(ahead.result(), worker)


def _pieces(store: Store, selectors: Sequence[str]) -> Iterator[Piece]:
    """Yield the questions of each group, not too many at a time, with what they share."""
    pooling, undrawn = store.settings()["pooling"], undrawn_controls(store)
    for group in groups(store):
        questions, controls = _questions(group, selectors, pooling, undrawn)
        header = {"run": str(store.folder), "controls": controls}
        for first in range(0, len(questions), PIECE):
            yield questions[first : first + PIECE], header


def _questions(
    group: Group, selectors: Sequence[str], pooling: Pooling, undrawn: Set[tuple[str, str]]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, list[str]]]]:
    """The selections of a group, and the cells of each control by pool: by map, or all in one."""
    is_pooled = pooling == "group"
    own = {control: own_draws(group, control, is_pooled=is_pooled) for control in group.controls}
    controls: dict[str, dict[str, list[str]]] = {control: {} for control in group.controls}
    for control, cells in group.controls.items():
        for cell, observed in cells.items():
            controls[control].setdefault("" if is_pooled else observed, []).append(cell)
    of_cells = [
        {
            "cell": cell,
            "pool": "" if is_pooled else observed,
            "untested": [name for name in controls if (name, observed) in undrawn],
            "own": {control: draws[cell] for control, draws in own.items()},
        }
        for cell, observed in group.observed.items()
    ]
    return [{**each, "selector": name} for name in selectors for each in of_cells], controls


def own_draws(group: Group, control: str, *, is_pooled: bool) -> dict[str, list[int]]:
    """The draws of each observed cell's map, by their index in its pool.

    Cells from whose map nothing was drawn take the draws of other maps, in turn and in an order
    that does not depend on that of the images.
    """
    pools: defaultdict[str, list[int]] = defaultdict(list)
    for index, observed in enumerate(group.controls[control].values()):
        pools[observed].append(index if is_pooled else len(pools[observed]))
    found = {cell: pools[map_key] for cell, map_key in group.observed.items() if map_key in pools}
    lenders = cycle(pools[map_key] for map_key in sorted(pools)) if is_pooled else cycle([])
    borrowing = sorted(group.observed.keys() - found.keys())
    return found | {cell: next(lenders, []) for cell in borrowing}


def _record(cell: str, selector: str, answer: Mapping[str, Any]) -> SelectionRecord:
    if "reason" in answer:
        return SelectionRecord(cell, selector, None, answer["reason"])
    chosen = answer["selection"]
    plateau = chosen["plateau"] and tuple(chosen["plateau"])
    tests = {
        control: ControlRecord(
            significance(test["statistic"], test["nulls"]),
            test["candidates"],
            SelectionBias(**test["bias"]),
        )
        for control, test in answer["tests"].items()
        if "reason" not in test
    }
    return SelectionRecord(cell, selector, Selection(**{**chosen, "plateau": plateau}), tests=tests)


def apply_selectors(
    folder: Path, specs: Sequence[str], execution: Execution, registry: Registry, progress: Progress
) -> list[str]:
    """Apply more selectors to the stored profiles of a run; returns their specs.

    What they select is stored beside what the run's own selected. Perturbed maps at levels that no
    selector selected before are clustered in the next run. Raises HarnessError if there is no run,
    it is in use, or a selector does not exist.
    """
    selectors = made_of("selector", specs, registry)
    with open_for_reading(folder) as store:
        store.settings()  # refuses a folder in which nothing is planned
    with (
        applied(folder, selectors.values(), execution, registry, progress) as at_work,
        ExitStack() as stack,
    ):
        store, worker, config = at_work
        pool = None
        if needs_pool(store, list(selectors), execution):
            pool = stack.enter_context(LocalPool(execution.workers, config, store.maps_folder))
        records = select_all(store, worker, list(selectors), execution, progress, pool)
        replace_selections(store, records, list(selectors))
        replace_stabilities(store, stabilities(store, progress))
    return list(selectors)
