"""The geometry of the constraints: unit spins, that balance if they must."""

from dataclasses import dataclass

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.batch import Batch, Selected, node_dots

# Imbalance ‖Σσ‖/n at which a search for balance ends; below the second, when it stops falling.
BALANCED = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 2e-6}
NEARLY_BALANCED = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}
BALANCING_STEPS = 50
# Longest Newton step, in lengths of Weiszfeld's step from the same point.
LONGEST_NEWTON_STEP = 1e4
# Keeps matrices regular if all spins lie on a line, as for two perfect blocks.
RIDGE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-6}
RIDGE_OF_TANGENTS = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-7}


def fit(batch: Batch, field: Floats) -> tuple[Floats, Floats]:
    """The feasible spins σ (k, m, n) that maximise Σ_i σ_i·field_i, and their imbalance (k,).

    They are normalise(field_i − μ), where μ is the multiplier of the balance, or 0. It minimises
    the sum of distances to the fields: this geometric median is found by Newton's method from 0; a
    step that does not lower the imbalance is replaced by one of Weiszfeld's method, which always
    lowers that sum. If the median is one of the fields, no unit spin of that node balances the
    others, and an imbalance remains.
    """
    k, m, _ = field.shape
    centre = np.zeros((k, m), field.dtype)
    spins, distances = _directions(field, batch.inside, centre)
    if not batch.balanced:
        return spins, np.zeros(k, field.dtype)
    total = spins.sum(axis=2)
    imbalance = _lengths(total) / batch.nodes
    searching = np.flatnonzero(imbalance > BALANCED[field.dtype])
    if len(searching):
        everything = len(searching) == k
        state = (field, batch.inside, batch.nodes, spins, distances, total, imbalance)
        found = _search_balance(*(state if everything else (each[searching] for each in state)))
        if everything:
            return found
        spins[searching], imbalance[searching] = found
    return spins, imbalance


def _search_balance(
    field: Floats,
    inside: Floats,
    nodes: Floats,
    spins: Floats,
    distances: Floats,
    total: Floats,
    imbalance: Floats,
) -> tuple[Floats, Floats]:
    """Balanced spins (k, m, n) and their imbalance (k,), from those of the centre 0."""
    k, m, _ = field.shape
    ended, reached = spins, imbalance
    left = np.arange(k)
    centre = np.zeros((k, m), field.dtype)
    for _ in range(BALANCING_STEPS):
        curvatures = inside / distances
        curvature = curvatures.sum(axis=1)
        hessian = -(spins * curvatures[:, None]) @ spins.transpose(0, 2, 1)
        _add_to_diagonals(hessian, curvature * (1 + RIDGE[field.dtype]))
        step = np.linalg.solve(hessian, total[:, :, None])[:, :, 0]
        longest = LONGEST_NEWTON_STEP * imbalance * nodes / curvature
        step *= np.minimum(1, longest / np.maximum(_lengths(step), _shortest(step)))[:, None]
        moved, moved_distances = _directions(field, inside, centre + step)
        moved_total = moved.sum(axis=2)
        moved_imbalance = _lengths(moved_total) / nodes
        worse = moved_imbalance >= imbalance
        if worse.any():
            step = np.where(worse[:, None], total / curvature[:, None], step)
            moved, moved_distances = _directions(field, inside, centre + step)
            moved_total = moved.sum(axis=2)
            moved_imbalance = _lengths(moved_total) / nodes
        going = moved_imbalance > BALANCED[field.dtype]
        going &= (moved_imbalance < imbalance) | (moved_imbalance > NEARLY_BALANCED[field.dtype])
        centre, spins, distances = centre + step, moved, moved_distances
        total, imbalance = moved_total, moved_imbalance
        if going.all():
            continue
        if len(left) == k and not going.any():
            return spins, imbalance
        ended[left[~going]], reached[left[~going]] = spins[~going], imbalance[~going]
        left = left[going]
        if not len(left):
            return ended, reached
        field, inside, nodes, centre = field[going], inside[going], nodes[going], centre[going]
        spins, distances = spins[going], distances[going]
        total, imbalance = total[going], imbalance[going]
    ended[left], reached[left] = spins, imbalance
    return ended, reached


def nudged(batch: Batch, spins: Floats, push: Floats) -> Floats:
    """Feasible spins (k, m, n) near spins + push; spins themselves where there are none."""
    near, imbalance = fit(batch, spins + push)
    failed = imbalance > NEARLY_BALANCED[spins.dtype]
    near[failed] = spins[failed]
    return near


@dataclass(frozen=True, eq=False)
class Tangent:
    """The tangent space at spins: directions that satisfy the constraints to first order.

    inverse (k, m, m): of n − Σσσᵀ, None if spins need not balance. gradient (k, m, n): that of the
    objective in the tangent space; multiplier μ (k, m) of the balance; dual (k, n): the multipliers
    y of the unit lengths, σ_i·(field_i − μ). At an optimum the gradient is 0, and
    Diag(y) − W + γ11ᵀ is positive semidefinite on the tangent space.
    """

    batch: Batch
    spins: Floats
    inverse: Floats | None
    gradient: Floats
    multiplier: Floats
    dual: Floats

    def take(self, batch: Batch, selected: Selected) -> "Tangent":
        """That of some programmes, which are the batch."""
        return Tangent(
            batch,
            self.spins[selected],
            None if self.inverse is None else self.inverse[selected],
            self.gradient[selected],
            self.multiplier[selected],
            self.dual[selected],
        )

    def project(self, directions: Floats) -> Floats:
        """The nearest directions (k, m, n) in the tangent space."""
        along = directions - self.spins * node_dots(self.spins, directions)[:, None]
        if self.inverse is None:
            return np.asarray(along)
        return _balanced(self.batch, self.spins, self.inverse, along)[0]


def tangent(batch: Batch, spins: Floats, field: Floats) -> Tangent:
    """The tangent space at spins (k, m, n) with a field (k, m, n)."""
    dual = node_dots(spins, field)
    along = field - spins * dual[:, None]
    k, m, _ = spins.shape
    if not batch.balanced:
        return Tangent(batch, spins, None, along, np.zeros((k, m), spins.dtype), dual)
    matrix = -(spins @ spins.transpose(0, 2, 1))
    # Singular along a line on which all spins lie.
    _add_to_diagonals(matrix, batch.nodes * (1 + RIDGE_OF_TANGENTS[spins.dtype]))
    inverse = np.linalg.inv(matrix)
    gradient, multiplier = _balanced(batch, spins, inverse, along)
    dual = dual - (multiplier[:, None] @ spins)[:, 0]
    return Tangent(batch, spins, inverse, gradient, multiplier, dual)


def _balanced(batch: Batch, spins: Floats, inverse: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Directions along the spheres (k, m, n), balanced, and the multiplier (k, m) that does it."""
    multiplier = (inverse @ along.sum(axis=2)[:, :, None])[:, :, 0]
    along -= multiplier[:, :, None] * batch.inside[:, None]
    along += spins * (multiplier[:, None] @ spins)
    return along, multiplier


def _directions(field: Floats, inside: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Unit vectors (k, m, n) from a point (k, m) to the fields, and the distances (k, n)."""
    differences = field - centre[:, :, None]
    distances = np.sqrt(node_dots(differences, differences))
    np.maximum(distances, _shortest(field), out=distances)
    differences *= (inside / distances)[:, None]
    return differences, distances


def _lengths(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=1)))


def _shortest(array: Floats) -> Floats:
    """A length that counts as 0 and whose inverse is finite."""
    return np.sqrt(np.finfo(array.dtype).tiny)


def _add_to_diagonals(matrices: Floats, values: Floats) -> None:
    diagonal = np.arange(matrices.shape[1])
    matrices[:, diagonal, diagonal] += values[:, None]
