"""What each method reached on each map: one value per planned observation and selector.

The leaderboard, the comparison of runs and the analysis by layer are made of these.
"""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from harness.analysis.method import MethodKey
from harness.metrics.partition import unassigned_as_singletons
from harness.metrics.ties import difference
from harness.planning.progress import SILENT, Progress
from harness.plugin.values import Floats, Integers
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
    WHERE observed.role = 'observed'
    GROUP BY observed.position, chosen.selector
), bare AS (
    SELECT DISTINCT extractor, layer, head, graph, clusterer, repeat
    FROM planned AS observed WHERE role = 'observed' AND NOT EXISTS (
        SELECT 1 FROM planned WHERE role = 'control' AND observed = observed.map
    )
), pooled AS (
    SELECT extractor, layer, head, graph, clusterer, repeat, nodes, points.point AS point,
           avg(modularity) AS modularity
    FROM bare JOIN planned USING (extractor, layer, head, graph, clusterer, repeat)
    JOIN cells USING (cell) JOIN points USING (cell)
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
       (SELECT sum(seconds) FROM points AS every WHERE every.cell = chosen.cell) AS seconds,
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
SEEDS = "seeds"


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


@dataclass(frozen=True)
class Outcome:
    """What a method reached on one map at the level that its selector chose.

    cell, map: their keys in the plan; candidate: the number of the level; accepted: whether the
    selector found structure there; reason: why there is no candidate, "" if there is one. ok: the
    cell, the selection, all controls and all perturbed cells are.

    None is what was not computed. If no level was accepted, modularity, control and excess count 0,
    and there is no stability. The Jaccards, adjusted for chance, compare with the other levels of
    the plateau, with other seeds, and with perturbed maps (the mean over perturbations); jaccard is
    the smallest. tests are by control; the biases are of the test under the reference control.

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
    jaccard_levels: float | None
    jaccard_seeds: float | None
    jaccard_perturbed: float | None
    jaccard: float | None
    bias: float | None
    single_bias: float | None
    tests: Mapping[str, SelectionTest]
    n_planted: int | None = None
    ari: float | None = None
    ari_best: float | None = None
    ami: float | None = None
    k_error: int | None = None

    @property
    def excess(self) -> float | None:
        """Modularity minus the reference control's at the same level; 0 if they tie."""
        return _less(self.modularity, self.control_modularity)

    @property
    def effect(self) -> float | None:
        """Excess minus the mean excess of the draws, each treated as if it had been observed."""
        return _less(self.excess, self.bias)

    @property
    def single_effect(self) -> float | None:
        """Excess minus that of a single draw, for tests of signs and ranks."""
        return _less(self.excess, self.single_bias)

    @property
    def score(self) -> float | None:
        """The effect, or modularity if there is no control."""
        return self.modularity if self.effect is None else self.effect


def _less(first: float | None, second: float | None) -> float | None:
    """The first figure minus the second, 0 if they tie; None if one is not known."""
    return None if first is None or second is None else float(difference(first, second))


def stabilities(jaccards: Mapping[str, float | None]) -> dict[str, float | None]:
    """Similarity across levels, seeds and perturbations (the mean), and the smallest of these."""
    perturbed = [each for kind, each in jaccards.items() if kind not in (LEVELS, SEEDS)]
    defined = [each for each in perturbed if each is not None and not math.isnan(each)]
    # Undefined unless the similarity under every perturbation is defined.
    mean = statistics.fmean(defined) if defined and len(defined) == len(perturbed) else None
    kinds = jaccards.get(LEVELS), jaccards.get(SEEDS), mean
    smallest = min((each for each in kinds if each is not None), default=None)
    names = ("jaccard_levels", "jaccard_seeds", "jaccard_perturbed", "jaccard")
    return dict(zip(names, (*kinds, smallest), strict=True))


def outcomes(store: Store, progress: Progress = SILENT) -> Iterator[Outcome]:
    """Every planned observation under every selector, failures included, as planned."""
    selectors = store.selectors
    observed = store.count("SELECT count(*) FROM planned WHERE role = 'observed'")
    progress.begin("reading results", observed * len(selectors))
    tests = by_selection(
        store, "SELECT cell, selector, control, z, p, q, bias, single_bias FROM tests"
    )
    jaccards = by_selection(store, "SELECT cell, selector, kind, jaccard FROM stabilities")
    perturbed = perturbed_cells(store)

    # The selectors of a cell follow each other.
    @lru_cache(maxsize=1)
    def with_truth(cell: str, truth: str) -> tuple[Integers, Integers, Floats]:
        communities = unassigned_as_singletons(np.array(json.loads(truth)))
        labels = store.labels(cell)
        return communities, labels, _adjusted_rand_indices(communities, labels)

    reference = next(iter(store.controls()), "")
    parameters = {"reference": reference, "selectors": json.dumps(selectors)}
    for row in map(dict[str, Any], store.rows(OUTCOMES, parameters)):
        method = MethodKey(*(row.pop(name) for name in MethodKey._fields))
        cell, candidate, truth = row["cell"], row["candidate"], row.pop("truth")
        if candidate is not None and truth is not None:
            row |= _truth_scores(*with_truth(cell, truth), candidate, row["n_clusters"])
        complete = None not in perturbed.get((cell, candidate), {}).values()
        row |= {"accepted": bool(row["accepted"]), "ok": bool(row["ok"] and complete)}
        key = cell, method.selector
        row |= stabilities(jaccards.get(key, {}))
        tested = {name: SelectionTest(*test) for name, test in tests.get(key, {}).items()}
        test = tested.get(reference)
        row |= {name: test and getattr(test, name) for name in ("bias", "single_bias")}
        yield Outcome(**row, method=method, tests=tested)
        progress.advance()


def by_selection(
    store: Store, query: str, *parameters: Any
) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """A query's rows by cell and selector, then by name: the value, or the tuple of several."""
    found: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for cell, selector, name, *values in store.connection.execute(query, parameters):
        found[cell, selector][name] = values[0] if len(values) == 1 else tuple(values)
    return found


def _adjusted_rand_indices(communities: Integers, labels: Integers) -> Floats:
    """Of each level's clusters (levels, n) with communities (n,); empty for a single community."""
    from sklearn.metrics import adjusted_rand_score

    if not communities.any():
        return np.empty(0)
    partitions, of_level = np.unique(labels, axis=0, return_inverse=True)
    found = [
        adjusted_rand_score(communities, unassigned_as_singletons(each)) for each in partitions
    ]
    return np.array(found)[of_level.ravel()]


def _truth_scores(
    communities: Integers, labels: Integers, indices: Floats, candidate: int, n_clusters: int
) -> dict[str, Any]:
    from sklearn.metrics import adjusted_mutual_info_score

    n_planted = int(communities.max()) + 1
    if n_planted < 2:
        return {"n_planted": n_planted}
    found = unassigned_as_singletons(labels[candidate])
    return {
        "n_planted": n_planted,
        "ari": float(indices[candidate]),
        "ari_best": float(indices.max()),
        "ami": float(adjusted_mutual_info_score(communities, found)),
        "k_error": abs(n_clusters - n_planted),
    }
