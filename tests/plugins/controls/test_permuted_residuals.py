from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import harness
from harness_plugins.controls.permuted_residuals import Effect, PermutedResiduals, _fit

GRID = (4, 5)
N = 20
OTHERS = ~np.eye(N, dtype=bool)


def design(effects: tuple[Effect, ...]) -> harness.Floats:
    """A column of zeros and ones for each group of each effect, over the pairs off the diagonal."""
    places = np.argwhere(np.ones(GRID))
    groups = {
        "rows": np.repeat(np.arange(N)[:, None], N, axis=1),
        "columns": np.repeat(np.arange(N)[None], N, axis=0),
        "distance": cdist(places, places).round(9),
    }
    columns = [groups[effect] == group for effect in effects for group in np.unique(groups[effect])]
    return np.array([column[OTHERS] for column in columns], dtype=float).T


def dense(seed: int) -> harness.AttentionMap:
    weights = np.random.default_rng(seed).dirichlet(np.full(N, 2.0), size=N)
    return harness.AttentionMap(weights, grid=GRID)


EFFECTS: list[tuple[Effect, ...]] = [
    ("rows",),
    ("columns",),
    ("rows", "columns"),
    ("rows", "columns", "distance"),
]


@pytest.mark.parametrize("effects", EFFECTS)
def test_effects_are_fitted_by_least_squares(effects: tuple[Effect, ...]) -> None:
    attention = dense(0)
    logits, columns = np.log(attention.weights[OTHERS]), design(effects)
    groups = PermutedResiduals(effects)._groups(attention)

    fitted, residuals = _fit(logits, [group[OTHERS].astype(int) for group in groups])

    expected = columns @ np.linalg.lstsq(columns, logits, rcond=None)[0]
    assert fitted == pytest.approx(expected, abs=1e-5)
    assert fitted + residuals == pytest.approx(logits)


@pytest.mark.parametrize("zeros", [0.0, 0.3])
@pytest.mark.parametrize("effects", [each for each in EFFECTS if "rows" in each])
def test_draws_have_the_effects_and_the_deviation_of_residuals_of_the_map(
    effects: tuple[Effect, ...], zeros: float
) -> None:
    attention = replace(
        dense(0), weights=dense(0).weights * (np.random.default_rng(1).random((N, N)) >= zeros)
    )
    columns, of_rows = design(effects), design(("rows",))

    def fitted(weights: harness.Floats) -> tuple[harness.Floats, harness.Floats]:
        there = weights[OTHERS] > 0
        logits = np.log(weights[OTHERS][there])
        effect = columns @ np.linalg.lstsq(columns[there], logits, rcond=None)[0]
        # Rows are rescaled, so that their own effects are those of their sums.
        of_row = of_rows @ np.linalg.lstsq(of_rows, effect, rcond=None)[0]
        return effect - of_row, logits - effect[there]

    drawn = fitted(PermutedResiduals(effects).draw(attention, seed=1).weights)
    original = fitted(attention.weights)

    assert drawn[0] == pytest.approx(original[0], abs=1e-4)
    assert drawn[1].std() == pytest.approx(original[1].std(), rel=1e-4)
    assert not np.allclose(drawn[1], original[1])


@given(st.integers(0, 2**31 - 1))
def test_every_row_keeps_its_sum_and_the_map_its_number_of_zeros(seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = dense(seed).weights * (random.random((N, N)) < random.uniform(0.5, 1))
    weights[3] = 0
    weights[:, 7] = 0

    drawn = PermutedResiduals().draw(harness.AttentionMap(weights, grid=GRID), seed=seed).weights

    assert drawn.sum(axis=1) == pytest.approx(weights.sum(axis=1), rel=1e-9)
    assert (drawn == 0).sum() == (weights == 0).sum()
    assert not drawn[:, 7][OTHERS[:, 7]].any()


def test_hubs_and_locality_survive() -> None:
    attention = harness.make("extractor", "planted[n=100,signal=0,locality=0.5,hubs=3]").load(
        "planted-000"
    )
    drawn = PermutedResiduals().draw(attention, seed=0).weights
    rows_and_columns = PermutedResiduals(("rows", "columns")).draw(attention, seed=0).weights
    places = np.argwhere(np.ones((10, 10)))
    near = cdist(places, places) == 1

    received = [np.log(weights.sum(axis=0)) for weights in (attention.weights, drawn)]
    assert np.corrcoef(received)[0, 1] > 0.9
    assert drawn[near].sum() == pytest.approx(attention.weights[near].sum(), rel=0.1)
    assert rows_and_columns[near].sum() < 0.7 * attention.weights[near].sum()


def test_a_distance_without_any_weight_stays_empty() -> None:
    places = np.argwhere(np.ones(GRID))
    banded = np.where(cdist(places, places) < 2.5, dense(0).weights, 0)

    drawn = PermutedResiduals().draw(harness.AttentionMap(banded, grid=GRID), seed=0).weights

    assert ((drawn > 0) == (banded > 0)).all()


def test_a_map_whose_rows_would_lose_all_weights_is_refused() -> None:
    ring = np.roll(np.eye(N), 1, 1)

    with pytest.raises(harness.HarnessError, match="95% of the weights are zero"):
        PermutedResiduals(("rows", "columns")).draw(ring, seed=0)


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ("[distance]", "the map has no grid of its 9 patches"),
        ("[]", "must name some"),
        ("[rows,rows]", "each once"),
        ("[row]", "row"),
    ],
)
def test_effects_that_cannot_be_are_refused(effects: str, message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        harness.make("control", f"permuted-residuals[effects={effects}]").draw(
            np.ones((9, 9)), seed=0
        )
