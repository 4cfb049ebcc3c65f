"""What clusterers keep to."""

import time

import numpy as np

from harness.engine import checks
from harness.engine.sweep import clustered
from harness.errors import reason_of
from harness.metrics.partition import cluster_count
from harness.plugin.base import Clusterer
from harness.plugin.graph import Graph
from harness.plugin.values import UNASSIGNED, Integers
from harness.testing.inputs import planted_graph, planted_map
from harness.testing.law import BrokenLawError, law, require, require_line, seconds_since

FACTORS = (2.0**-10, 2.0**10, 1e-14, 1e5, 1e-300, 1e300)
SMALL = {
    "of one node": np.zeros((1, 1)),
    "of two nodes without an edge": np.zeros((2, 2)),
    "of two nodes and one edge": np.array([[0.0, 1.0], [0.0, 0.0]]),
    "of thirty nodes without an edge": np.zeros((30, 30)),
    "that is complete, with equal weights": np.ones((30, 30)),
    "that is a star": np.eye(1, 30).T * np.ones(30),
    "of three equal parts": np.kron(np.eye(3), np.ones((12, 12))),
    "with isolated nodes, otherwise complete": np.pad(np.ones((15, 15)), (0, 10)),
}


def labels_of(clusterer: Clusterer, graph: Graph, seed: int = 0) -> Integers:
    """The valid labels of a graph; raises InvalidResultError for others."""
    (found,) = clustered(clusterer, [graph], seed=seed)
    assert found.partition is not None
    return found.partition.labels


def canonical(labels: Integers) -> list[int]:
    """The labels with clusters numbered by their first node; equal partitions have equal ones."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels.tolist()))}
    return [UNASSIGNED if label < 0 else numbers[label] for label in labels.tolist()]


@law(
    Clusterer,
    advice="return integers in a numpy array, one a node, −1 for no cluster, or a "
    "harness.Partition of it; copy the graph's arrays before you change them",
)
def every_node_gets_a_label(clusterer: Clusterer) -> str:
    count = cluster_count(labels_of(clusterer, planted_graph()[0]))
    return f"{count} {'cluster' if count == 1 else 'clusters'} where 3 are planted"


@law(Clusterer, advice="take all random numbers from numpy.random.default_rng(seed)")
def the_same_seed_gives_the_same_labels(clusterer: Clusterer) -> None:
    graph, _ = planted_graph((40, 40), inside=0.2, across=0.1)
    for seed in (0, 2**31 - 1):
        first, second = (labels_of(clusterer, graph, seed) for _ in range(2))
        differ = int(np.count_nonzero(first != second))
        require(not differ, f"{differ} of {graph.n} labels differ between two calls with {seed=}")


@law(Clusterer, advice="let nothing depend on the order of nodes, such as which of them is first")
def clear_clusters_stay_when_the_nodes_are_reordered(clusterer: Clusterer) -> None:
    graph, _ = planted_graph()
    order = np.random.default_rng(1).permutation(graph.n)
    reordered = Graph.from_weights(graph.adjacency.toarray()[np.ix_(order, order)])
    before, after = labels_of(clusterer, graph), labels_of(clusterer, reordered)
    require(
        canonical(before[order]) == canonical(after),
        f"the {graph.n} nodes of three clear clusters, in another order, are divided differently",
    )


@law(Clusterer, advice="label the nodes of graph.isolated −1, or each by itself")
def isolated_nodes_join_no_cluster(clusterer: Clusterer) -> None:
    weights = np.pad(planted_graph((20, 20))[0].adjacency.toarray(), (0, 5))
    labels = labels_of(clusterer, Graph.from_weights(weights))
    for node in range(40, 45):
        others = np.flatnonzero((labels == labels[node]) & (np.arange(45) != node))
        require(
            labels[node] == UNASSIGNED or not len(others),
            f"isolated node {node} is in a cluster with {len(others)} other nodes",
        )


@law(Clusterer, advice="treat graphs without edges, and of few nodes, before the method begins")
def small_and_regular_graphs_are_clustered(clusterer: Clusterer) -> None:
    for what, weights in SMALL.items():
        try:
            labels_of(clusterer, Graph.from_weights(weights))
        except Exception as error:
            raise BrokenLawError(f"a graph {what} fails: {reason_of(error)}") from error


@law(Clusterer, advice="ignore the diagonal where nodes are joined")
def loops_of_nodes_to_themselves_join_no_nodes(clusterer: Clusterer) -> None:
    labels = labels_of(clusterer, Graph.from_weights(np.eye(4), self_loops=True))
    assigned = labels[labels != UNASSIGNED]
    require(
        len(assigned) == len(set(assigned.tolist())),
        "nodes whose only edges lead to themselves share a cluster",
    )


@law(Clusterer, advice="compare weights with each other, not with absolute numbers")
def a_factor_of_all_weights_changes_no_label(clusterer: Clusterer) -> None:
    weights = planted_graph((12, 15, 9), across=0.2)[0].adjacency.toarray()
    labels = labels_of(clusterer, Graph.from_weights(weights))
    for factor in FACTORS:
        multiplied = labels_of(clusterer, Graph.from_weights(weights * factor))
        differ = int(np.count_nonzero(multiplied != labels))
        require(not differ, f"{differ} of 36 labels change with all weights times {factor:.3g}")


@law(Clusterer, advice="let cluster_sweep yield, graph by graph, what cluster returns for it")
def a_sweep_gives_the_labels_of_each_graph_alone(clusterer: Clusterer) -> None:
    whole, _ = planted_graph((14, 20, 30), across=0.2)
    order = whole.adjacency.data.argsort()
    graphs = [
        whole.keeping(np.sort(order[round(level * whole.edges) :]), level=level)
        for level in (0.0, 0.3, 0.6, 0.9, 1.0)
    ]
    for found in clustered(clusterer, iter(graphs), seed=3):
        returned = clusterer.cluster(found.graph, seed=3)
        alone = checks.labels(np.asarray(returned), whole.n)
        assert found.partition is not None
        require(
            canonical(found.partition.labels) == canonical(alone),
            f"the graph with {found.graph.edges} of {whole.edges} edges gets other labels in a "
            "sweep than alone",
        )


@law(Clusterer, advice='return one line of text, or ""')
def its_caveat_is_one_line(clusterer: Clusterer) -> None:
    require_line(clusterer.caveat(), "caveat()")


@law(Clusterer, advice="profile it: a run clusters hundreds of such graphs for every image")
def a_map_of_196_patches_is_clustered_at_8_levels(clusterer: Clusterer) -> str:
    whole = Graph.from_weights(planted_map((14, 14)).weights)
    order = whole.adjacency.data.argsort()
    kept = (np.sort(order[round(share * whole.edges) :]) for share in np.linspace(0, 0.95, 8))
    graphs = [whole.keeping(edges, level=float(level)) for level, edges in enumerate(kept)]
    started = time.perf_counter()
    list(clustered(clusterer, graphs, seed=0))
    return seconds_since(started)
