"""Reads and writes what is derived from cells: selections, their significance and stability.

All of it is replaced whenever it is derived anew, never resumed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.records import SelectionRecord, StabilityRecord
from harness.scores.significance import false_discovery_rates
from harness.store.tables import Store, null_for_nan


@dataclass(frozen=True)
class Group:
    """What one method did with one slot of one extractor, over all images, with one repeat.

    All maps are of one size: builders may choose levels by it. observed: cells that are ok, with
    the key of their map; controls: those of each control, with the key of the observed map that
    they are drawn for.
    """

    observed: dict[str, str] = field(default_factory=dict)
    controls: dict[str, dict[str, str]] = field(default_factory=dict)


def groups(store: Store) -> list[Group]:
    """The groups of all cells that are planned and ok; every planned control is in each."""
    names = store.controls()
    grouped: dict[tuple[object, ...], Group] = {}
    for cell, role, control, of, observed, *group in store.connection.execute(
        "SELECT DISTINCT cell, role, control, map, observed, extractor, layer, head, nodes, graph, "
        "clusterer, repeat FROM planned JOIN cells USING (cell) "
        "WHERE status = 'ok' AND role <> 'perturbation' ORDER BY position"
    ):
        found = grouped.setdefault(tuple(group), Group(controls={name: {} for name in names}))
        if role == "observed":
            found.observed[cell] = of
        else:
            found.controls[control][cell] = observed
    return list(grouped.values())


def replace_selections(
    store: Store, records: Sequence[SelectionRecord], selectors: Sequence[str] | None = None
) -> None:
    """Keep these selections with their tests, and no others of these selectors, or of any.

    The tests of a selector under a control are a family, whose false discovery rate is kept.
    """
    families: dict[tuple[str, str], list[SelectionRecord]] = {}
    for record in records:
        for control in record.tests:
            families.setdefault((record.selector, control), []).append(record)
    with store.connection:
        for table in ("selections", "tests", "stabilities"):
            if selectors is None:
                store.connection.execute(f"DELETE FROM {table}")
            else:
                store.connection.executemany(
                    f"DELETE FROM {table} WHERE selector = ?", [(text,) for text in selectors]
                )
        store.connection.executemany(
            "INSERT INTO selections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_selection_row(record) for record in records),
        )
        for (_, control), family in families.items():
            rates = false_discovery_rates([record.tests[control].p for record in family])
            store.connection.executemany(
                "INSERT INTO tests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _test_row(record, control, rate)
                    for record, rate in zip(family, rates.tolist(), strict=True)
                ),
            )


def _selection_row(record: SelectionRecord) -> tuple[object, ...]:
    selection = record.selection
    if selection is None:
        return record.cell, record.selector, None, None, 0, None, None, "failed", record.reason
    return (
        record.cell, record.selector, selection.candidate, null_for_nan(selection.statistic),
        int(selection.accepted), *(selection.plateau or (None, None)), "ok", selection.reason,
    )  # fmt: skip


def _test_row(record: SelectionRecord, control: str, rate: float) -> tuple[object, ...]:
    test = record.tests[control]
    return (
        record.cell, record.selector, control, null_for_nan(test.statistic),
        np.array(test.null_statistics, dtype="<f8").tobytes(), null_for_nan(test.null_mean),
        null_for_nan(test.null_deviation), null_for_nan(test.z), test.p, rate,
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
                    null_for_nan(record.jaccard), record.weakest, record.weakest_size,
                    null_for_nan(record.weakest_jaccard),
                )
                for record in records
            ),
        )  # fmt: skip
