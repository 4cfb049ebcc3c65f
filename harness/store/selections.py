"""Reads and writes what is derived from cells: selections, their significance and stability.

What a selector selected is replaced as a whole whenever it is derived, never resumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from harness.metrics.significance import false_discovery_rates
from harness.store.records import ControlRecord, SelectionRecord, StabilityRecord
from harness.store.schema import SELECTED
from harness.store.tables import Store

# Cell and selector of an accepted selection, its level, and the first and last of its plateau,
# which are that level if it has none.
Accepted = tuple[str, str, int, int, int]

# Maps that failed although their image, if they are of one, could be read.
UNMADE_MAPS = """
SELECT count(DISTINCT map) FROM planned JOIN maps USING (map)
LEFT JOIN images ON images.image_set = planned.image_set AND images.image = planned.image
WHERE maps.reason <> '' AND coalesce(images.reason, '') = ''
"""


@dataclass(frozen=True)
class Group:
    """The cells of one method on one head of one extractor, over all images, with one repeat.

    Their maps have the same number of nodes, which graph builders may choose levels by. observed:
    the map of each observed cell that is ok; controls: for each control, the observed map that each
    of its cells is compared with.
    """

    observed: dict[str, str] = field(default_factory=dict)
    controls: dict[str, dict[str, str]] = field(default_factory=dict)


def groups(store: Store) -> Iterator[Group]:
    """The groups of all planned cells that are ok, read one at a time; each has all controls.

    An observed cell that several extractors share, as they have equal maps, is in the first group.
    """
    names = store.controls()
    identity = "extractor, layer, head, nodes, graph, clusterer, repeat"
    rows = store.connection.execute(
        f"SELECT cell, role, control, map, observed, {identity} "
        "FROM planned JOIN cells USING (cell) WHERE status = 'ok' AND (role = 'control' "
        "OR role = 'observed' AND NOT EXISTS (SELECT * FROM planned AS earlier "
        "WHERE earlier.cell = planned.cell AND earlier.position < planned.position)) "
        f"ORDER BY min(position) OVER (PARTITION BY {identity}), position"
    )
    for _, members in groupby(rows, lambda row: row[5:]):
        found = Group(controls={name: {} for name in names})
        for cell, role, control, map_key, observed, *_ in members:
            if role == "observed":
                found.observed[cell] = map_key
            else:
                found.controls[control][cell] = observed
        yield found


def undrawn_controls(store: Store) -> set[tuple[str, str]]:
    """Each control and map that it was to be drawn for, if not a single draw is there."""
    return set(
        store.connection.execute(
            "SELECT control, observed FROM planned JOIN maps USING (map) WHERE role = 'control' "
            "GROUP BY control, observed HAVING min(reason <> '')"
        )
    )


def count_observed(store: Store) -> int:
    """The number of observed cells in all groups."""
    return store.count(
        "SELECT count(DISTINCT cell) FROM planned JOIN cells USING (cell) "
        "WHERE status = 'ok' AND role = 'observed'"
    )


def replace_selections(
    store: Store, records: Iterable[SelectionRecord], selectors: Sequence[str]
) -> None:
    """Replace the selections and tests of these selectors; writes records as they come.

    The tests of a selector under one control are one family of the false discovery rate.
    """
    families: defaultdict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    with store.connection:
        clear_selections(store, selectors)
        for record in records:
            store.insert("selections", [_selection_row(record)])
            for control, test in record.tests.items():
                families[record.selector, control].append((record.cell, test.significance.p))
                store.insert("tests", [_test_row(record, control, test)])
        for (selector, control), family in families.items():
            rates = false_discovery_rates([p for _, p in family]).tolist()
            store.connection.executemany(
                "UPDATE tests SET q = ? WHERE cell = ? AND selector = ? AND control = ?",
                (
                    (rate, cell, selector, control)
                    for (cell, _), rate in zip(family, rates, strict=True)
                ),
            )


def clear_selections(store: Store, selectors: Iterable[str]) -> None:
    """Delete what these selectors selected, and what follows from it."""
    for table in SELECTED:
        store.connection.executemany(
            f"DELETE FROM {table} WHERE selector = ?", [(spec,) for spec in selectors]
        )


def _selection_row(record: SelectionRecord) -> dict[str, Any]:
    selection = record.selection
    row = {"cell": record.cell, "selector": record.selector}
    if selection is None:
        nothing = dict.fromkeys(("candidate", "statistic", "plateau_first", "plateau_last"))
        return {**row, **nothing, "accepted": 0, "status": "failed", "reason": record.reason}
    first, last = selection.plateau or (None, None)
    return {
        **row, **vars(selection), "accepted": int(selection.accepted),
        "plateau_first": first, "plateau_last": last, "status": "ok",
    }  # fmt: skip


def _test_row(record: SelectionRecord, control: str, test: ControlRecord) -> dict[str, Any]:
    found = test.significance
    return {
        **vars(found),
        "cell": record.cell,
        "selector": record.selector,
        "control": control,
        "null_statistics": np.array(found.null_statistics, dtype="<f8").tobytes(),
        "null_candidates": np.array(test.null_candidates, dtype="<i4").tobytes(),
        "bias": test.bias.mean,
        "single_bias": test.bias.single,
        # Known only when the family is complete.
        "q": 1.0,
    }


def failed_selections(store: Store) -> int:
    """The number of selections that failed."""
    return store.count("SELECT count(*) FROM selections WHERE status <> 'ok'")


def failures(store: Store) -> dict[str, int]:
    """How much of a run failed, by what it was; a cell without a map counts by its map or image."""
    cells = {
        f"cell {status}": count
        for status, count in store.statuses().items()
        if status not in ("ok", "skipped")
    }
    found = {
        "image could not be read": store.count("SELECT count(*) FROM images WHERE reason <> ''"),
        "map could not be read or made": store.count(UNMADE_MAPS),
        **cells,
        "selection failed": failed_selections(store),
    }
    return {what: count for what, count in found.items() if count}


def accepted(store: Store) -> list[Accepted]:
    """All accepted selections, ordered by cell."""
    return store.connection.execute(
        "SELECT cell, selector, candidate, coalesce(plateau_first, candidate), "
        "coalesce(plateau_last, candidate) FROM selections WHERE accepted ORDER BY cell, selector"
    ).fetchall()


def perturbed_cells(store: Store) -> Mapping[tuple[str, int], Mapping[str, str | None]]:
    """The perturbed cells of each observed cell and level, by perturbation; None if not ok."""
    found: defaultdict[tuple[str, int], dict[str, str | None]] = defaultdict(dict)
    for cell, point, perturbation, perturbed, status in store.connection.execute(
        "SELECT DISTINCT base.cell, perturbed.point, perturbed.control, perturbed.cell, status "
        "FROM planned AS perturbed JOIN planned AS base ON base.role = 'observed' "
        "AND base.map = perturbed.map AND base.graph = perturbed.graph "
        "AND base.clusterer = perturbed.clusterer AND base.repeat = perturbed.repeat "
        "LEFT JOIN cells ON cells.cell = perturbed.cell WHERE perturbed.role = 'perturbation' "
        "ORDER BY perturbed.position"
    ):
        found[cell, point][perturbation] = perturbed if status == "ok" else None
    return dict(found)


def replace_stabilities(store: Store, records: Iterable[StabilityRecord]) -> None:
    """Replace all stabilities."""
    with store.connection:
        store.connection.execute("DELETE FROM stabilities")
        store.insert("stabilities", map(vars, records))
