import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import harness
from harness_plugins.clusterers.sdp import Sdp


def test_alike_components_are_parted_alike(planted: Callable[..., Any]) -> None:
    graph, _ = planted((15, 15), inside=0.7, across=0.03)
    twice = np.kron(np.eye(2), graph.adjacency.toarray())
    labels = Sdp().cluster(harness.Graph.from_weights(twice), seed=0).labels
    assert len(set(labels[:30]) - {-1}) == 2
    assert np.array_equal(labels[:30] == -1, labels[30:] == -1)
    assigned = labels[:30] >= 0
    assert set(labels[30:][assigned] - labels[:30][assigned]) == {2}


def test_a_component_too_small_to_part_is_one_cluster() -> None:
    blocks = np.zeros((14, 14))
    blocks[:9, :9] = blocks[9:12, 9:12] = blocks[12:, 12:] = 1
    labels = Sdp(min_cluster_size=5).cluster(harness.Graph.from_weights(blocks), seed=0).labels
    assert labels.tolist() == [0] * 9 + [1] * 3 + [2] * 2


def test_isolated_nodes_are_unassigned(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20))
    weights = np.pad(graph.adjacency.toarray(), (3, 0))
    labels = Sdp().cluster(harness.Graph.from_weights(weights), seed=0).labels
    assert np.array_equal(labels == -1, np.arange(43) < 3)


def test_weights_and_directions_do_not_count(planted: Callable[..., Any]) -> None:
    graph, _ = planted((25, 25))
    weights = graph.adjacency.toarray()
    symmetric = ((weights + weights.T) > 0).astype(float)
    assert np.array_equal(
        Sdp().cluster(graph, seed=0).labels,
        Sdp().cluster(harness.Graph.from_weights(symmetric), seed=0).labels,
    )


def test_a_converged_solution_is_balanced_and_gives_no_warning(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diagnostics = Sdp().cluster(graph, seed=0).diagnostics
    assert diagnostics["unconverged"] == 0
    assert diagnostics["imbalance"] < 1e-6
    assert diagnostics["iterations"] > 0


def test_spins_that_do_not_converge_are_reported(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    with pytest.warns(UserWarning, match="did not reach the tolerance"):
        partition = Sdp(max_iterations=1).cluster(graph, seed=0)
    assert partition.diagnostics["unconverged"] == 1


def test_spins_that_nearly_coincide_are_not_parted(planted: Callable[..., Any]) -> None:
    # Within clear blocks the spins differ by hundredths: clumps there are no clusters.
    graph, truth = planted((50, 50, 50, 50), inside=0.9, across=0.02)
    labels = Sdp().cluster(graph, seed=0).labels
    assert all(len(set(labels[truth == block])) == 1 for block in range(4))


@pytest.mark.parametrize(
    "parameters",
    [
        {"rank": 1},
        {"tolerance": 0.0},
        {"max_iterations": 0},
        {"variance": 0.0},
        {"variance": 1.5},
        {"min_cluster_size": 1},
        {"separation": -0.1},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(harness.HarnessError, match=f"sdp: {next(iter(parameters))}"):
        Sdp(**parameters)


def test_importing_the_package_imports_no_solver() -> None:
    code = (
        "import sys, harness_plugins.clusterers.sdp; "
        "print([name for name in ('scipy', 'cvxpy', 'hdbscan') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
