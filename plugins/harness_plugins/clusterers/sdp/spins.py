"""The SDP relaxation of community detection, solved over unit vectors ("spins").

Javanmard, Montanari and Ricci-Tersenghi, "Phase transitions in semidefinite relaxations",
PNAS 2016 (arXiv 1511.08769). With m(m+1)/2 > n + m the maxima over spins in m dimensions are, in
general, those of the convex programme over X_ij = σ_i·σ_j ⪰ 0, X_ii = 1. A certificate bounds the
distance to the optimum, and the search continues until it is within the tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness import Floats, read_only
from harness_plugins.clusterers.sdp.ascent import ascend
from harness_plugins.clusterers.sdp.batch import batch_of, dots
from harness_plugins.clusterers.sdp.geometry import fit, nudged, tangent
from harness_plugins.clusterers.sdp.programme import Balance, programme_of
from harness_plugins.clusterers.sdp.search import Search
from harness_plugins.clusterers.sdp.weights import Weights, checked
from harness_plugins.parameters import check_value

# Most programmes in a batch: more no longer fit the processor's caches.
LARGEST_BATCH = 32
# Most products of an ascent in single precision, and of one in double, before it is certified.
MOST_SINGLE = 200
MOST_DOUBLE = 500


@dataclass(frozen=True, eq=False)
class SpinSolution:
    """Unit vectors that solve the programme, with the accuracy of the solution.

    spins (n, m); objective ½ Σ_ij w_ij σ_i·σ_j, each edge once, less the penalty if there is one;
    bound: an upper bound for spins of any rank; gap, (bound − objective)/|objective|;
    imbalance ‖Σσ‖/n, 0 where balance is exact; iterations are products with the weights;
    converged: whether gap and, with exact balance, imbalance are within the tolerance.
    """

    spins: Floats
    objective: float
    bound: float
    gap: float
    imbalance: float
    iterations: int
    converged: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", read_only(self.spins))


def solve_spins(
    weights: Weights,
    *,
    rank: int = 40,
    balance: Balance = "exact",
    gamma: float | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 5000,
    seed: int = 0,
) -> SpinSolution:
    """Unit spins, m = min(rank, n), that maximise ½ Σ_ij w_ij σ_i·σ_j, with a certificate.

    weights (n, n), n ≥ 2: dense or sparse, or minus an expectation of low rank
    (`DegreeCorrected`); symmetric, of any sign. balance: "exact" for Σσ = 0;
    "penalty" for −(γ/2)‖Σσ‖², γ by default the paper's, Σ_ij w_ij / n₊² with n₊ the nodes that
    have edges; "none". tolerance: of the certified relative gap, and of the imbalance. The same
    arguments give the same spins.

    Raises HarnessError if the weights are not square, finite and symmetric, or a parameter is
    out of range.
    """
    (solution,) = solve_all(
        [checked(weights)],
        rank=rank,
        balance=balance,
        gamma=gamma,
        tolerance=tolerance,
        max_iterations=max_iterations,
        seed=seed,
    )
    return solution


def solve_all(
    weights: Sequence[Weights],
    *,
    rank: int,
    balance: Balance,
    gamma: float | None,
    tolerance: float,
    max_iterations: int,
    seed: int,
) -> list[SpinSolution]:
    """What `solve_spins` returns for each of these checked weights, solved together."""
    check_search("solve_spins", rank, tolerance, max_iterations)
    programmes = [programme_of(each, balance, gamma) for each in weights]
    searches = [
        Search(programme, rank, tolerance, max_iterations, seed) for programme in programmes
    ]
    going = searches
    while going:
        for group in _groups(going):
            _advance(group)
        going = [search for search in going if not search.is_over]
    return [_solution(search, min(rank, search.programme.nodes)) for search in searches]


def check_search(owner: str, rank: int, tolerance: float, max_iterations: int) -> None:
    """Raise HarnessError, naming the owner, if a parameter of the search is out of bounds."""
    check_value(owner, "rank", rank, least=2)
    check_value(owner, "tolerance", tolerance, above=0)
    check_value(owner, "max_iterations", max_iterations, least=1)


def _groups(searches: Sequence[Search]) -> list[list[Search]]:
    """Searches whose next ascents can be computed together."""
    alike: dict[object, list[Search]] = {}
    for search in searches:
        alike.setdefault((search.spins.shape, search.is_first), []).append(search)
    return [
        group[first : first + LARGEST_BATCH]
        for group in alike.values()
        for first in range(0, len(group), LARGEST_BATCH)
    ]


def _advance(searches: Sequence[Search]) -> None:
    """Ascend and certify once."""
    batch = batch_of([search.programme for search in searches])
    spins = nudged(
        batch,
        np.stack([search.spins for search in searches]),
        np.stack([search.push for search in searches]),
    )
    slope = np.array([search.slope for search in searches])
    most = np.array([search.remaining for search in searches])
    if searches[0].is_first:
        found, products = ascend(
            batch.single(),
            spins.astype(np.float32),
            slope.astype(np.float32),
            np.minimum(most, MOST_SINGLE),
        )
        spins = found.astype(np.float64)
    else:
        spins, products = ascend(batch, spins, slope, np.minimum(most, MOST_DOUBLE))
    spins, _ = fit(batch, spins)
    field = batch.field(spins)
    objectives, duals = dots(spins, field) / 2, tangent(batch, spins, field).dual
    for item, search in enumerate(searches):
        search.products += int(products[item])
        search.judge(spins[item], float(objectives[item]), duals[item])


def _solution(search: Search, rank: int) -> SpinSolution:
    missing = rank - len(search.spins)
    return SpinSolution(
        spins=np.pad(search.spins[:, : search.programme.nodes].T, ((0, 0), (0, missing))),
        objective=search.objective,
        bound=search.bound,
        gap=search.gap,
        imbalance=search.imbalance,
        iterations=search.products,
        converged=search.is_done,
    )
