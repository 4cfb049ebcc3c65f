"""Reads and writes what is derived from cells: selections, their significance and stability.

All of it is replaced whenever it is derived anew, never resumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from harness.metrics.significance import Significance, false_discovery_rates
from harness.store.records import SelectionRecord, StabilityRecord
from harness.store.tables import Store, none_for_nan


@dataclass(frozen=True)
class Group:
    """What one method did with one head of one extractor, over all images, with one repeat.

    All maps are of one size: builders may choose levels by it. observed: cells that are ok, with
    the key of their map; seeds: the seed of each; controls: the cells of each control, with the
    key of the observed map that they are drawn for.
    """

    observed: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    controls: dict[str, dict[str, str]] = field(default_factory=dict)


def groups(store: Store) -> Iterator[Group]:
    """The groups of all cells that are planned and ok; every planned control is in each.

    One is read when it is asked for: together they may be many cells.
    """
    names = store.controls()
    of_group = "extractor, layer, head, nodes, graph, clusterer, repeat"
    rows = store.connection.execute(
        f"SELECT cell, role, control, map, observed, seed, {of_group} "
        "FROM planned JOIN cells USING (cell) WHERE status = 'ok' AND role <> 'perturbation' "
        f"ORDER BY min(position) OVER (PARTITION BY {of_group}), position"
    )
    for _, members in groupby(rows, lambda row: row[6:]):
        found = Group(controls={name: {} for name in names})
        for cell, role, control, of, observed, seed, *_ in members:
            if role == "observed":
                found.observed[cell] = of
                found.seeds[cell] = seed
            else:
                found.controls[control][cell] = observed
        yield found


def count_observed(store: Store) -> int:
    """How many observed cells all groups have."""
    (count,) = store.connection.execute(
        "SELECT count(DISTINCT cell) FROM planned JOIN cells USING (cell) "
        "WHERE status = 'ok' AND role = 'observed'"
    ).fetchone()
    return int(count)


def replace_selections(
    store: Store, records: Iterable[SelectionRecord], selectors: Sequence[str] | None = None
) -> None:
    """Keep these selections with their tests, and no others of these selectors, or of any.

    Each is written when it comes. The tests of a selector under a control are a family, whose
    false discovery rate is kept.
    """
    families: defaultdict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    with store.connection:
        for table in ("selections", "tests", "stabilities"):
            if selectors is None:
                store.connection.execute(f"DELETE FROM {table}")
            else:
                store.connection.executemany(
                    f"DELETE FROM {table} WHERE selector = ?", [(text,) for text in selectors]
                )
        for record in records:
            store.connection.execute(
                "INSERT INTO selections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _selection_row(record)
            )
            for control, test in record.tests.items():
                families[record.selector, control].append((record.cell, test.p))
                # The rate is not known before all are.
                store.connection.execute(
                    "INSERT INTO tests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (record.cell, record.selector, control, *_test_figures(test), 1.0),
                )
        for (selector, control), family in families.items():
            rates = false_discovery_rates([p for _, p in family]).tolist()
            store.connection.executemany(
                "UPDATE tests SET q = ? WHERE cell = ? AND selector = ? AND control = ?",
                (
                    (rate, cell, selector, control)
                    for (cell, _), rate in zip(family, rates, strict=True)
                ),
            )


def _selection_row(record: SelectionRecord) -> tuple[object, ...]:
    selection = record.selection
    if selection is None:
        return record.cell, record.selector, None, None, 0, None, None, "failed", record.reason
    return (
        record.cell, record.selector, selection.candidate, none_for_nan(selection.statistic),
        int(selection.accepted), *(selection.plateau or (None, None)), "ok", selection.reason,
    )  # fmt: skip


def _test_figures(test: Significance) -> tuple[object, ...]:
    return (
        none_for_nan(test.statistic), np.array(test.null_statistics, dtype="<f8").tobytes(),
        none_for_nan(test.null_mean), none_for_nan(test.null_std), none_for_nan(test.z),
        test.p,
    )  # fmt: skip


def failed_selections(store: Store) -> int:
    """How many selections failed."""
    query = "SELECT count(*) FROM selections WHERE status <> 'ok'"
    (count,) = store.connection.execute(query).fetchone()
    return int(count)


@dataclass(frozen=True)
class Accepted:
    """A selection that was accepted: its level, and its plateau if it has one."""

    cell: str
    selector: str
    candidate: int
    plateau: tuple[int, int] | None


def accepted(store: Store) -> list[Accepted]:
    """All selections that were accepted, those of a cell together."""
    return [
        Accepted(cell, selector, candidate, None if first is None else (first, last))
        for cell, selector, candidate, first, last in store.connection.execute(
            "SELECT cell, selector, candidate, plateau_first, plateau_last FROM selections "
            "WHERE accepted ORDER BY cell, selector"
        )
    ]


def perturbed_cells(store: Store) -> Mapping[tuple[str, int], Mapping[str, str | None]]:
    """By observed cell and level: by perturbation the key of the cell that is ok, or None."""
    found: dict[tuple[str, int], dict[str, str | None]] = {}
    for cell, point, perturbation, perturbed, status in store.connection.execute(
        "SELECT DISTINCT base.cell, perturbed.point, perturbed.control, perturbed.cell, status "
        "FROM planned AS perturbed JOIN planned AS base ON base.role = 'observed' "
        "AND base.map = perturbed.map AND base.graph = perturbed.graph "
        "AND base.clusterer = perturbed.clusterer AND base.repeat = perturbed.repeat "
        "LEFT JOIN cells ON cells.cell = perturbed.cell WHERE perturbed.role = 'perturbation' "
        "ORDER BY perturbed.position"
    ):
        of = found.setdefault((cell, point), {})
        of[perturbation] = perturbed if status == "ok" else None
    return found


def replace_stabilities(store: Store, records: Iterable[StabilityRecord]) -> None:
    """Keep these stabilities and no others."""
    with store.connection:
        store.connection.execute("DELETE FROM stabilities")
        store.connection.executemany(
            "INSERT INTO stabilities VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    record.cell, record.selector, record.kind, record.compared,
                    none_for_nan(record.jaccard), record.weakest, record.weakest_size,
                    none_for_nan(record.weakest_jaccard),
                )
                for record in records
            ),
        )  # fmt: skip
