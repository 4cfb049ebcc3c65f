"""All that a report shows of one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.board import Board, board
from harness.analysis.layers import HeadRow, LayerRow, head_rows, layer_rows
from harness.analysis.outcomes import outcomes
from harness.analysis.report.curves import MethodCurves, method_curves
from harness.analysis.report.effects import (
    MethodEffects,
    MethodTests,
    method_effects,
    method_tests,
)
from harness.analysis.report.failures import FailureGroup, failure_groups
from harness.analysis.report.gallery import BUDGET, Gallery, Picture, gallery
from harness.planning.progress import SILENT, Progress
from harness.store import Store

# Of each set of images or maps: how many images it has.
SETS = """
SELECT CASE WHEN image_set = '' THEN extractor ELSE image_set END, count(DISTINCT image)
FROM planned WHERE role = 'observed' GROUP BY 1 ORDER BY min(position)
"""
HEADS = """
SELECT extractor, count(DISTINCT layer), count(*) FROM
(SELECT extractor, layer, head, min(position) AS first FROM planned WHERE role = 'observed'
GROUP BY extractor, layer, head) GROUP BY extractor ORDER BY min(first)
"""


@dataclass(frozen=True)
class Compared:
    """What a run compared.

    images: how many each image set or map set has; heads: layers and heads of each extractor.
    """

    images: Mapping[str, int]
    heads: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class RunReport:
    """A report of one run: heads and layers are empty if it has a single head."""

    board: Board
    compared: Compared
    heads: Sequence[HeadRow]
    layers: Sequence[LayerRow]
    failures: Sequence[FailureGroup]
    curves: Sequence[MethodCurves]
    effects: Sequence[MethodEffects]
    tests: Sequence[MethodTests]
    gallery: Gallery
    sessions: Sequence[Mapping[str, Any]]


def run_report(
    store: Store, picture: Picture, budget: int = BUDGET, progress: Progress = SILENT
) -> RunReport:
    """Read a report of a run; its images may take so many bytes of a page."""
    found = outcomes(store, progress)
    ranked = board(store, found, progress=progress)
    draws = {(each.control, each.selector): each.reach.most_draws for each in ranked.verdicts}
    compared = _compared(store)
    several = sum(heads for _, heads in compared.heads.values()) > len(compared.heads)
    return RunReport(
        ranked,
        compared,
        head_rows(store, found, progress) if several else (),
        layer_rows(store, found, progress) if several else (),
        failure_groups(store),
        method_curves(store, found),
        method_effects(ranked.rows, found),
        method_tests(ranked.rows, found, draws),
        gallery(store, found, picture, budget, progress),
        store.sessions(),
    )


def _compared(store: Store) -> Compared:
    read = store.connection.execute
    return Compared(
        dict(read(SETS).fetchall()),
        {extractor: (layers, heads) for extractor, layers, heads in read(HEADS)},
    )
