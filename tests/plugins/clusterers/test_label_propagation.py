from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import harness
from harness_plugins.clusterers.label_propagation import LabelPropagation


@pytest.mark.parametrize("seed", range(5))
def test_most_of_what_each_node_sends_goes_to_its_own_label(
    seed: int, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((20, 20, 20), inside=0.3, across=0.03, seed=seed)
    labels = LabelPropagation().cluster(graph, seed=seed)
    votes = graph.adjacency @ np.eye(labels.max() + 1)[labels]
    own = votes[np.arange(graph.n), labels]
    assert own == pytest.approx(votes.max(axis=1))


def test_blocks_with_few_edges_across_are_recovered(planted: Callable[..., Any]) -> None:
    graph, truth = planted((25, 25, 25, 25), inside=0.6, across=0.01)
    assert adjusted_rand_score(truth, LabelPropagation().cluster(graph, seed=0)) == 1


def test_weights_count() -> None:
    pairs = np.kron(np.eye(2), np.ones((2, 2)))
    labels = LabelPropagation().cluster(harness.Graph.from_weights(pairs + 0.1), seed=0)
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_a_node_goes_with_what_it_attends_to() -> None:
    # Node 2 receives most from 0 and 1, and attends to 3, which attends to 4 as 4 does to 3.
    weights = np.zeros((5, 5))
    weights[[0, 1, 0, 1, 2, 3, 4], [1, 0, 2, 2, 3, 4, 3]] = [1, 1, 0.9, 0.9, 0.1, 1, 1]
    labels = LabelPropagation().cluster(harness.Graph.from_weights(weights), seed=0)
    assert labels[2] == labels[3] == labels[4] != labels[0] == labels[1]
