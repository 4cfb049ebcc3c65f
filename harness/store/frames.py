"""A run's tables as pandas frames, tidy: one observation a row, every row with its identity."""

import json
from typing import TYPE_CHECKING

from harness.store.tables import Store

if TYPE_CHECKING:
    import pandas

IDENTITY = """planned.image_set, planned.image, planned.extractor, planned.layer, planned.head,
    planned.role, planned.control, planned.draw, planned.graph, planned.clusterer,
    planned.repeat, planned.seed, planned.point AS at_point"""
# The identity of an observed cell.
OBSERVED = """planned.image_set, planned.image, planned.extractor, planned.layer, planned.head,
    planned.graph, planned.clusterer, planned.repeat"""

IMAGES = "SELECT * FROM images ORDER BY image_set, image"

CELLS = f"""
SELECT planned.cell, {IDENTITY}, coalesce(cells.status, 'missing') AS status,
       coalesce(cells.reason, '') AS reason, coalesce(cells.detail, '') AS detail,
       cells.seconds, cells.peak_memory, cells.nodes
FROM planned LEFT JOIN cells ON cells.cell = planned.cell
ORDER BY planned.position
"""

POINTS = f"""
SELECT planned.cell, {IDENTITY}, cells.status, points.point, points.level, points.threshold,
       points.density, points.modularity, points.modularity_full, points.n_clusters,
       points.coverage, points.largest_component_fraction, points.isolated_fraction,
       points.jaccard_previous, points.seconds, points.diagnostics, points.warnings
FROM planned
JOIN cells ON cells.cell = planned.cell
JOIN points ON points.cell = planned.cell
ORDER BY planned.position, points.point
"""

SELECTIONS = f"""
SELECT planned.cell, {IDENTITY}, selections.selector, selections.status, selections.accepted,
       selections.candidate, points.level, points.threshold, points.density, points.modularity,
       points.modularity_full, points.n_clusters, points.coverage, selections.statistic,
       selections.plateau_first, selections.plateau_last, selections.reason
FROM planned
JOIN selections ON selections.cell = planned.cell
LEFT JOIN points ON points.cell = selections.cell AND points.point = selections.candidate
ORDER BY planned.position, selections.selector
"""

TESTS = f"""
SELECT planned.cell, {OBSERVED}, tests.selector, tests.control, tests.statistic,
       tests.null_statistics, tests.null_mean, tests.null_std, tests.z, tests.p, tests.q
FROM planned JOIN tests ON tests.cell = planned.cell
WHERE planned.role = 'observed'
ORDER BY planned.position, tests.selector, tests.control
"""

STABILITIES = f"""
SELECT planned.cell, {OBSERVED}, stabilities.selector, stabilities.kind, stabilities.compared,
       stabilities.jaccard, stabilities.weakest, stabilities.weakest_size,
       stabilities.weakest_jaccard
FROM planned JOIN stabilities ON stabilities.cell = planned.cell
WHERE planned.role = 'observed'
ORDER BY planned.position, stabilities.selector, stabilities.kind
"""

INTEGERS = ("label", "candidate", "plateau_first", "plateau_last", "n_clusters", "at_point")


def images(store: Store) -> "pandas.DataFrame":
    """Every image of the run, unreadable ones with their reason."""
    return _read(store, IMAGES)


def cells(store: Store) -> "pandas.DataFrame":
    """Every planned cell and what became of it; status "missing" where it has no record yet."""
    return _read(store, CELLS)


def points(store: Store) -> "pandas.DataFrame":
    """Every point of every planned cell; `labels` holds arrays (nodes,), −1 = unassigned."""
    import numpy as np

    frame = _read(store, POINTS)
    # Two bytes a label, as in the store; equal images share a cell's.
    labels = {cell: store.labels(cell).astype(np.int16) for cell in frame["cell"].unique()}
    pairs = zip(frame["cell"], frame["point"], strict=True)
    frame["labels"] = [labels[cell][point] for cell, point in pairs]
    for column in ("diagnostics", "warnings"):
        frame[column] = [json.loads(text) for text in frame[column]]
    return frame


def selections(store: Store) -> "pandas.DataFrame":
    """Every selection, with the figures of the point it chose."""
    frame = _read(store, SELECTIONS)
    frame["accepted"] = frame["accepted"].astype(bool)
    return frame


def tests(store: Store) -> "pandas.DataFrame":
    """Every selection's statistic beside those of each control's draws, arrays (draws,)."""
    import numpy as np
    import pandas

    frame = _read(store, TESTS)
    drawn = [np.frombuffer(blob, "<f8") for blob in frame["null_statistics"]]
    return frame.assign(null_statistics=pandas.Series(drawn, frame.index, dtype=object))


def stabilities(store: Store) -> "pandas.DataFrame":
    """How stable every accepted selection is, by kind, and which of its clusters is least so."""
    return _read(store, STABILITIES)


def _read(store: Store, query: str) -> "pandas.DataFrame":
    import pandas

    frame = pandas.read_sql_query(query, store.connection)
    for column in INTEGERS:
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    return frame
