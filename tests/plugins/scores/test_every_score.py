"""What holds for every shipped score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.plugin import registry

KNOWN = registry.load(())
SCORES = [each for name in sorted(KNOWN.components["score"]) for each in KNOWN.make("score", name)]

every_score = pytest.mark.parametrize("score", SCORES, ids=lambda score: score.name)


def random_graph(seed: int, scale: float = 1.0) -> harness.LabelledGraph:
    """Twelve nodes on a grid, some isolated, some without a cluster."""
    random = np.random.default_rng(seed)
    weights = random.random((12, 12)) * (random.random((12, 12)) < random.random()) * scale
    labels = random.integers(-1, random.integers(1, 6), 12)
    return harness.LabelledGraph.from_weights(weights, labels, threshold=0.2 * scale, grid=(3, 4))


@every_score
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_score_is_in_its_range_or_undefined(score: harness.Score, seed: int) -> None:
    low, high = score.range

    found = score.score(random_graph(seed))

    assert np.isnan(found) or low - 1e-9 <= found <= high + 1e-9


@every_score
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_names_of_clusters_do_not_matter(score: harness.Score, seed: int) -> None:
    labelled = random_graph(seed)
    renamed = np.where(labelled.labels < 0, -1, 7 * (9 - labelled.labels))
    other = harness.LabelledGraph(labelled.graph, renamed, labelled.attention)

    found = score.score(other)

    assert found == pytest.approx(score.score(labelled), abs=1e-12, nan_ok=True)


@every_score
@pytest.mark.parametrize("scale", [2.0**-600, 2.0**300])
def test_a_factor_that_all_weights_share_does_not_matter(
    score: harness.Score, scale: float
) -> None:
    for seed in range(20):
        found = score.score(random_graph(seed, scale))

        assert found == pytest.approx(score.score(random_graph(seed)), nan_ok=True)


@every_score
@pytest.mark.parametrize("labels", [[-1] * 4, [0] * 4, [0, 1, 2, 3], [0, 0, 1, -1]])
def test_a_graph_without_edges_has_a_score_or_none_and_no_warning(
    score: harness.Score, labels: list[int], recwarn: pytest.WarningsRecorder
) -> None:
    labelled = harness.LabelledGraph.from_weights(np.zeros((4, 4)), labels, grid=(2, 2))

    score.score(labelled)

    assert not recwarn.list


@every_score
def test_one_node_has_a_score_or_none(score: harness.Score) -> None:
    labelled = harness.LabelledGraph.from_weights(np.ones((1, 1)), [0], grid=(1, 1))

    assert np.isnan(score.score(labelled))
