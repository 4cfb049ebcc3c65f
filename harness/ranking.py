"""The leaderboard: what each method reached on images and on the controls beside them.

Every score is a mean over the method's selections. A selection that found nothing counts with
0 in modularity, control and excess. A map counts as ok if its cell, its selection and all its
controls are: figures are over the same maps. Complete methods come before incomplete ones, then
larger excess modularity first; without a control, larger modularity.
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from harness.errors import HarnessError
from harness.spelling import did_you_mean
from harness.store import Store

# One row a planned observed cell and selector; figures are NULL where a cell or selection is
# not ok. Controls are those drawn from the same map or its image, under the same graph,
# clusterer and repeat, at the level selected on the image.
SELECTED = """
WITH controls AS (
    SELECT observed.position AS position, chosen.selector AS selector,
           avg(point.modularity) AS modularity, min(cells.status IS 'ok') AS ok
    FROM planned AS observed
    JOIN selections AS chosen ON chosen.cell = observed.cell
    JOIN planned AS control ON control.role = 'control' AND control.observed = observed.map
        AND control.graph = observed.graph AND control.clusterer = observed.clusterer
        AND control.repeat = observed.repeat
        AND control.image_set = observed.image_set AND control.image = observed.image
    LEFT JOIN cells ON cells.cell = control.cell
    LEFT JOIN points AS point ON point.cell = control.cell AND point.point = chosen.candidate
    WHERE observed.role = 'observed'
    GROUP BY observed.position, chosen.selector
)
SELECT planned.clusterer, wanted.selector, planned.graph, planned.extractor, planned.image_set,
       cells.status IS 'ok' AND chosen.status IS 'ok' AND coalesce(controls.ok, 1),
       chosen.accepted, point.modularity, point.modularity_full, controls.modularity,
       controls.position IS NOT NULL,
       (SELECT avg(jaccard_previous) FROM points AS inside WHERE inside.cell = chosen.cell
        AND inside.point BETWEEN coalesce(chosen.plateau_first + 1, chosen.candidate)
                             AND coalesce(chosen.plateau_last, chosen.candidate + 1)),
       point.n_clusters, point.coverage,
       (SELECT sum(seconds) FROM points AS every WHERE every.cell = chosen.cell)
FROM planned
CROSS JOIN (SELECT value AS selector FROM json_each(?)) AS wanted
LEFT JOIN cells ON cells.cell = planned.cell
LEFT JOIN selections AS chosen
    ON chosen.cell = planned.cell AND chosen.selector = wanted.selector
LEFT JOIN points AS point ON point.cell = chosen.cell AND point.point = chosen.candidate
LEFT JOIN controls
    ON controls.position = planned.position AND controls.selector = wanted.selector
WHERE planned.role = 'observed'
ORDER BY planned.position
"""


@dataclass(frozen=True)
class Row:
    """One method's line: a clusterer with a selector on a graph of an extractor's maps.

    excess is modularity less the control's at the same level. jaccard is kept for the smallest
    of the stabilities that are still to come; jaccard_levels is the mean best-match Jaccard
    between neighbouring levels of the stable phase. n_clusters, coverage and both Jaccards are
    over accepted selections. seconds is the clusterer's own time for a map at all levels (the
    median, since the first call imports its library). None is what was not computed.
    """

    rank: int
    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    modularity: float | None
    control_modularity: float | None
    excess: float | None
    modularity_full: float | None
    jaccard: float | None
    jaccard_levels: float | None
    n_clusters: float | None
    coverage: float | None
    accepted: int
    ok: int
    total: int
    seconds: float | None


@dataclass(frozen=True)
class _Selected:
    """One planned observation under one selector, as SELECTED gives it."""

    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    ok: int
    accepted: int | None
    modularity: float | None
    modularity_full: float | None
    control_modularity: float | None
    controlled: int
    jaccard_levels: float | None
    n_clusters: int | None
    coverage: float | None
    seconds: float | None

    @property
    def method(self) -> tuple[str, ...]:
        return self.clusterer, self.selector, self.graph, self.extractor, self.images

    def scored(self, figure: float | None) -> float | None:
        """A modularity as it counts: 0 where nothing was found."""
        return figure if self.accepted else 0.0

    @property
    def scored_control(self) -> float | None:
        return self.scored(self.control_modularity) if self.controlled else None

    @property
    def excess(self) -> float | None:
        modularity, control = self.scored(self.modularity), self.scored_control
        return None if modularity is None or control is None else modularity - control


SORTABLE = tuple(
    field.name for field in fields(Row) if field.name not in ("rank", "images", "jaccard")
)
SMALLEST_FIRST = ("clusterer", "selector", "graph", "extractor", "n_clusters", "seconds")


def leaderboard(store: Store, by: str | None = None) -> list[Row]:
    """The ranked rows of a run, sorted by the module's rule or by a column.

    Raises HarnessError if there is no such column.
    """
    if by is not None and by not in SORTABLE:
        hint = did_you_mean(by, SORTABLE) or f"; there are {', '.join(SORTABLE)}"
        raise HarnessError(f"--by {by}: no such column{hint}")
    methods: dict[tuple[str, ...], list[_Selected]] = {}
    for selected in _read(store):
        methods.setdefault(selected.method, []).append(selected)
    rows = [_row(method, observed) for method, observed in methods.items()]
    return ranked(rows, by)


def ranked(rows: Iterable[Row], by: str | None = None) -> list[Row]:
    """The rows in order, with their ranks set."""

    def rule(row: Row) -> tuple[Any, ...]:
        complete = -row.ok / row.total
        return complete, _falling(row.excess), _falling(row.modularity), row.clusterer

    def column(row: Row) -> tuple[Any, ...]:
        assert by is not None
        value = getattr(row, by)
        return value is None, value if by in SMALLEST_FIRST or value is None else -value

    in_order = sorted(sorted(rows, key=rule), key=column) if by else sorted(rows, key=rule)
    return [replace(row, rank=position) for position, row in enumerate(in_order, 1)]


def _read(store: Store) -> Iterable[_Selected]:
    selectors = store.settings()["selectors"]
    for values in store.connection.execute(SELECTED, (json.dumps(selectors),)):
        yield _Selected(*values)


def _row(method: tuple[str, ...], observed: Sequence[_Selected]) -> Row:
    ok = [each for each in observed if each.ok]
    accepted = [each for each in ok if each.accepted]
    clusterer, selector, graph, extractor, images = method
    return Row(
        rank=0,
        clusterer=clusterer,
        selector=selector,
        graph=graph,
        extractor=extractor,
        images=images,
        modularity=_mean(each.scored(each.modularity) for each in ok),
        control_modularity=_mean(each.scored_control for each in ok),
        excess=_mean(each.excess for each in ok),
        modularity_full=_mean(each.scored(each.modularity_full) for each in ok),
        jaccard=None,
        jaccard_levels=_mean(each.jaccard_levels for each in accepted),
        n_clusters=_mean(each.n_clusters for each in accepted),
        coverage=_mean(each.coverage for each in accepted),
        accepted=len(accepted),
        ok=len(ok),
        total=len(observed),
        seconds=_of_defined(statistics.median, (each.seconds for each in ok)),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    return _of_defined(statistics.fmean, values)


def _of_defined(
    statistic: Callable[[list[float]], float], values: Iterable[float | None]
) -> float | None:
    defined = [value for value in values if value is not None]
    return statistic(defined) if defined else None


def _falling(value: float | None) -> tuple[bool, float]:
    return value is None, 0.0 if value is None else -value
