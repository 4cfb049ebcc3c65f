"""Writes the tables of a run as Parquet, from which `harness.store.published` reads it again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.metrics.partition import cluster_number
from harness.planning.progress import Progress
from harness.plugin.values import Integers
from harness.store.classes import class_names
from harness.store.publication import DATA, file_of, little, schema_of
from harness.store.tables import Store

if TYPE_CHECKING:
    import pyarrow

# The columns of some rows, by name.
_Rows = Mapping[str, Sequence[Any]]
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

    schema, columns = schema_of(name), _Columns(store, name, all_levels)
    cursor = store.connection.execute(DATA[name].query)
    names = [column for column, *_ in cursor.description]
    while rows := cursor.fetchmany(PAGE):
        found = dict(zip(names, zip(*rows, strict=True), strict=True))
        values = [columns.values(each.name, str(each.type), found) for each in schema]
        arrays = [pyarrow.array(of, each.type) for of, each in zip(values, schema, strict=True)]
        yield pyarrow.record_batch(arrays, schema=schema)


class _Columns:
    """Makes the columns of a published table from rows of its query.

    Most are as they are queried; those differ that the store holds in another form, or not at all.
    """

    def __init__(self, store: Store, table: str, all_levels: bool) -> None:
        self._lists = DATA[table].lists
        self._all_levels = all_levels
        self._classes = class_names(store)
        # The rows of a cell follow each other.
        self._labels_of = lru_cache(maxsize=1)(store.labels)
        self._made: dict[str, Callable[[_Rows], Sequence[Any]]] = {
            "class_name": self._class_names,
            "labels": self._labels,
            "weakest_cluster": self._weakest_clusters,
        }

    def values(self, column: str, kind: str, found: _Rows) -> Sequence[Any]:
        """The values of a column of an Arrow type, given what was queried, by name."""
        if column in self._made:
            return self._made[column](found)
        if column in self._lists:
            return [np.frombuffer(blob, little(self._lists[column])) for blob in found[column]]
        # The store has 0 and 1 for false and true.
        return [bool(value) for value in found[column]] if kind == "bool" else found[column]

    def _class_names(self, found: _Rows) -> list[str]:
        images = zip(found["image_set"], found["image"], strict=True)
        return [self._classes.get(image, "") for image in images]

    def _labels(self, found: _Rows) -> list[Integers | None]:
        """Labels at each level; unless all levels are published, draws have none."""
        points = zip(found["cell"], found["point"], found["role"], strict=True)
        return [
            self._labels_of(cell)[point].astype(np.int16)
            if self._all_levels or role == "observed"
            else None
            for cell, point, role in points
        ]

    def _weakest_clusters(self, found: _Rows) -> list[int]:
        """The numbers of the least stable clusters, as tables have them, in place of labels."""
        clusters = zip(found["cell"], found["candidate"], found["weakest_cluster"], strict=True)
        return [
            label if label < 0 else cluster_number(self._labels_of(cell)[candidate], label)
            for cell, candidate, label in clusters
        ]
