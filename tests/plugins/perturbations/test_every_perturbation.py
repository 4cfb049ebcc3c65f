import numpy as np
import pytest
from scipy import stats

import harness

SHIPPED = ("seeds", "log-jitter", "edge-dropout")


@pytest.fixture
def attention() -> harness.AttentionMap:
    weights = np.random.default_rng(0).dirichlet(np.ones(30), size=30)
    weights[3, :20] = 0
    return harness.AttentionMap(weights, image="a", grid=(5, 6))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_seed_always_draws_the_same_map_with_the_same_image_and_grid(
    name: str, attention: harness.AttentionMap
) -> None:
    perturbation = harness.make("perturbation", name)

    first, second = perturbation.draw(attention, seed=5), perturbation.draw(attention, seed=5)

    assert np.array_equal(first.weights, second.weights)
    assert (first.image, first.grid) == ("a", (5, 6))


@pytest.mark.parametrize("spec", [*SHIPPED, "log-jitter[scale=5]"])
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 1e300])
def test_a_multiple_of_a_map_gives_the_multiple_of_the_draw(
    spec: str, factor: float, attention: harness.AttentionMap
) -> None:
    perturbation = harness.make("perturbation", spec)

    drawn = perturbation.draw(harness.AttentionMap(attention.weights * factor), seed=1)

    expected = perturbation.draw(attention, seed=1).weights
    assert drawn.weights / factor == pytest.approx(expected, rel=1e-6)


def test_seeds_leave_the_map_as_it_is(attention: harness.AttentionMap) -> None:
    drawn = harness.make("perturbation", "seeds").draw(attention, seed=1)

    assert np.array_equal(drawn.weights, attention.weights)


def test_jitter_is_normal_on_the_logits_and_keeps_row_sums_and_zeros(
    attention: harness.AttentionMap,
) -> None:
    drawn = harness.make("perturbation", "log-jitter[scale=0.3]").draw(attention, seed=1)

    assert drawn.weights.sum(axis=1) == pytest.approx(attention.weights.sum(axis=1))
    assert np.array_equal(drawn.weights == 0, attention.weights == 0)
    row = attention.weights[0] > 0
    change = np.log(drawn.weights[0, row] / attention.weights[0, row])
    assert stats.kstest((change - change.mean()) / 0.3, "norm").pvalue > 0.01


def test_dropout_removes_its_fraction_of_the_edges_and_no_more(
    attention: harness.AttentionMap,
) -> None:
    drawn = harness.make("perturbation", "edge-dropout[share=0.2]").draw(attention, seed=1)

    off_diagonal = ~np.eye(30, dtype=bool)
    edges = np.count_nonzero((attention.weights > 0) & off_diagonal)
    gone = (attention.weights > 0) & (drawn.weights == 0)
    assert np.count_nonzero(gone) == round(0.2 * edges)
    assert not gone.diagonal().any()
    assert np.array_equal(drawn.weights[~gone], attention.weights[~gone])


@pytest.mark.parametrize(
    "spec", ["log-jitter[scale=0]", "log-jitter[scale=nan]", "edge-dropout[share=1.0]"]
)
def test_parameters_out_of_range_are_refused(spec: str) -> None:
    with pytest.raises(harness.HarnessError, match="must"):
        harness.make("perturbation", spec)
