"""A run's tables as tidy pandas frames: one observation per row, every row with its identity."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.metrics.partition import cluster_number
from harness.store.classes import class_names
from harness.store.schema import FIGURES, SCHEMA
from harness.store.tables import Store

if TYPE_CHECKING:
    import pandas


def _columns(table: str, names: Iterable[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


IDENTITY = _columns(
    "planned",
    (
        "image_set", "image", "extractor", "layer", "head", "role", "control", "draw", "graph",
        "clusterer", "repeat", "seed", "point AS perturbed_point",
    ),
)  # fmt: skip
# The identity of an observed cell.
OBSERVED = _columns(
    "planned",
    ("image_set", "image", "extractor", "layer", "head", "graph", "clusterer", "repeat"),
)

IMAGES = "SELECT * FROM images ORDER BY image_set, image"

CELLS = f"""
SELECT planned.cell, {IDENTITY}, coalesce(cells.status, 'missing') AS status,
       coalesce(cells.reason, '') AS reason, coalesce(cells.detail, '') AS detail,
       cells.seconds, cells.peak_memory, cells.nodes
FROM planned LEFT JOIN cells ON cells.cell = planned.cell
ORDER BY planned.position
"""

# json() refuses what is no JSON, so that damage is not exported.
POINTS = f"""
SELECT planned.cell, {IDENTITY}, cells.status, points.point, {_columns("points", FIGURES)},
       json(points.diagnostics) AS diagnostics, json(points.warnings) AS warnings
FROM planned
JOIN cells ON cells.cell = planned.cell
JOIN points ON points.cell = planned.cell
ORDER BY planned.position, points.point
"""

SELECTIONS = f"""
SELECT planned.cell, {IDENTITY}, selections.selector, selections.status, selections.accepted,
       selections.candidate, points.level, points.threshold, points.density, points.modularity,
       points.modularity_full, points.z_modularity, points.n_clusters, points.coverage,
       selections.statistic,
       selections.plateau_first, selections.plateau_last, selections.reason
FROM planned
JOIN selections ON selections.cell = planned.cell
LEFT JOIN points ON points.cell = selections.cell AND points.point = selections.candidate
ORDER BY planned.position, selections.selector
"""

TESTS = f"""
SELECT planned.cell, {OBSERVED}, tests.selector, tests.control, tests.statistic,
       tests.null_statistics, tests.null_candidates, tests.null_mean, tests.null_std, tests.z,
       tests.p, tests.q, tests.bias, tests.single_bias
FROM planned JOIN tests ON tests.cell = planned.cell
WHERE planned.role = 'observed'
ORDER BY planned.position, tests.selector, tests.control
"""

STABILITIES = f"""
SELECT planned.cell, {OBSERVED}, stabilities.selector, stabilities.kind, stabilities.n_compared,
       stabilities.jaccard, stabilities.weakest_cluster, stabilities.weakest_size,
       stabilities.weakest_jaccard, selections.candidate
FROM planned
JOIN stabilities ON stabilities.cell = planned.cell
JOIN selections ON selections.cell = stabilities.cell
    AND selections.selector = stabilities.selector
WHERE planned.role = 'observed'
ORDER BY planned.position, stabilities.selector, stabilities.kind
"""

SCORES = f"""
SELECT planned.cell, {IDENTITY}, scored_points.point, points.level, scored_points.score,
       scored_points.figure, scored_points.reason, scores.higher_is_better, scores.lowest,
       scores.highest, scores.version, scores.code
FROM planned
JOIN scored_points ON scored_points.cell = planned.cell
JOIN points ON points.cell = planned.cell AND points.point = scored_points.point
JOIN scores ON scores.score = scored_points.score
ORDER BY planned.position, scored_points.point, scored_points.score
"""

# The type of each column of text or numbers, by its name; it has one type in all tables.
TYPES = dict(re.findall(r"(\w+) (TEXT|INTEGER|REAL)", SCHEMA))
DTYPES = {"TEXT": "str", "INTEGER": "int64", str: "str", int: "int64", bool: "bool"}


def images(store: Store) -> "pandas.DataFrame":
    """All images of the run; unreadable ones have a reason."""
    return _read(store, IMAGES, "label")


def cells(store: Store) -> "pandas.DataFrame":
    """All planned cells with their status, "missing" for those without a record."""
    return _read(store, CELLS, "perturbed_point", "peak_memory", "nodes")


def points(store: Store) -> "pandas.DataFrame":
    """All points of all planned cells; `labels` holds arrays (nodes,), −1 for unassigned.

    A published run may have points without labels: their arrays are empty.
    """
    import numpy as np
    import pandas

    frame = _read(store, POINTS, "perturbed_point")
    # Images of equal pixels share a cell; 16-bit labels, as in the store, save memory.
    labels = {
        (cell, point): of_point.astype(np.int16)
        for cell in frame["cell"].unique()
        for point, of_point in store.labels_by_point(cell).items()
    }
    unknown = np.zeros(0, np.int16)
    pairs = zip(frame["cell"], frame["point"], strict=True)
    found = [labels.get(pair, unknown) for pair in pairs]
    return frame.assign(labels=pandas.Series(found, frame.index, dtype=object))


def selections(store: Store) -> "pandas.DataFrame":
    """All selections, with the figures of the selected point."""
    missing = ("perturbed_point", "candidate", "plateau_first", "plateau_last", "n_clusters")
    frame = _read(store, SELECTIONS, *missing)
    return frame.astype({"accepted": bool})


def tests(store: Store) -> "pandas.DataFrame":
    """The tests of all selections; `null_statistics` and `null_candidates` are arrays (draws,)."""
    import numpy as np
    import pandas

    frame = _read(store, TESTS)
    of_draws = {
        name: pandas.Series(
            [np.frombuffer(blob, kind) for blob in frame[name]], frame.index, dtype=object
        )
        for name, kind in (("null_statistics", "<f8"), ("null_candidates", "<i4"))
    }
    return frame.assign(**of_draws)


def stabilities(store: Store) -> "pandas.DataFrame":
    """The stability of all accepted selections by kind, with their least stable cluster.

    weakest_cluster is its number in the selected partition, from 1 for the largest; −1 is none.
    """
    frame = _read(store, STABILITIES)
    # The rows of a cell follow each other.
    labels = lru_cache(maxsize=1)(store.labels_at)
    found = zip(frame["cell"], frame.pop("candidate"), frame["weakest_cluster"], strict=True)
    numbers = [
        label if label < 0 else cluster_number(labels(cell, candidate), label)
        for cell, candidate, label in found
    ]
    return frame.assign(weakest_cluster=numbers).astype({"weakest_cluster": "int64"})


def scores(store: Store) -> "pandas.DataFrame":
    """All figures of scores, with the range and the direction of each score."""
    return _read(store, SCORES, "perturbed_point").astype({"higher_is_better": bool})


def of_rows(rows: Sequence[Mapping[str, Any]], types: Mapping[str, Any]) -> "pandas.DataFrame":
    """Rows as a frame with a plain column for each type; numbers or None are floats with NaN."""
    import pandas

    dtypes = {name: DTYPES.get(kind, "float64") for name, kind in types.items()}
    return pandas.DataFrame(rows, columns=list(types)).astype(dtypes)


def _read(store: Store, query: str, *may_be_missing: str) -> "pandas.DataFrame":
    """The rows of a query, with the class of each image after it.

    Numbers that may be missing are floats with NaN.
    """
    import pandas

    frame = pandas.read_sql_query(query, store.connection)
    names = class_names(store)
    # Stored maps have no image set.
    classes = [names.get(key, "") for key in zip(frame["image_set"], frame["image"], strict=True)]
    after_image = list(frame).index("image") + 1
    frame.insert(after_image, "class_name", pandas.Series(classes, frame.index, dtype="str"))
    known = {name: DTYPES.get(TYPES[name], "float64") for name in frame if name in TYPES}
    return frame.astype({**known, **dict.fromkeys(may_be_missing, "float64")})
