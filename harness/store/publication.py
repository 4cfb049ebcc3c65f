"""What a published run is: tables as Parquet, provenance as JSON, and checksums of both.

The tables are those of `harness export`, with the columns from which a store can be made again; the
points are by default those of selected levels alone.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.plugin.requirement import Requirement
from harness.store import frames
from harness.store.schema import FILE_NAME, SCHEMA

if TYPE_CHECKING:
    import pyarrow

# Of the layout of a folder and its tables.
FORMAT = 1
PROVENANCE = "provenance.json"
CHECKSUMS = "SHA256SUMS"
CARD = "README.md"
REPORT = "report.html"
TABLES = "tables"
# The table of methods, which is made of the others.
LEADERBOARD = "leaderboard"
# What the points of a published run are of.
SELECTED, ALL = "selected levels", "all levels"
PUBLISHED = Requirement("attention-harness[parquet]", ("pyarrow",))
CHECKSUM = re.compile(r"([0-9a-f]{64})  (\S+)")

# Where the sums over all levels of a cell stand, whichever points are there.
SWEEPS = """
CREATE TABLE sweeps (
    cell TEXT PRIMARY KEY, points INTEGER NOT NULL, seconds REAL
) WITHOUT ROWID;
"""
CELLS = f"""
SELECT planned.cell, planned.map, {frames.IDENTITY}, planned.observed,
       coalesce(cells.status, 'missing') AS status, coalesce(cells.reason, '') AS reason,
       cells.seconds, cells.peak_memory, cells.nodes,
       (SELECT count(*) FROM main.points AS every WHERE every.cell = planned.cell) AS n_points,
       (SELECT sum(seconds) FROM main.points AS every WHERE every.cell = planned.cell)
           AS clustering_seconds
FROM planned LEFT JOIN cells ON cells.cell = planned.cell
ORDER BY planned.position
"""
MAPS = "SELECT map, digest, nodes, grid, region, truth, reason FROM maps ORDER BY map"

# The kinds of columns beside those of the store's schema, whose kinds are TEXT, INTEGER and REAL.
KINDS = {
    **frames.TYPES,
    "class_name": "TEXT",
    "perturbed_point": "INTEGER",
    "n_points": "INTEGER",
    "clustering_seconds": "REAL",
    "accepted": "BOOLEAN",
    "higher_is_better": "BOOLEAN",
}


@dataclass(frozen=True)
class Table:
    """A published table: the query that gives its rows, and what the query does not say.

    lists: columns of lists, with the type of their numbers; about: what a row is.
    """

    about: str
    query: str
    lists: Mapping[str, str] = field(default_factory=dict)


DATA = {
    "images": Table("an image, with the digest of its pixels, its size and class", frames.IMAGES),
    "maps": Table("an attention map, with the digest of its weights", MAPS),
    "cells": Table("a planned cell: a method on a map, or on a control's draw", CELLS),
    "points": Table(
        "a cell at a level, with modularity and labels", frames.POINTS, {"labels": "int16"}
    ),
    "selections": Table("a selector's choice of a level of a cell", frames.SELECTIONS),
    "tests": Table(
        "the test of a selection against a control's draws",
        frames.TESTS,
        {"null_statistics": "float64", "null_candidates": "int32"},
    ),
    "stabilities": Table("how stable an accepted selection is", frames.STABILITIES),
    "scores": Table("a score of a cell at a selected level", frames.SCORES),
}


def little(kind: str) -> np.dtype[Any]:
    """The type of the numbers in a list as a store holds them: little-endian."""
    return np.dtype(kind).newbyteorder("<")


def file_of(table: str) -> str:
    """The path of a table in a published folder."""
    return f"{TABLES}/{table}.parquet"


# The files that have a checksum.
CHECKED = (PROVENANCE, REPORT, *(file_of(name) for name in (LEADERBOARD, *DATA)))


def is_published(folder: Path) -> bool:
    """Whether a folder holds a published run."""
    try:
        found = [(folder / name).is_file() for name in (PROVENANCE, CHECKSUMS, FILE_NAME)]
    except (OSError, ValueError):
        return False
    return found == [True, True, False]


@cache
def schema_of(name: str) -> "pyarrow.Schema":
    """The columns of a table, as Arrow's schema."""
    import pyarrow

    types = {
        "TEXT": pyarrow.string(),
        "INTEGER": pyarrow.int64(),
        "REAL": pyarrow.float64(),
        "BOOLEAN": pyarrow.bool_(),
    }
    lists = {
        column: pyarrow.list_(pyarrow.type_for_alias(kind))
        for column, kind in DATA[name].lists.items()
    }
    return pyarrow.schema(
        [(each, lists[each] if each in lists else types[KINDS[each]]) for each in _columns(name)]
    )


def _columns(name: str) -> list[str]:
    """The names of a table's columns: those of its query, classes of images, and labels."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        queried = connection.execute(DATA[name].query).description
    found = [column for column, *_ in queried]
    if "image_set" in found:
        found.insert(found.index("image") + 1, "class_name")
    return [*found, *(each for each in DATA[name].lists if each not in found)]


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of files, given by their paths in a folder, as `sha256sum` does."""
    lines = (f"{digest_of(folder / name)}  {name}\n" for name in names)
    (folder / CHECKSUMS).write_text("".join(lines), encoding="ascii")


def read_checksums(folder: Path) -> dict[str, str]:
    """The checksums of a published folder, by the path of the file in it."""
    path = folder / CHECKSUMS
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: cannot be read: {error}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        if not (parsed := CHECKSUM.fullmatch(line)):
            raise HarnessError(f"{path}: line {number} is no SHA-256 and path, as sha256sum has it")
        found[parsed[2]] = parsed[1]
    return found


def check(folder: Path, name: str, checksums: Mapping[str, str]) -> Path:
    """The path of a file of a published folder; HarnessError unless it has its checksum."""
    path = folder / name
    if name not in checksums:
        raise HarnessError(f"{folder / CHECKSUMS}: {name} is missing, which a published run has")
    try:
        found = digest_of(path)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror}") from error
    if found != checksums[name]:
        raise HarnessError(
            f"{path}: changed or damaged since the run was published: its SHA-256 is not that in "
            f"{CHECKSUMS}"
        )
    return path
