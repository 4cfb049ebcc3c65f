"""What each method reached on each map under each selector: one value a planned observation.

The rows behind the leaderboard, and all that a comparison of methods needs.
"""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers
from harness.store import Store, perturbed_cells
from harness.store.records import LEVELS

# One row a planned observed cell and selector; figures are NULL where a cell or selection is
# not ok. Controls are those drawn from the same map or its image, under the same graph,
# clusterer and repeat, at the level selected on the image. The modularity is the reference
# control's, but a draw of any control that failed counts.
SELECTED = """
WITH controls AS (
    SELECT observed.position AS position, chosen.selector AS selector,
           avg(CASE WHEN control.control = :reference THEN point.modularity END) AS modularity,
           min(cells.status IS 'ok') AS ok
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
SELECT planned.cell, planned.clusterer, wanted.selector, planned.graph, planned.extractor,
       planned.image_set, planned.image, planned.layer, planned.head, planned.repeat,
       cells.status IS 'ok' AND chosen.status IS 'ok' AND coalesce(controls.ok, 1),
       chosen.accepted, chosen.candidate, point.modularity, point.modularity_full,
       controls.modularity, controls.position IS NOT NULL, point.n_clusters, point.coverage,
       (SELECT sum(seconds) FROM points AS every WHERE every.cell = chosen.cell), maps.truth
FROM planned
CROSS JOIN (SELECT value AS selector FROM json_each(:selectors)) AS wanted
LEFT JOIN maps ON maps.map = planned.map
LEFT JOIN cells ON cells.cell = planned.cell
LEFT JOIN selections AS chosen
    ON chosen.cell = planned.cell AND chosen.selector = wanted.selector
LEFT JOIN points AS point ON point.cell = chosen.cell AND point.point = chosen.candidate
LEFT JOIN controls
    ON controls.position = planned.position AND controls.selector = wanted.selector
WHERE planned.role = 'observed'
ORDER BY planned.position
"""
SEEDS = "seeds"


@dataclass(frozen=True)
class Test:
    """How a selection stands among one control's draws: see `harness.metrics.significance`.

    q is the smallest false discovery rate, over all maps of the run, at which it is significant.
    """

    z: float | None
    p: float
    q: float


@dataclass(frozen=True)
class Truth:
    """A selection's clusters beside the communities that were planted.

    ari and ami are their adjusted Rand index and mutual information, None where nothing was
    planted; ari_best is the largest adjusted Rand index of any level; k_error is the difference
    between the numbers of clusters.
    """

    planted: int
    ari: float | None
    ari_best: float | None
    ami: float | None
    k_error: int


@dataclass(frozen=True)
class Outcome:
    """What a clusterer with a selector on a graph of an extractor's map reached on one image.

    ok: its cell, its selection, all controls drawn for it and all its perturbed cells are. Where
    nothing was accepted modularity, control and excess count 0, and there is no stability.
    jaccards are adjusted for chance, by kind: levels, and each perturbation. None is what was
    not computed.
    """

    cell: str
    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    image: str
    layer: int
    head: int
    repeat: int
    ok: bool
    accepted: bool
    modularity: float | None
    modularity_full: float | None
    control_modularity: float | None
    n_clusters: int | None
    coverage: float | None
    seconds: float | None
    jaccards: Mapping[str, float | None]
    tests: Mapping[str, Test]
    truth: Truth | None

    @property
    def method(self) -> tuple[str, ...]:
        """What is compared: clusterer, selector, graph, extractor, on an image set."""
        return self.clusterer, self.selector, self.graph, self.extractor, self.images

    @property
    def excess(self) -> float | None:
        """Modularity less the reference control's at the same level."""
        if self.modularity is None or self.control_modularity is None:
            return None
        return self.modularity - self.control_modularity

    @property
    def jaccard_levels(self) -> float | None:
        """Similarity to the partitions at the other levels of the plateau."""
        return self.jaccards.get(LEVELS)

    @property
    def jaccard_seeds(self) -> float | None:
        """Similarity to what the clusterer finds with other seeds."""
        return self.jaccards.get(SEEDS)

    @property
    def jaccard_perturbed(self) -> float | None:
        """Similarity to what the clusterer finds on perturbed maps, the mean over perturbations."""
        return _perturbed(self.jaccards)

    @property
    def jaccard(self) -> float | None:
        """The smallest of the three stabilities that were computed."""
        return least_stability(self.jaccards)


def least_stability(jaccards: Mapping[str, float | None]) -> float | None:
    """The smallest of three by kind: across levels, seeds, and perturbations in the mean."""
    kinds = (jaccards.get(LEVELS), jaccards.get(SEEDS), _perturbed(jaccards))
    return min((kind for kind in kinds if kind is not None), default=None)


def _perturbed(jaccards: Mapping[str, float | None]) -> float | None:
    return _mean_if_all([each for kind, each in jaccards.items() if kind not in (LEVELS, SEEDS)])


def outcomes(store: Store) -> Iterator[Outcome]:
    """Every planned observation under every selector, in the order of the plan."""
    tests = _tests(store)
    jaccards = _jaccards(store)
    perturbed = perturbed_cells(store)

    # A cell's selectors come one after the other.
    @lru_cache(maxsize=1)
    def planted(cell: str, truth: str) -> _Planted:
        communities = unassigned_as_singletons(np.array(json.loads(truth)))
        return _Planted(communities, store.labels(cell))

    asked = {
        "reference": next(iter(store.controls()), ""),
        "selectors": json.dumps(store.settings()["selectors"]),
    }
    for (
        cell, clusterer, selector, graph, extractor, images, image, layer, head, repeat, ok,
        accepted, candidate, modularity, modularity_full, control, controlled, n_clusters,
        coverage, seconds, truth,
    ) in store.connection.execute(SELECTED, asked):  # fmt: skip
        place = cell, selector
        whole = ok and None not in perturbed.get((cell, candidate), {}).values()
        yield Outcome(
            cell,
            clusterer,
            selector,
            graph,
            extractor,
            images,
            image,
            layer,
            head,
            repeat,
            bool(whole),
            bool(accepted),
            modularity if accepted else 0.0,
            modularity_full if accepted else 0.0,
            (control if accepted else 0.0) if controlled else None,
            n_clusters,
            coverage,
            seconds,
            jaccards.get(place, {}),
            tests.get(place, {}),
            None
            if truth is None or candidate is None
            else planted(cell, truth).beside(candidate, n_clusters),
        )


def _tests(store: Store) -> Mapping[tuple[str, str], Mapping[str, Test]]:
    found: defaultdict[tuple[str, str], dict[str, Test]] = defaultdict(dict)
    for cell, selector, control, z, p, q in store.connection.execute(
        "SELECT cell, selector, control, z, p, q FROM tests"
    ):
        found[cell, selector][control] = Test(z, p, q)
    return found


def _jaccards(store: Store) -> Mapping[tuple[str, str], Mapping[str, float | None]]:
    found: defaultdict[tuple[str, str], dict[str, float | None]] = defaultdict(dict)
    for cell, selector, kind, jaccard in store.connection.execute(
        "SELECT cell, selector, kind, jaccard FROM stabilities"
    ):
        found[cell, selector][kind] = jaccard
    return found


@dataclass(frozen=True, eq=False)
class _Planted:
    """Planted communities (n,), as labels 0 … k − 1, and the labels (levels, n) found."""

    communities: Integers
    labels: Integers

    @cached_property
    def likeness(self) -> Floats:
        """The adjusted Rand index of each level's clusters with the communities, (levels,)."""
        from sklearn.metrics import adjusted_rand_score

        partitions, place = np.unique(self.labels, axis=0, return_inverse=True)
        found = [
            adjusted_rand_score(self.communities, unassigned_as_singletons(each))
            for each in partitions
        ]
        return np.array(found)[place.ravel()]

    def beside(self, candidate: int, n_clusters: int) -> Truth:
        """How the clusters at one level compare with the planted communities."""
        from sklearn.metrics import adjusted_mutual_info_score

        planted = int(self.communities.max()) + 1
        error = abs(n_clusters - planted)
        if planted < 2:
            return Truth(planted, None, None, None, error)
        chosen = unassigned_as_singletons(self.labels[candidate])
        return Truth(
            planted,
            float(self.likeness[candidate]),
            float(self.likeness.max()),
            float(adjusted_mutual_info_score(self.communities, chosen)),
            error,
        )


def _mean_if_all(figures: list[float | None]) -> float | None:
    defined = [figure for figure in figures if figure is not None and not math.isnan(figure)]
    return statistics.fmean(defined) if defined and len(defined) == len(figures) else None
