import sys
from collections.abc import Callable
from typing import Any

import infomap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness_plugins.clusterers.infomap import Infomap


@settings(deadline=None)
@given(
    n=st.integers(2, 60),
    density=st.floats(0.01, 1),
    self_loops=st.booleans(),
    trials=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**31 - 1),
)
def test_labels_and_code_lengths_are_those_of_the_librarys_interface(
    n: int, density: float, self_loops: bool, trials: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.random((n, n)) * (random.random((n, n)) < density)
    graph = harness.Graph.from_weights(weights, self_loops=self_loops)
    found = Infomap(trials).cluster(graph, seed=seed)
    if not graph.edges:
        assert found.labels.tolist() == list(range(n))
        return
    network = infomap.Network().add_nodes(range(n))
    network.add_links(list(zip(*graph.adjacency.nonzero(), graph.adjacency.data, strict=True)))
    result = infomap.run(network, directed=True, two_level=True, seed=seed + 1, num_trials=trials)
    modules = result.modules()
    linked = np.flatnonzero(~graph.isolated)
    assert found.labels[linked].tolist() == [modules[node] for node in linked]
    assert found.diagnostics == {
        "codelength": result.codelength,
        "one_level_codelength": result.one_level_codelength,
    }


def test_another_version_fails_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "infomap._core", None)
    with pytest.raises(harness.HarnessError, match=r"pip install 'attention-harness\[infomap"):
        Infomap().cluster(np.ones((3, 3)), seed=0)


def test_clear_blocks_shorten_the_code(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30))
    diagnostics = Infomap().cluster(graph, seed=0).diagnostics
    assert diagnostics["codelength"] < diagnostics["one_level_codelength"]


def test_one_level_codelength_is_the_entropy_of_the_walk() -> None:
    ring = np.roll(np.eye(8), 1, axis=1)
    diagnostics = Infomap().cluster(harness.Graph.from_weights(ring), seed=0).diagnostics
    assert diagnostics["one_level_codelength"] == pytest.approx(3)


def test_directions_count() -> None:
    # A walk that enters the pair 0, 3 never leaves it; without directions the pair is nothing.
    weights = np.zeros((6, 6))
    sources = [0, 3, 1, 1, 2, 2, 2, 4, 4, 5]
    targets = [3, 0, 4, 5, 0, 1, 4, 1, 3, 3]
    weights[sources, targets] = 1
    directed, undirected = (
        Infomap(trials=5).cluster(harness.Graph.from_weights(links), seed=0).labels
        for links in (weights, weights + weights.T)
    )
    assert directed[0] == directed[3]
    assert len({*directed}) == 2
    assert len({*undirected}) == 1


def test_more_trials_never_lengthen_the_code(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20, 20), inside=0.3, across=0.1)
    lengths = [
        Infomap(trials=trials).cluster(graph, seed=0).diagnostics["codelength"]
        for trials in (1, 10)
    ]
    assert lengths[1] <= lengths[0] + 1e-12


def test_fewer_than_one_trial_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="trials"):
        Infomap(trials=0)
