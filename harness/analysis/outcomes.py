"""What each method reached on each map: one value per planned observation and selector.

The leaderboard, the comparison of runs and the analysis by layer are made of these.
"""

import gc
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from harness.analysis.method import MethodKey
from harness.analysis.scores import ScoredSelection, scored_selections
from harness.metrics.information import adjusted_mutual_information
from harness.metrics.partition import adjusted_rand_indices, unassigned_as_singletons
from harness.metrics.ties import difference
from harness.planning.progress import SILENT, Progress
from harness.store import Store
from harness.store.records import LEVELS
from harness.store.selections import perturbed_cells

# An outcome per planned observed cell and selector, in the order of the plan. An observation's
# controls are drawn from the same map or its image, under the same graph, clusterer and repeat, and
# read at the level selected on the image. The modularity is that of the reference control; a failed
# cell of any control makes the observation incomplete, a control that cannot be drawn does not. Of
# an unfinished run those draws count that are there, if one is of the reference control. Where none
# is planned for a map, because its group has enough draws without it, the mean over all draws of
# the group takes their place.
OUTCOMES = """
WITH controls AS (
    SELECT observed.position AS position, chosen.selector AS selector,
           avg(CASE WHEN control.control = :reference THEN point.modularity END) AS modularity,
           min(CASE WHEN coalesce(maps.reason, '') <> '' THEN 1 ELSE cells.status = 'ok' END)
               AND max(control.control = :reference AND cells.status IS NOT NULL) AS ok
    FROM planned AS observed
    JOIN selections AS chosen ON chosen.cell = observed.cell
    JOIN planned AS control ON control.role = 'control' AND control.observed = observed.map
        AND control.graph = observed.graph AND control.clusterer = observed.clusterer
        AND control.repeat = observed.repeat
        AND control.image_set = observed.image_set AND control.image = observed.image
    LEFT JOIN cells ON cells.cell = control.cell
    LEFT JOIN maps ON maps.map = control.map
    LEFT JOIN points AS point ON point.cell = control.cell AND point.point = chosen.candidate
    WHERE observed.role = 'observed' AND :reference <> ''
    GROUP BY observed.position, chosen.selector
), bare AS (
    SELECT DISTINCT extractor, layer, head, graph, clusterer, repeat
    FROM planned AS observed WHERE role = 'observed' AND :reference <> '' AND NOT EXISTS (
        SELECT 1 FROM planned WHERE role = 'control' AND observed = observed.map
    )
), pooled AS (
    SELECT extractor, layer, head, graph, clusterer, repeat, nodes, points.point AS point,
           avg(modularity) AS modularity
    -- CROSS JOIN keeps this order: nothing is read of cells that no bare map needs.
    FROM planned CROSS JOIN bare USING (extractor, layer, head, graph, clusterer, repeat)
    CROSS JOIN cells USING (cell) CROSS JOIN points USING (cell)
    WHERE role = 'control' AND control = :reference
    GROUP BY extractor, layer, head, graph, clusterer, repeat, nodes, points.point
)
SELECT planned.cell, planned.map, planned.clusterer, wanted.selector, planned.graph,
       planned.extractor, planned.image_set, planned.image, planned.layer, planned.head,
       planned.repeat, chosen.candidate, chosen.accepted,
       CASE WHEN cells.status IS NULL THEN 'its cell is missing'
            WHEN cells.status <> 'ok' THEN 'its cell is ' || cells.status || ': ' || cells.reason
            WHEN chosen.status IS NULL THEN 'no level was selected yet'
            WHEN chosen.status <> 'ok' THEN chosen.reason
            ELSE '' END AS reason,
       cells.status IS 'ok' AND chosen.status IS 'ok'
           AND (controls.position IS NULL OR controls.ok IS 1) AS ok,
       CASE WHEN chosen.accepted THEN point.modularity ELSE 0.0 END AS modularity,
       CASE WHEN chosen.accepted THEN point.modularity_full ELSE 0.0 END AS modularity_full,
       CASE WHEN chosen.accepted THEN coalesce(controls.modularity, pooled.modularity)
            WHEN controls.position IS NOT NULL OR pooled.point IS NOT NULL THEN 0.0
       END AS control_modularity,
       point.n_clusters, point.coverage,
       (SELECT sum(seconds) FROM {sweeps} AS every WHERE every.cell = chosen.cell) AS seconds,
       maps.truth
FROM planned
CROSS JOIN (SELECT value AS selector FROM json_each(:selectors)) AS wanted
LEFT JOIN cells ON cells.cell = planned.cell
LEFT JOIN selections AS chosen
    ON chosen.cell = planned.cell AND chosen.selector = wanted.selector
LEFT JOIN maps ON maps.map = planned.map
LEFT JOIN points AS point ON point.cell = chosen.cell AND point.point = chosen.candidate
LEFT JOIN controls
    ON controls.position = planned.position AND controls.selector = wanted.selector
LEFT JOIN pooled ON controls.position IS NULL
    AND pooled.extractor = planned.extractor AND pooled.layer = planned.layer
    AND pooled.head = planned.head AND pooled.graph = planned.graph
    AND pooled.clusterer = planned.clusterer AND pooled.repeat = planned.repeat
    AND pooled.nodes IS cells.nodes AND pooled.point = chosen.candidate
WHERE planned.role = 'observed'
ORDER BY planned.position
"""
TESTS = "SELECT cell, selector, control, z, p, q, bias, single_bias FROM tests"
SEEDS = "seeds"
# Outcomes that are read at a time.
READ_AT_ONCE = 1000


class SelectionTest(NamedTuple):
    """How a selection compares with one control's draws: see `harness.metrics.significance`.

    q is the smallest false discovery rate, over all maps of the run, at which it is significant;
    bias and single_bias are the excess of the map's draws: see `harness.metrics.selection_bias`.
    """

    z: float | None
    p: float
    q: float
    bias: float | None
    single_bias: float | None


class Outcome(NamedTuple):
    """What a method reached on one map at the level that its selector chose.

    cell, map: their keys in the plan; candidate: the number of the level; accepted: whether the
    selector found structure there; reason: why there is no candidate, "" if there is one. ok: the
    cell, the selection, all controls and all perturbed cells are.

    None is what was not computed. If no level was accepted, modularity, control and excess count 0,
    and there is no stability. excess is modularity minus the reference control's at the same level,
    0 if they tie; effect is excess minus the mean excess of the draws, each treated as if it had
    been observed, and single_effect that of a single draw, for tests of signs and ranks. The
    Jaccards, adjusted for chance, compare with the other levels of the plateau, with other seeds,
    and with perturbed maps (the mean over perturbations); jaccard is the smallest. tests are by
    control; the biases are of the test under the reference control. scores are by their specs,
    without those that failed or were not computed.

    Where communities were planted, n_planted is their number. If there are at least two, ari and
    ami are the adjusted Rand index and mutual information of the clusters with them, ari_best is
    the largest adjusted Rand index of any level, and k_error is the difference between the numbers
    of clusters.
    """

    cell: str
    map: str
    method: MethodKey
    image: str
    layer: int
    head: int
    repeat: int
    candidate: int | None
    accepted: bool
    reason: str
    ok: bool
    modularity: float | None
    modularity_full: float | None
    control_modularity: float | None
    n_clusters: int | None
    coverage: float | None
    seconds: float | None
    excess: float | None
    effect: float | None
    single_effect: float | None
    jaccard_levels: float | None
    jaccard_seeds: float | None
    jaccard_perturbed: float | None
    jaccard: float | None
    bias: float | None
    single_bias: float | None
    tests: Mapping[str, SelectionTest]
    scores: Mapping[str, ScoredSelection]
    n_planted: int | None = None
    ari: float | None = None
    ari_best: float | None = None
    ami: float | None = None
    k_error: int | None = None

    @property
    def score(self) -> float | None:
        """The effect, or modularity if there is no control."""
        return self.modularity if self.effect is None else self.effect


def _less(first: Sequence[float | None], second: Sequence[float | None]) -> list[float | None]:
    """First figures minus second ones, 0 where they tie; None where one is not known."""
    one, other = (np.array(each, dtype=np.float64) for each in (first, second))
    less = difference(one, other)
    found: list[float | None] = less.tolist()
    for index in np.flatnonzero(np.isnan(less)).tolist():
        found[index] = None
    return found


def stabilities(jaccards: Mapping[str, float | None]) -> dict[str, float | None]:
    """Similarity across levels, seeds and perturbations (the mean), and the smallest of these."""
    perturbed = [each for kind, each in jaccards.items() if kind not in (LEVELS, SEEDS)]
    defined = [each for each in perturbed if each is not None and not math.isnan(each)]
    # Undefined unless the similarity under every perturbation is defined.
    mean = statistics.fmean(defined) if defined and len(defined) == len(perturbed) else None
    levels, seeds = jaccards.get(LEVELS), jaccards.get(SEEDS)
    smallest = min((each for each in (levels, seeds, mean) if each is not None), default=None)
    return {
        "jaccard_levels": levels,
        "jaccard_seeds": seeds,
        "jaccard_perturbed": mean,
        "jaccard": smallest,
    }


def outcomes(store: Store, progress: Progress = SILENT) -> list[Outcome]:
    """Every planned observation under every selector, failures included, as planned."""
    # The garbage collector would go through all outcomes again and again while they are made, and
    # find nothing: they hold no circles.
    collects = gc.isenabled()
    gc.disable()
    try:
        return list(_read(store, progress))
    finally:
        if collects:
            gc.enable()


def _read(store: Store, progress: Progress) -> Iterator[Outcome]:
    selectors = store.selectors
    observed = store.count("SELECT count(*) FROM planned WHERE role = 'observed'")
    progress.begin("reading results", observed * len(selectors))
    tests: dict[tuple[str, str], dict[str, SelectionTest]] = {}
    for cell, selector, control, *test in store.connection.execute(TESTS):
        tests.setdefault((cell, selector), {})[control] = SelectionTest(*test)
    jaccards = _jaccards(store)
    perturbed = perturbed_cells(store)

    # The selectors of a cell follow each other.
    with_truth = lru_cache(maxsize=1)(partial(_WithTruth, store))
    reference = store.reference_control()
    scores = scored_selections(store, reference)
    parameters = {"reference": reference, "selectors": json.dumps(selectors)}
    # There may be very many outcomes: what they share is one object.
    methods: dict[tuple[str, ...], MethodKey] = {}
    none: Mapping[str, Any] = {}
    unknown = tuple(stabilities({}).values())
    read = store.connection.execute(OUTCOMES.format(sweeps=store.sweeps), parameters)
    while rows := read.fetchmany(READ_AT_ONCE):
        *_, modularity, _, control, _, _, _, _ = zip(*rows, strict=True)
        found = [tests.get((row[0], row[3]), none) for row in rows]
        tested = [each.get(reference) for each in found]
        biases = [(None, None) if one is None else (one.bias, one.single_bias) for one in tested]
        excess = _less(modularity, control)
        effects = [_less(excess, each) for each in zip(*biases, strict=True)]
        differences = zip(excess, *effects, strict=True)
        for row, of_row, test, bias in zip(rows, differences, found, biases, strict=True):
            cell, selector, candidate = row[0], row[3], row[11]
            # Indices instead of names, as this is done for every outcome.
            if (method := methods.get(row[2:7])) is None:
                method = methods[row[2:7]] = MethodKey(*row[2:7])
            ok = bool(row[14])
            if perturbed and None in perturbed.get((cell, candidate), none).values():
                ok = False
            values = (
                cell, row[1], method, *row[7:12], bool(row[12]), row[13], ok, *row[15:21],
                *of_row, *jaccards.get((cell, selector), unknown), *bias, test,
                scores.get((cell, selector), none),
            )  # fmt: skip
            truth = row[21]
            if candidate is None or truth is None:
                yield Outcome(*values)
            else:
                yield Outcome(*values, **with_truth(cell, truth).scores(candidate, row[18]))
        progress.advance(len(rows))


def _jaccards(store: Store) -> dict[tuple[str, str], tuple[float | None, ...]]:
    """The four similarities of every selection that has one, by cell and selector."""
    rows = store.connection.execute(
        "SELECT cell, selector, kind, jaccard FROM stabilities ORDER BY cell, selector"
    )
    return {
        key: tuple(stabilities({kind: jaccard for _, _, kind, jaccard in kinds}).values())
        for key, kinds in groupby(rows, itemgetter(0, 1))
    }


def by_selection(
    store: Store, query: str, *parameters: Any
) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """A query's rows by cell and selector, then by name: the value, or the tuple of several."""
    found: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for cell, selector, name, *values in store.connection.execute(query, parameters):
        found[cell, selector][name] = values[0] if len(values) == 1 else tuple(values)
    return found


class _WithTruth:
    """A cell's partitions beside the communities that were planted in its map."""

    def __init__(self, store: Store, cell: str, truth: str) -> None:
        self._communities = unassigned_as_singletons(np.array(json.loads(truth)))
        self._labels = store.labels(cell)
        self._n_planted = int(self._communities.max()) + 1
        self._scores: dict[int, Mapping[str, Any]] = {}

    def scores(self, candidate: int, n_clusters: int) -> Mapping[str, Any]:
        """The fields of an outcome that compare a level with the communities."""
        if self._n_planted < 2:
            return {"n_planted": self._n_planted}
        if candidate not in self._scores:
            self._scores[candidate] = self._compared(candidate, n_clusters)
        return self._scores[candidate]

    @cached_property
    def _indices(self) -> list[float]:
        return adjusted_rand_indices(self._communities, self._labels)

    def _compared(self, candidate: int, n_clusters: int) -> Mapping[str, Any]:
        found = unassigned_as_singletons(self._labels[candidate])
        return {
            "n_planted": self._n_planted,
            "ari": self._indices[candidate],
            "ari_best": max(self._indices),
            "ami": adjusted_mutual_information(self._communities, found),
            "k_error": abs(n_clusters - self._n_planted),
        }
