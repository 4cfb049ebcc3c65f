"""What a plan lacks: its cells without a record, the maps they need, how long such cells take."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from harness.planning.survey import MapRecord
from harness.store.tables import Store

# A method and the kind of maps that it is applied to: observed, or of a control or perturbation.
METHOD_COLUMNS = ("image_set", "extractor", "graph", "clusterer", "role", "control")
# The cell of the same method on the map that a control or perturbation is compared with.
BASE = """
(SELECT base.cell FROM planned AS base
WHERE base.map = planned.observed AND base.role = 'observed' AND base.graph = planned.graph
AND base.clusterer = planned.clusterer AND base.repeat = planned.repeat LIMIT 1) AS base
"""
# Planned cells without a record. Images of equal pixels share a cell, which is listed once.
MISSING = """
FROM planned LEFT JOIN maps USING (map)
WHERE NOT EXISTS (SELECT 1 FROM cells WHERE cells.cell = planned.cell)
AND NOT EXISTS (
    SELECT 1 FROM planned AS earlier
    WHERE earlier.cell = planned.cell AND earlier.position < planned.position
)
"""
# Planned cells that are ok, with the seconds that a point took.
TIMINGS = """
SELECT extractor, role, graph, clusterer,
cells.seconds / (SELECT count(*) FROM {schema}.points AS points WHERE points.cell = cells.cell)
FROM {schema}.planned AS planned JOIN {schema}.cells AS cells USING (cell) WHERE status = 'ok'
"""


class CellKind(NamedTuple):
    """What determines about how long a cell takes.

    role: of its map: observed, control or perturbation.
    """

    extractor: str
    role: str
    graph: str
    clusterer: str

    @property
    def method(self) -> tuple[str, str]:
        """Graph builder and clusterer."""
        return self.graph, self.clusterer


def unfinished(store: Store) -> str:
    """What the run lacks because it was stopped or still runs, in words; "" if nothing."""
    missing = sum(count_missing(store).values())
    planned = store.count("SELECT count(DISTINCT cell) FROM planned")
    if missing:
        lacks = f"{planned - missing} of {planned} cells are computed"
    elif store.sessions()[-1].get("finished", True):
        return ""
    else:
        lacks = f"selections or stabilities are missing, though all {planned} cells are computed"
    return f"unfinished: {lacks}; the same command continues"


def count_missing(store: Store) -> dict[CellKind, int]:
    """The number of planned cells without a record, by kind."""
    rows = store.connection.execute(
        f"SELECT extractor, role, graph, clusterer, count(*) {MISSING} GROUP BY 1, 2, 3, 4"
    )
    return {CellKind(*kind): count for *kind, count in rows}


def missing_cells(
    store: Store, after: int, count: int
) -> list[tuple[sqlite3.Row, MapRecord | None]]:
    """The next planned cells without a record, at most `count`, after a position of the plan.

    Each is its row of `planned` and `base`, the observed cell that it is compared with, with
    the record of its map (without truth and detail), if there is one.
    """
    rows = store.rows(
        f"SELECT planned.*, {BASE}, digest, nodes, grid, region, NULL AS truth, reason, "
        f"'' AS detail {MISSING} AND position > ? ORDER BY position LIMIT ?",
        (after, count),
    )
    return [(row, None if row["digest"] is None else MapRecord.from_row(row)) for row in rows]


def sound_methods(store: Store) -> list[tuple[str, ...]]:
    """Return the values of METHOD_COLUMNS that at least one successful planned cell has."""
    return store.connection.execute(
        f"SELECT DISTINCT {', '.join(METHOD_COLUMNS)} FROM planned JOIN cells USING (cell) "
        "WHERE status = 'ok'"
    ).fetchall()


def sound_sources(store: Store) -> list[tuple[str, ...] | str]:
    """The controls, and the image sets with their extractors, that gave a planned map."""
    of_maps = "FROM planned JOIN maps USING (map) WHERE reason = ''"
    read = store.connection.execute
    controls = read(f"SELECT DISTINCT control {of_maps} AND role = 'control'")
    return [
        *read(f"SELECT DISTINCT image_set, extractor {of_maps}"),
        *(control for (control,) in controls),
    ]


def maps_needed(store: Store) -> set[str]:
    """The keys of the maps of cells without a record, and of the maps that controls need.

    Cells that were taken over from another run need theirs too, if that had lost its file.
    """
    rows = store.connection.execute(
        f"SELECT planned.map, observed {MISSING} UNION "
        "SELECT map, observed FROM planned WHERE map NOT IN (SELECT map FROM maps)"
    )
    return {key for row in rows for key in row if key}


def timings(store: Store) -> Iterator[tuple[CellKind, float]]:
    """Yield the kind of every planned cell that is ok, and its seconds a point."""
    rows = store.connection.execute(TIMINGS.format(schema="main"))
    return ((CellKind(*kind), seconds) for *kind, seconds in rows)
