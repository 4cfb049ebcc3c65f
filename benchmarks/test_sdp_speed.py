"""How long the spin solver and its clusterers take, on one map of the model of Fashion-MNIST.

OMP_NUM_THREADS=1 pytest -n 0 benchmarks/test_sdp_speed.py
"""

from typing import Any

import networkx
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import harness
from harness_plugins.clusterers.sdp import embed, solve_spins
from harness_plugins.clusterers.sdp.embedding_clustering import EmbeddingClustering
from harness_plugins.clusterers.sdp.spins import SpinSolution, solve_all

LEVELS = 32


@pytest.fixture(scope="module")
def graphs() -> list[harness.Graph]:
    """A map of the model of Fashion-MNIST, 196 patches, at all levels."""
    images = harness.make("image set", "fashion-mnist-sample[count=1]")
    extractor = harness.make("extractor", "one-layer-vit[checkpoint=fashion-mnist-one-head]")
    (found,) = extractor.extract(images.load(key) for key in images.keys())
    assert isinstance(found, harness.AttentionMap)
    builder = harness.make("graph builder", "threshold")
    return list(builder.build(found, builder.levels(found, LEVELS)))


@pytest.fixture(scope="module")
def programmes(graphs: list[harness.Graph]) -> list[Any]:
    """What the solver is given at those levels where the graph is connected."""
    return [graph.symmetric_binary() for graph in graphs if not graph.components.any()]


def solved(programmes: list[Any], balance: Any) -> list[SpinSolution]:
    """The spins of all levels, solved together."""
    return solve_all(
        programmes,
        rank=40,
        balance=balance,
        gamma=None,
        tolerance=1e-4,
        max_iterations=5000,
        seed=0,
    )


@pytest.mark.benchmark(group="spins of block models, certified to 1e-6")
@pytest.mark.parametrize("nodes", [196, 576, 1024])
def test_solve_spins(benchmark: BenchmarkFixture, nodes: int) -> None:
    graph = networkx.planted_partition_graph(4, nodes // 4, 0.1, 0.02, seed=1)
    weights = networkx.to_scipy_sparse_array(graph, weight=None, dtype=float)
    assert benchmark.pedantic(solve_spins, (weights,), rounds=5, warmup_rounds=1).gap <= 1e-6


@pytest.mark.benchmark(group="a map's spins at one level, certified to 1e-4")
@pytest.mark.parametrize("level", [2, 12, 24])
def test_spins_of_a_level(benchmark: BenchmarkFixture, programmes: list[Any], level: int) -> None:
    def solve() -> bool:
        return solve_spins(programmes[level], tolerance=1e-4).converged

    assert benchmark.pedantic(solve, rounds=10, warmup_rounds=1)


@pytest.mark.benchmark(group="a map's spins at all levels, certified to 1e-4")
@pytest.mark.parametrize("balance", ["exact", "penalty"])
def test_spins_of_a_map(benchmark: BenchmarkFixture, programmes: list[Any], balance: Any) -> None:
    def solve() -> bool:
        return all(solution.converged for solution in solved(programmes, balance))

    assert benchmark.pedantic(solve, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="embedding and HDBSCAN at all levels")
def test_parting(benchmark: BenchmarkFixture, programmes: list[Any]) -> None:
    spins = [solution.spins for solution in solved(programmes, "exact")]

    def part() -> list[Any]:
        return [
            EmbeddingClustering().labels(embed(each, variance=0.9), weights, 0)
            for each, weights in zip(spins, programmes, strict=True)
        ]

    assert len(benchmark.pedantic(part, rounds=3, warmup_rounds=1)) == len(programmes)


@pytest.mark.benchmark(group="a clusterer at all levels")
@pytest.mark.parametrize("spelling", ["louvain", "sdp", "sdp[clusterer=kmeans]", "sdp-modularity"])
def test_clusterer(benchmark: BenchmarkFixture, graphs: list[harness.Graph], spelling: str) -> None:
    clusterer = harness.make("clusterer", spelling)

    def cluster() -> list[Any]:
        return list(clusterer.cluster_sweep(graphs, seed=0))

    assert len(benchmark.pedantic(cluster, rounds=3, warmup_rounds=1)) == len(graphs)
