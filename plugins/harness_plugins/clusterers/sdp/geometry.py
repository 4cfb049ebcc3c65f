"""The geometry of the constraints: unit spins, that balance if they must."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.batch import Batch, Selected, node_dots

# Imbalance ‖Σσ‖/n at which a search for balance ends; below the second, when it is not halved.
BALANCED = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 1e-5}
NEARLY_BALANCED = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}
BALANCING_STEPS = 50
# Factor by which a step with an old matrix must lower the imbalance for another to be taken.
WORTHWHILE = 0.3
# Longest Newton step, in lengths of Weiszfeld's step from the same point.
LONGEST_NEWTON_STEP = 1e4
# Keeps matrices regular if all spins lie on a line, as for two perfect blocks.
RIDGE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-6}
RIDGE_OF_TANGENTS = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-7}


def fit(batch: Batch, field: Floats, inverse: Floats | None = None) -> tuple[Floats, Floats]:
    """The feasible spins σ (k, m, n) that maximise Σ_i σ_i·field_i, and their imbalance (k,).

    They are normalise(field_i − μ), where μ is the multiplier of the balance, or 0. It minimises
    the sum of distances to the fields: this geometric median is found by Newton's method from 0; a
    step that does not lower the imbalance is replaced by one of Weiszfeld's method, which always
    lowers that sum. If the median is one of the fields, no unit spin of that node balances the
    others, and an imbalance remains.

    inverse (k, m, m): of n − Σσσᵀ at spins near the fields, which is nearly the inverse of Newton's
    matrix. Steps with it are several times cheaper, and are taken first.
    """
    k, m, _ = field.shape
    centre = np.zeros((k, m), field.dtype)
    spins, distances = _directions(field, batch.inside, centre)
    if not batch.balanced:
        return spins, np.zeros(k, field.dtype)
    total = spins.sum(axis=2)
    imbalance = _lengths(total) / batch.nodes
    state = _Balancing(field, batch.inside, batch.nodes, centre, spins, distances, total, imbalance)
    if inverse is not None:
        state = _approached(state, inverse)
    searching = state.imbalance > BALANCED[field.dtype]
    if not searching.any():
        return state.spins, state.imbalance
    if searching.all():
        return _search_balance(state)
    spins, imbalance = state.spins, state.imbalance
    spins[searching], imbalance[searching] = _search_balance(state.take(searching))
    return spins, imbalance


class _Balancing(NamedTuple):
    """A search for balance: what `fit` is given, and what it has for the multipliers `centre`."""

    field: Floats
    inside: Floats
    nodes: Floats
    centre: Floats
    spins: Floats
    distances: Floats
    total: Floats
    imbalance: Floats

    def take(self, selected: Selected) -> "_Balancing":
        """The search for some of the programmes."""
        return _Balancing(*(each[selected] for each in self))

    def moved(self, step: Floats) -> "_Balancing":
        """The search after a step (k, m)."""
        centre = self.centre + step
        spins, distances = _directions(self.field, self.inside, centre)
        total = spins.sum(axis=2)
        imbalance = _lengths(total) / self.nodes
        return _Balancing(
            self.field, self.inside, self.nodes, centre, spins, distances, total, imbalance
        )


def _approached(state: _Balancing, inverse: Floats) -> _Balancing:
    """The search after steps with one matrix, as long as they are worth it for each programme."""
    worthwhile = state.imbalance > BALANCED[state.field.dtype]
    while worthwhile.any():
        step = (inverse @ state.total[:, :, None])[:, :, 0]
        after = state.moved(step * worthwhile[:, None])
        worse = worthwhile & ~(after.imbalance < WORTHWHILE * state.imbalance)
        for new, old in zip(after[3:], state[3:], strict=True) if worse.any() else ():
            new[worse] = old[worse]
        worthwhile &= ~worse & (after.imbalance > BALANCED[state.field.dtype])
        state = after
    return state


def _search_balance(state: _Balancing) -> tuple[Floats, Floats]:
    """Balanced spins (k, m, n) and their imbalance (k,), by Newton's method."""
    ended, reached = state.spins, state.imbalance
    dtype, left = state.field.dtype, np.arange(len(state.field))
    for _ in range(BALANCING_STEPS):
        curvatures = state.inside / state.distances
        curvature = curvatures.sum(axis=1)
        hessian = -(state.spins * curvatures[:, None]) @ state.spins.transpose(0, 2, 1)
        _add_to_diagonals(hessian, curvature * (1 + RIDGE[dtype]))
        step: Floats = np.asarray(np.linalg.solve(hessian, state.total[:, :, None])[:, :, 0], dtype)
        longest = LONGEST_NEWTON_STEP * state.imbalance * state.nodes / curvature
        step *= np.minimum(1, longest / np.maximum(_lengths(step), _shortest(step)))[:, None]
        after = state.moved(step)
        worse = ~(after.imbalance < state.imbalance)
        if worse.any():
            after = state.moved(np.where(worse[:, None], state.total / curvature[:, None], step))
        going = after.imbalance > BALANCED[dtype]
        going &= (after.imbalance < state.imbalance / 2) | (
            after.imbalance > NEARLY_BALANCED[dtype]
        )
        state = after
        if going.all():
            continue
        ended[left[~going]], reached[left[~going]] = state.spins[~going], state.imbalance[~going]
        left, state = left[going], state.take(going)
        if not len(left):
            break
    ended[left], reached[left] = state.spins, state.imbalance
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
    inverse: Floats = np.asarray(np.linalg.inv(matrix), spins.dtype)
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


def _shortest(array: Floats) -> float:
    """A length that counts as 0 and whose inverse is finite."""
    return math.sqrt(np.finfo(array.dtype).tiny)


def _add_to_diagonals(matrices: Floats, values: Floats) -> None:
    diagonal = np.arange(matrices.shape[1])
    matrices[:, diagonal, diagonal] += values[:, None]
