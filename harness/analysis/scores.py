"""The scores of a run's selections: of each map, and as means of each method."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.metrics.ties import difference
from harness.store import Store
from harness.store.records import ScoreRecord
from harness.store.scores import known_scores

# Figures at the selected levels, but for those that failed. With each, of the reference control's
# draws from the same map, clustered by the same method, at the same level: how many there are, how
# many are scored, and the mean of those that have a figure.
FIGURES = """
WITH draws AS (
    SELECT DISTINCT observed.cell AS cell, control.cell AS drawn
    FROM planned AS observed
    JOIN planned AS control ON control.observed = observed.map
        AND control.graph = observed.graph AND control.clusterer = observed.clusterer
        AND control.repeat = observed.repeat
    WHERE observed.role = 'observed' AND control.role = 'control' AND control.control = :reference
)
SELECT selections.cell, selector, own.score, own.figure, count(draws.drawn), count(other.cell),
       avg(other.figure)
FROM selections
JOIN scored_points AS own ON own.cell = selections.cell AND own.point = candidate
LEFT JOIN draws ON draws.cell = selections.cell
LEFT JOIN scored_points AS other ON other.cell = draws.drawn AND other.point = candidate
    AND other.score = own.score AND other.reason = ''
WHERE own.reason = '' GROUP BY selections.cell, selector, own.score
"""
# What the columns of a score are called after its spec, and the type of their values.
COLUMNS = {"": float, "_control": float, "_difference": float, "_maps": int}


class ScoredSelection(NamedTuple):
    """The figure of a selection's clusters, and the mean over the reference control's draws.

    None where they are undefined, where nothing was drawn, or, for the control, if not all draws
    are scored: then it is not complete.
    """

    figure: float | None
    control: float | None
    complete: bool


@dataclass(frozen=True)
class MethodScore:
    """A score of a method, over the ok maps on which a level was accepted.

    value: the mean over the `maps` that have a figure; control: the mean over those whose draws
    have one too; difference: value less control, the mean over the latter. unscored: maps whose
    clusters, or those of a draw, were not scored yet, or on which the score failed.
    """

    score: str
    higher_is_better: bool
    value: float | None
    control: float | None
    difference: float | None
    maps: int
    unscored: int


def scored_selections(
    store: Store, reference: str
) -> Mapping[tuple[str, str], Mapping[str, ScoredSelection]]:
    """The scores of every selection, by its cell and selector, then by the score's spec."""
    found: defaultdict[tuple[str, str], dict[str, ScoredSelection]] = defaultdict(dict)
    # To pair all draws with their maps takes a while.
    if not known_scores(store):
        return found
    for cell, selector, score, figure, draws, scored, control in store.connection.execute(
        FIGURES, {"reference": reference}
    ):
        complete = draws == scored
        found[cell, selector][score] = ScoredSelection(
            figure, control if complete else None, complete
        )
    return found


def method_scores(
    accepted: Sequence[Mapping[str, ScoredSelection]], scores: Iterable[ScoreRecord]
) -> Iterator[MethodScore]:
    """The means of each score over a method's accepted selections."""
    for score in scores:
        found = [each[score.score] for each in accepted if score.score in each]
        figures = [each.figure for each in found if each.figure is not None]
        both = [
            (each.figure, each.control)
            for each in found
            if each.figure is not None and each.control is not None
        ]
        yield MethodScore(
            score.score,
            score.higher_is_better,
            _mean(figures),
            _mean([control for _, control in both]),
            _mean([float(difference(figure, control)) for figure, control in both]),
            len(figures),
            len(accepted) - sum(each.complete for each in found),
        )


def _mean(figures: Sequence[float]) -> float | None:
    return statistics.fmean(figures) if figures else None


def columns_of(scores: Iterable[MethodScore]) -> dict[str, Any]:
    """The scores of a method as values by column."""
    return {
        f"{each.score}{end}": value
        for each in scores
        for end, value in zip(
            COLUMNS, (each.value, each.control, each.difference, each.maps), strict=True
        )
    }


def types_of(scores: Iterable[str]) -> dict[str, type]:
    """The type of each column of scores, by its name."""
    return {f"{score}{end}": kind for score in scores for end, kind in COLUMNS.items()}
