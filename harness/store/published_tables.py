"""Makes the tables of a store of those of a published run, and refuses what cannot be a run's.

Files may come from somebody else, with right checksums of wrong content.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import HarnessError
from harness.metrics.partition import numbered
from harness.plugin.values import UNASSIGNED
from harness.store.parquet import pages
from harness.store.publication import DATA, schema_of
from harness.store.publishing import PAGE
from harness.store.schema import LABEL, LARGEST_MAP

# The tables of a store that take columns of a published table.
INTO = {
    "images": ("images",),
    "maps": ("maps",),
    "cells": ("planned", "cells", "sweeps"),
    "points": ("points",),
    "selections": ("selections",),
    "tests": ("tests",),
    "stabilities": ("stabilities",),
    "scores": ("scores", "scored_points"),
}
# What columns of the store are called in a published table.
RENAMED = {
    ("planned", "point"): "perturbed_point",
    ("sweeps", "points"): "n_points",
    ("sweeps", "seconds"): "clustering_seconds",
}
# What columns have that a published run does not have, or that are made of others.
EMPTY = {
    ("planned", "position"): None,
    ("maps", "detail"): "",
    ("cells", "detail"): "",
    ("cells", "labels"): zlib.compress(b""),
}
# Columns that others are made of.
ALSO = {"points": ("labels",), "stabilities": ("candidate",)}
KEPT_LABELS = "CREATE TEMP TABLE kept_labels (cell TEXT, point INTEGER, labels BLOB)"
# What holds for every row of a table; a condition on a value that is missing holds.
LARGEST = 1e300  # of numbers, so that sums of them are numbers
FINITE = "abs({column}) <= {largest}"
RULES = {
    "planned": (
        "role IN ('observed', 'control', 'perturbation')",
        "min(layer, head, draw, repeat, coalesce(point, 0)) >= 0",
    ),
    "images": ("min(height, width, channels) >= 0",),
    "maps": (f"nodes BETWEEN 0 AND {LARGEST_MAP}",),
    "cells": (f"nodes BETWEEN 0 AND {LARGEST_MAP}",),
    "sweeps": ("points >= 0",),
    "points": ("min(point, n_clusters) >= 0",),
    "selections": (
        "candidate >= 0",
        "(plateau_first IS NULL) = (plateau_last IS NULL)",
        "candidate BETWEEN plateau_first AND plateau_last AND plateau_first >= 0",
    ),
    "tests": (
        "p BETWEEN 0 AND 1 AND q BETWEEN 0 AND 1",
        "length(null_statistics) = 2 * length(null_candidates)",
    ),
    "stabilities": ("min(n_compared, weakest_size) >= 0",),
}
# Ranges of scores may be infinite, and statistics of levels that are not accepted.
MAY_BE_INFINITE = (("scores", "lowest"), ("scores", "highest"), ("selections", "statistic"))
# Where tables contradict each other, as readers do not expect: the table at fault, what is wrong,
# and a query that finds it. Maps may have failed after their cells were computed.
CONTRADICTIONS = (
    ("points", "a selected level is missing", """
SELECT 1 FROM selections JOIN cells USING (cell)
LEFT JOIN points ON points.cell = selections.cell AND point = candidate
WHERE candidate IS NOT NULL AND cells.status = 'ok' AND points.cell IS NULL
"""),
    ("selections", "a selected level is not among those of its cell", """
SELECT 1 FROM selections JOIN sweeps USING (cell)
WHERE max(coalesce(candidate, 0), coalesce(plateau_last, 0)) >= max(sweeps.points, 1)
"""),
    ("maps", "the map of a cell that is ok is missing, or has other patches", """
SELECT 1 FROM planned JOIN cells USING (cell) LEFT JOIN maps USING (map)
WHERE role = 'observed' AND cells.status = 'ok' AND (
    maps.map IS NULL OR maps.reason = '' AND maps.nodes <> cells.nodes
)
"""),
    ("tests", "a test is of a control that was not drawn", """
SELECT 1 FROM tests WHERE control NOT IN (SELECT control FROM planned WHERE role = 'control')
"""),
)  # fmt: skip
# Diagnostics are numbers by name, and warnings are texts.
UNUSABLE = """
SELECT 1 FROM points WHERE json_type(diagnostics) <> 'object' OR json_type(warnings) <> 'array'
OR EXISTS (SELECT 1 FROM json_each(diagnostics) WHERE type NOT IN ('integer', 'real', 'null'))
OR EXISTS (SELECT 1 FROM json_each(warnings) WHERE type <> 'text')
"""


def insert_tables(connection: sqlite3.Connection, paths: Mapping[str, Path]) -> None:
    """Insert what published tables hold, given by the paths of their files, into those of a store.

    Raises HarnessError, which names the file at fault, if one is not what it should be.
    """
    connection.execute(KEPT_LABELS)
    for name in DATA:
        try:
            _insert(connection, name, paths[name])
        except HarnessError as error:
            raise HarnessError(f"{paths[name]}: {error}") from error
        except Exception as error:  # pyarrow, SQLite and wrong values raise many kinds
            reason = " ".join(str(error).split())
            raise HarnessError(
                f"{paths[name]}: not a table of a published run: {type(error).__name__}: {reason}"
            ) from error
    for name, wrong, query in CONTRADICTIONS:
        if connection.execute(query).fetchone():
            raise HarnessError(f"{paths[name]}: {wrong}")


def _insert(connection: sqlite3.Connection, name: str, path: Path) -> None:
    sources = {table: _sources(connection, table) for table in INTO[name]}
    used = {column for each in sources.values() for column in each.values() if column}
    schema = schema_of(name)
    wanted = [each for each in schema.names if each in used or each in ALSO.get(name, ())]
    for columns in pages(path, schema, wanted, PAGE):
        if name == "stabilities":
            columns["weakest_cluster"] = _labels_of_numbers(connection, columns)
        if name == "points":
            connection.executemany(
                "INSERT INTO kept_labels VALUES (?, ?, ?)",
                _labelled(columns["cell"], columns["point"], columns["labels"]),
            )
        for table, of_table in sources.items():
            _insert_into(connection, table, of_table, columns)
    for table in sources:
        _check_rows(connection, table)
    if name == "maps":
        _check_maps(connection)
    if name == "points":
        _insert_labels(connection)
        if connection.execute(UNUSABLE).fetchone():
            raise HarnessError("diagnostics or warnings are not what they should be")


def _labelled(
    cells: Iterable[str], points: Iterable[int], labels: Iterable[bytes | None]
) -> Iterator[tuple[str, int, bytes]]:
    for cell, point, of_point in zip(cells, points, labels, strict=True):
        if of_point is None:
            continue
        if np.frombuffer(of_point, LABEL).min(initial=UNASSIGNED) < UNASSIGNED:
            raise HarnessError(f"a label of cell {cell} is below {UNASSIGNED}")
        yield cell, point, of_point


def _sources(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """The published column that each column of a store's table comes from, "" if there is none."""
    names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    return {
        name: "" if (table, name) in EMPTY else RENAMED.get((table, name), name) for name in names
    }


def _insert_into(
    connection: sqlite3.Connection,
    table: str,
    sources: Mapping[str, str],
    columns: Mapping[str, Sequence[Any]],
) -> None:
    """Insert rows into a table of the store; images of equal pixels share cells, listed once."""
    count = len(next(iter(columns.values())))
    values: Iterable[Sequence[Any]] = (
        columns[source] if source else [EMPTY[table, name]] * count
        for name, source in sources.items()
    )
    rows = zip(*values, strict=True)
    if table in ("cells", "sweeps"):
        is_there = (status != "missing" for status in columns["status"])
        rows = (row for row, there in zip(rows, is_there, strict=True) if there)  # type: ignore[assignment]
    marks = ", ".join("?" * len(sources))
    # IGNORE would also pass over missing values.
    connection.executemany(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", rows)


def _labels_of_numbers(
    connection: sqlite3.Connection, columns: Mapping[str, Sequence[Any]]
) -> list[int]:
    """The labels of clusters that are given by their numbers, as `weakest_cluster` is."""
    found = []
    for cell, point, number in zip(
        columns["cell"], columns["candidate"], columns["weakest_cluster"], strict=True
    ):
        if number < 0:
            found.append(number)
            continue
        kept = connection.execute(
            "SELECT labels FROM kept_labels WHERE cell = ? AND point = ?", (cell, point)
        ).fetchone()
        labels = np.frombuffer(b"" if kept is None else kept[0], LABEL)
        of_cluster = labels[numbered(labels) == number]
        if not len(of_cluster):
            raise HarnessError(f"its weakest_cluster {number} is no cluster of the selected level")
        found.append(int(of_cluster[0]))
    return found


def _insert_labels(connection: sqlite3.Connection) -> None:
    """Put the labels of each cell together, as a store has them."""
    connection.execute("CREATE INDEX temp.kept_by_cell ON kept_labels (cell, point)")
    nodes = dict(connection.execute("SELECT cell, nodes FROM cells"))
    kept = connection.execute("SELECT DISTINCT cell, point, labels FROM kept_labels ORDER BY 1, 2")
    for cell, rows in groupby(kept, itemgetter(0)):
        labels = [blob for _, _, blob in rows]
        if any(len(blob) != 2 * nodes.get(cell, 0) for blob in labels):
            raise HarnessError(f"labels of cell {cell} are not one for each node")
        count = connection.execute("SELECT count(*) FROM points WHERE cell = ?", (cell,))
        if count.fetchone()[0] != len(labels):
            raise HarnessError(f"labels of cell {cell} are there for some of its points only")
        connection.execute(
            "UPDATE cells SET labels = ? WHERE cell = ?", (zlib.compress(b"".join(labels), 1), cell)
        )


def _check_rows(connection: sqlite3.Connection, table: str) -> None:
    """Raise HarnessError, which names the rule, unless every row of a table keeps its rules."""
    numbers = connection.execute(
        "SELECT name FROM pragma_table_info(?) WHERE lower(type) = 'real'", (table,)
    ).fetchall()
    finite = (
        FINITE.format(column=column, largest=LARGEST)
        for (column,) in numbers
        if (table, column) not in MAY_BE_INFINITE
    )
    for rule in (*RULES.get(table, ()), *finite):
        if connection.execute(f"SELECT 1 FROM {table} WHERE NOT ({rule})").fetchone():
            raise HarnessError(f"a row does not keep the rule {rule}")


def _check_maps(connection: sqlite3.Connection) -> None:
    """Raise HarnessError unless grids, regions and truths are those of maps, or missing."""
    for nodes, *texts in connection.execute("SELECT nodes, grid, region, truth FROM maps"):
        found: list[Any] = [None if text is None else json.loads(text) for text in texts]
        grid, region, truth = found
        sound = (
            (
                texts[0] is None
                or (_are(grid, (int,), 2, (0, LARGEST_MAP)) and grid[0] * grid[1] == nodes)
            )
            and (texts[1] is None or _are(region, (int, float), 4, (-LARGEST, LARGEST)))
            and (texts[2] is None or _are(truth, (int,), nodes, (UNASSIGNED, LARGEST_MAP)))
        )
        if not sound:
            raise HarnessError("a grid, region or truth is not what it should be")


def _are(values: Any, kinds: Sequence[type], count: int, ends: tuple[float, float]) -> bool:
    """Whether there are so many numbers of these kinds, from the first end to the second."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(each) in kinds and ends[0] <= each <= ends[1] for each in values)
    )
