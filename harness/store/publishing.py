"""Writes the tables of a run as Parquet, from which `harness.store.published` reads it again."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.metrics.partition import cluster_number
from harness.planning.progress import Progress
from harness.store.classes import class_names
from harness.store.publication import DATA, file_of, schema_of
from harness.store.tables import Store

if TYPE_CHECKING:
    import pyarrow

# Rows that are read and written at a time.
PAGE = 20_000

# The points that rankings, comparisons and scores are made of: the levels that selectors chose, on
# the cell or on the map that its control is compared with. For a map without draws of its own they
# are those of all draws of its group, as in `harness.analysis.outcomes`; where communities are
# known, all levels are compared with them.
KEPT = """
CREATE TEMP TABLE kept (cell TEXT, point INTEGER, PRIMARY KEY (cell, point)) WITHOUT ROWID;
INSERT OR IGNORE INTO kept SELECT cell, candidate FROM selections WHERE candidate IS NOT NULL;
INSERT OR IGNORE INTO kept
SELECT control.cell, candidate FROM selections
JOIN planned AS observed ON observed.cell = selections.cell AND observed.role = 'observed'
JOIN planned AS control ON control.role = 'control' AND control.observed = observed.map
    AND control.graph = observed.graph AND control.clusterer = observed.clusterer
    AND control.repeat = observed.repeat
WHERE candidate IS NOT NULL;
INSERT OR IGNORE INTO kept
SELECT control.cell, bare.candidate FROM (
    SELECT DISTINCT extractor, layer, head, graph, clusterer, repeat, candidate
    FROM selections JOIN planned AS observed USING (cell)
    WHERE role = 'observed' AND candidate IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM planned WHERE role = 'control' AND observed = observed.map
    )
) AS bare JOIN planned AS control USING (extractor, layer, head, graph, clusterer, repeat)
WHERE control.role = 'control';
INSERT OR IGNORE INTO kept
SELECT points.cell, points.point FROM planned JOIN maps USING (map) JOIN points USING (cell)
WHERE role = 'observed' AND truth IS NOT NULL;
CREATE TEMP VIEW points AS SELECT * FROM main.points AS found WHERE EXISTS (
    SELECT 1 FROM kept WHERE kept.cell = found.cell AND kept.point = found.point
);
"""


def write_tables(
    store: Store, folder: Path, progress: Progress, *, all_levels: bool
) -> dict[str, int]:
    """Write every table of a run to a folder; returns the number of rows of each.

    Without `all_levels` the points are those of selected levels, and draws have no labels. Every
    selector that was applied counts: the store must not hide any.
    """
    from pyarrow import parquet

    if not all_levels:
        store.connection.executescript(KEPT)
    rows = {}
    for name in progress.track("writing tables", DATA):
        rows[name] = 0
        with (
            # Arrow itself opens no path that is not UTF-8.
            (folder / file_of(name)).open("wb") as file,
            parquet.ParquetWriter(file, schema_of(name), compression="zstd") as writer,
        ):
            for batch in _batches(store, name, all_levels):
                writer.write_batch(batch)
                rows[name] += batch.num_rows
    return rows


def _batches(store: Store, name: str, all_levels: bool) -> Iterator["pyarrow.RecordBatch"]:
    import pyarrow

    classes = class_names(store)
    # The rows of a cell follow each other.
    labels = lru_cache(maxsize=1)(store.labels)
    cursor = store.connection.execute(DATA[name].query)
    names = [column for column, *_ in cursor.description]
    while rows := cursor.fetchmany(PAGE):
        columns: dict[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=True))
        if "image_set" in columns:
            images = zip(columns["image_set"], columns["image"], strict=True)
            columns["class_name"] = [classes.get(image, "") for image in images]
        if name == "points":
            points = zip(columns["cell"], columns["point"], columns["role"], strict=True)
            columns["labels"] = [
                labels(cell)[point].astype(np.int16) if all_levels or role == "observed" else None
                for cell, point, role in points
            ]
        elif name == "tests":
            for column, kind in (("null_statistics", "<f8"), ("null_candidates", "<i4")):
                columns[column] = [np.frombuffer(blob, kind) for blob in columns[column]]
        elif name == "stabilities":
            columns["weakest_cluster"] = _numbers(columns, labels)
        yield pyarrow.record_batch(
            [
                pyarrow.array(_typed(columns[each.name], each.type), each.type)
                for each in schema_of(name)
            ],
            schema=schema_of(name),
        )


def _typed(values: Sequence[Any], kind: "pyarrow.DataType") -> Sequence[Any]:
    """Values for a column; the store has 0 and 1 for false and true."""
    return [bool(value) for value in values] if str(kind) == "bool" else values


def _numbers(columns: Mapping[str, Sequence[Any]], labels: Any) -> list[int]:
    """The numbers of the least stable clusters, as tables have them."""
    found = zip(columns["cell"], columns["candidate"], columns["weakest_cluster"], strict=True)
    return [
        label if label < 0 else cluster_number(labels(cell)[candidate], label)
        for cell, candidate, label in found
    ]
