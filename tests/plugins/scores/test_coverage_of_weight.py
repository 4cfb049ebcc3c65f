import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.scores.coverage_of_weight import CoverageOfWeight


@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_networkx_coverage_if_all_weights_are_equal(seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = (random.random((9, 9)) < 0.4).astype(float)
    labels = random.integers(0, 3, 9)
    labelled = harness.LabelledGraph.from_weights(weights, labels)
    if not labelled.graph.edges:
        return
    clusters = [set(np.flatnonzero(labels == label).tolist()) for label in range(3)]
    graph = labelled.graph.to_networkx()
    coverage, _ = networkx.community.partition_quality(graph, [each for each in clusters if each])

    assert CoverageOfWeight().score(labelled) == pytest.approx(coverage)


def test_edges_count_by_their_weights_and_none_between_unassigned_nodes() -> None:
    weights = np.zeros((5, 5))
    weights[0, 1], weights[1, 2], weights[3, 4] = 3.0, 1.0, 4.0

    found = CoverageOfWeight().score(harness.LabelledGraph.from_weights(weights, [0, 0, 1, -1, -1]))

    assert found == 3 / 8
