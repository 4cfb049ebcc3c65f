"""How long the parts of a run take, on one map of the model of Fashion-MNIST.

OMP_NUM_THREADS=1 pytest -n 0 benchmarks
"""

from functools import partial
from pathlib import Path
from typing import Any

import infomap
import networkx
import numpy as np
import pytest
from halves import Halves
from pytest_benchmark.fixture import BenchmarkFixture

import harness
from harness.engine.cell import profile
from harness.engine.inline_worker import InlineWorker
from harness.engine.selection import selected
from harness.engine.worker import WorkerConfig
from harness.metrics.modularity import UnprunedMap
from harness.plugin.registry import load
from harness.store.maps import save_map
from harness_plugins.clusterers import louvain

LEVELS = 32
NULLS = 39
HALVES = Path(__file__).with_name("halves.py")


@pytest.fixture(scope="module")
def attention() -> harness.AttentionMap:
    """A map of the model of Fashion-MNIST, 196 patches."""
    images = harness.make("image set", "fashion-mnist-sample[count=1]")
    extractor = harness.make("extractor", "one-layer-vit[checkpoint=fashion-mnist-one-head]")
    (found,) = extractor.extract(images.load(key) for key in images.keys())
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


@pytest.mark.benchmark(group="build and score all levels, clusters given")
@pytest.mark.parametrize("nodes", [12, 49, 196, 256, 784])
def test_scores(benchmark: BenchmarkFixture, nodes: int) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(nodes), size=nodes)
    attention = harness.AttentionMap(weights)
    builder, unpruned = harness.make("graph builder", "threshold"), UnprunedMap(attention)
    sweep: dict[str, Any] = {"n_levels": LEVELS, "seed": 0, "resolution": 1.0}

    def cell() -> list[Any]:
        return list(profile(attention, builder, Halves(), unpruned=unpruned, **sweep))

    assert len(benchmark.pedantic(cell, rounds=10, warmup_rounds=1)) == LEVELS


@pytest.mark.benchmark(group="a cell of 12 nodes at one level, by a worker in this process")
def test_tiny_cell(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    saved = save_map(harness.AttentionMap(np.random.default_rng(0).random((12, 12))), tmp_path)
    worker = InlineWorker(WorkerConfig((HALVES,), {}, "", 2**32, 1), load((HALVES,)))
    header: dict[str, Any] = {
        "image": "x", "layer": 0, "head": 0, "graph": "threshold", "clusterer": "halves",
        "seed": 0, "point": None, "variant": ["observed", "", 0], "map": saved.to_message(),
        "n_levels": 1, "resolution": 1.0, "rescore": False, "folder": str(tmp_path),
    }  # fmt: skip

    (point,) = benchmark(lambda: list(worker.call("cell", 60.0, **header)))
    assert point["reply"] == "point"


@pytest.mark.benchmark(group="one selection, with its test")
@pytest.mark.parametrize("spelling", ["excess-modularity", "stable-phase", "max-modularity"])
def test_selection(benchmark: BenchmarkFixture, spelling: str) -> None:
    random, builder = np.random.default_rng(0), harness.make("graph builder", "threshold")

    def found() -> harness.Profile:
        attention = harness.AttentionMap(random.dirichlet(np.ones(49), size=49))
        sweep: dict[str, Any] = {"n_levels": LEVELS, "seed": 0, "resolution": 1.0}
        return harness.Profile(list(profile(attention, builder, Halves(), **sweep)))

    observed, nulls = found(), {"noise": [found() for _ in range(NULLS)]}
    selector = harness.make("selector", spelling)

    assert "noise" in benchmark(lambda: selected(selector, observed, nulls))["tests"]


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


@pytest.mark.benchmark(group="louvain on the graphs of all levels")
@pytest.mark.parametrize("method", ["harness", "scikit-network", "its compiled search"])
def test_louvain(benchmark: BenchmarkFixture, graphs: list[harness.Graph], method: str) -> None:
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Louvain

    clusterer = harness.make("clusterer", "louvain")
    tolerances = {"tol_optimization": 1e-7, "tol_aggregation": 1e-7}

    def ours() -> list[Any]:
        return [labels.tolist() for labels in clusterer.cluster_sweep(graphs, seed=0)]

    def theirs() -> list[Any]:
        solver = partial(Louvain, shuffle_nodes=True, return_probs=False, return_aggregate=False)
        return [
            solver(random_state=0, **tolerances).fit_predict(csr_matrix(graph.adjacency)).tolist()
            for graph in graphs
        ]

    def search() -> None:
        for arguments in searches:
            optimize(*(each.copy() if isinstance(each, np.ndarray) else each for each in arguments))

    # What the search is called with.
    searches: list[tuple[Any, ...]] = []
    optimize = louvain._compiled_search()

    def recorded(*arguments: Any) -> Any:
        searches.append(
            tuple(each.copy() if isinstance(each, np.ndarray) else each for each in arguments)
        )
        return optimize(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(louvain, "_compiled_search", lambda: recorded)
        assert ours() == theirs()
    run = {"harness": ours, "scikit-network": theirs, "its compiled search": search}[method]
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="infomap on the graphs of all levels")
@pytest.mark.parametrize("method", ["harness", "infomap.run", "its compiled search"])
def test_infomap(benchmark: BenchmarkFixture, graphs: list[harness.Graph], method: str) -> None:
    """The library's own searches get networks that are already made."""
    clusterer = harness.make("clusterer", "infomap")
    graphs = [graph for graph in graphs if graph.edges]

    def ours() -> list[Any]:
        return [found.diagnostics for found in clusterer.cluster_sweep(graphs, seed=0)]

    def networks() -> tuple[tuple[list[infomap.Network]], dict[str, Any]]:
        made = []
        for graph in graphs:
            links = np.column_stack([graph.rows, graph.adjacency.indices, graph.adjacency.data])
            made.append(infomap.Network().add_nodes(range(graph.n)).add_links(links))
        return (made,), {}

    def theirs(made: list[infomap.Network]) -> list[float]:
        options = {"directed": True, "two_level": True, "seed": 1}
        return [infomap.run(each, **options).codelength for each in made]

    def search(made: list[infomap.Network]) -> list[float]:
        for each in made:
            each._core.run("--directed --two-level --seed 1")
        return [each._core.codelength() for each in made]

    if method == "harness":
        found = benchmark.pedantic(ours, rounds=5, warmup_rounds=1)
        assert [each["codelength"] for each in found] == theirs(networks()[0][0])
    else:
        run = theirs if method == "infomap.run" else search
        benchmark.pedantic(run, setup=networks, rounds=5, warmup_rounds=1)
