"""Reads and writes the scores of a run: what they are, and their figures of selected levels."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from harness.planning.survey import MapRecord
from harness.store.records import FigureRecord, ScoreRecord
from harness.store.tables import Store

# The levels that a selector selected, whatever selectors are shown: those of the observed cells
# themselves, and of the cells of their controls' draws. A cell that several maps share, as they are
# equal, is scored once.
SELECTED_LEVELS = """
WITH selected AS (
    SELECT DISTINCT cell, candidate FROM main.selections WHERE candidate IS NOT NULL
), levels AS (
    SELECT planned.position, planned.cell, candidate AS point
    FROM selected JOIN planned USING (cell) WHERE role = 'observed'
    UNION
    SELECT control.position, control.cell, candidate
    FROM selected
    JOIN planned AS observed ON observed.cell = selected.cell AND observed.role = 'observed'
    JOIN planned AS control ON control.observed = observed.map AND control.role = 'control'
        AND control.graph = observed.graph AND control.clusterer = observed.clusterer
        AND control.repeat = observed.repeat
)
SELECT min(levels.position) AS position, levels.cell, levels.point
FROM levels JOIN cells USING (cell) JOIN points USING (cell, point)
WHERE cells.status = 'ok' GROUP BY levels.cell, levels.point
"""
# Figures that failed are missing too.
MISSING = f"""
CREATE TEMP TABLE missing_figures AS
SELECT selected.*, wanted.value AS score
FROM ({SELECTED_LEVELS}) AS selected CROSS JOIN json_each(?) AS wanted
LEFT JOIN scored_points AS known ON known.cell = selected.cell
    AND known.point = selected.point AND known.score = wanted.value
WHERE coalesce(known.reason, 'missing') <> ''
ORDER BY position, selected.point, wanted.key
"""
PAGE_OF_MISSING = """
SELECT missing_figures.rowid AS number, missing_figures.point, score, planned.cell, planned.map,
       image, layer, head, role, control, draw, graph,
       digest, nodes, grid, region, NULL AS truth, reason, '' AS detail
FROM missing_figures JOIN planned USING (position) JOIN maps USING (map)
WHERE missing_figures.rowid > ? ORDER BY missing_figures.rowid LIMIT ?
"""
# Figures that are read at a time.
PAGE = 2000
# A missing figure with its cell of the plan, and the record of its map.
Missing = tuple[sqlite3.Row, MapRecord]


def declare_scores(store: Store, scores: Iterable[ScoreRecord]) -> None:
    """Write what scores are, and delete the figures of those that were others."""
    known = {each.score: each for each in known_scores(store)}
    with store.connection:
        for score in scores:
            if known.get(score.score) not in (None, score):
                store.connection.execute(
                    "DELETE FROM scored_points WHERE score = ?", (score.score,)
                )
            store.insert("scores", [vars(score)], replace=True)


def known_scores(store: Store) -> list[ScoreRecord]:
    """What the scores of a run are, by their specs in order."""
    rows = store.rows("SELECT * FROM scores ORDER BY score")
    return [
        ScoreRecord(**{**dict(row), "higher_is_better": bool(row["higher_is_better"])})
        for row in rows
    ]


def missing_figures(store: Store, scores: Sequence[str]) -> tuple[int, Iterator[list[Missing]]]:
    """The number of figures that scores lack on selected levels, and these page by page."""
    with store.connection:
        store.connection.execute("DROP TABLE IF EXISTS temp.missing_figures")
        store.connection.execute(MISSING, (json.dumps(scores),))
    return store.count("SELECT count(*) FROM missing_figures"), _pages(store)


def sound_scores(store: Store) -> list[str]:
    """The specs of the scores that have any figure."""
    rows = store.connection.execute("SELECT DISTINCT score FROM scored_points WHERE reason = ''")
    return [score for (score,) in rows]


def _pages(store: Store) -> Iterator[list[Missing]]:
    after = 0
    while rows := store.rows(PAGE_OF_MISSING, (after, PAGE)).fetchall():
        yield [(row, MapRecord.from_row(row)) for row in rows]
        after = rows[-1]["number"]


def write_figures(store: Store, figures: Iterable[FigureRecord]) -> None:
    """Write figures, in place of those that failed before."""
    with store.connection:
        store.insert("scored_points", map(vars, figures), replace=True)
