"""How long the parts of a run take, on one map of the shipped model.

OMP_NUM_THREADS=1 pytest -n 0 benchmarks
"""

from typing import Any

import networkx
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import harness
from harness.engine.cell import profile

LEVELS = 32


@pytest.fixture(scope="module")
def attention() -> harness.AttentionMap:
    """The shipped model's attention on the first shipped image, 196 patches."""
    images = harness.make("image set", "fashion-mnist-sample[count=1]")
    (found,) = harness.make("extractor", "one-layer-vit").extract(
        images.load(key) for key in images.keys()
    )
    assert isinstance(found, harness.AttentionMap)
    return found


@pytest.fixture(scope="module")
def graphs(attention: harness.AttentionMap) -> list[harness.Graph]:
    """The map's graphs at all levels."""
    builder = harness.make("graph builder", "threshold")
    return list(builder.build(attention, builder.levels(attention, LEVELS)))


@pytest.mark.benchmark(group="graphs at all levels")
def test_threshold_builder(benchmark: BenchmarkFixture, attention: harness.AttentionMap) -> None:
    builder = harness.make("graph builder", "threshold")
    levels = builder.levels(attention, LEVELS)

    benchmark(lambda: [graph.edges for graph in builder.build(attention, levels)])


@pytest.mark.benchmark(group="modularity of one partition at all levels")
@pytest.mark.parametrize("method", ["harness", "networkx"])
def test_modularity(benchmark: BenchmarkFixture, graphs: list[harness.Graph], method: str) -> None:
    labels = np.arange(graphs[0].n) % 5
    clusters = [set(np.flatnonzero(labels == label).tolist()) for label in range(5)]
    others = [graph.to_networkx() for graph in graphs]

    def ours() -> list[float]:
        return [harness.modularity(graph, labels) for graph in graphs]

    def theirs() -> list[float]:
        return [networkx.community.modularity(graph, clusters) for graph in others]

    found = benchmark.pedantic(ours if method == "harness" else theirs, rounds=3)
    assert found == pytest.approx(theirs(), abs=1e-9)


@pytest.mark.benchmark(group="a profile: cluster and score all levels")
@pytest.mark.parametrize("spelling", ["louvain", "louvain-networkx", "infomap", "sdp"])
def test_profile(
    benchmark: BenchmarkFixture, attention: harness.AttentionMap, spelling: str
) -> None:
    builder = harness.make("graph builder", "threshold")
    clusterer = harness.make("clusterer", spelling)

    def cell() -> list[Any]:
        return list(profile(attention, builder, clusterer, n_levels=LEVELS, seed=0, resolution=1.0))

    assert len(benchmark.pedantic(cell, rounds=3, warmup_rounds=1)) == LEVELS
