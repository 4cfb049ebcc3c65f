"""The thesis' methods as a student writes them: networkx' Louvain, Infomap, the SDP's row loop."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from harness import UNASSIGNED, Floats, Integers

SEED = 1

# networkx 3.6.1 never returns from Louvain on some graphs.
LOUVAIN_SECONDS = 120
RANK = 40
TOLERANCE = 1e-4
MOST_SWEEPS = 300
VARIANCE = 0.95
FEWEST_DIMENSIONS = 2
MIN_CLUSTER_SIZE = 5


def louvain(graph: Any) -> list[set[int]]:
    """Louvain by networkx. Raises TimeoutError when the alarm strikes."""
    import networkx

    with _alarm(LOUVAIN_SECONDS):
        return list(networkx.community.louvain_communities(graph, weight="weight", seed=SEED))


def infomap_modules(graph: Any) -> list[set[int]]:
    """Infomap's modules, its links added one by one."""
    import infomap

    network = infomap.Network()
    for node in graph:
        network.add_node(node)
    for source, target, weight in graph.edges(data="weight"):
        network.add_link(source, target, weight)
    result = infomap.run(network, directed=True, two_level=True, seed=SEED, num_trials=1)
    modules: dict[int, set[int]] = {}
    for node, module in result.modules().items():
        modules.setdefault(module, set()).add(node)
    return list(modules.values())


def sdp(graph: Any) -> tuple[list[set[int]], bool]:
    """Clusters of the spins, and whether the spins converged."""
    import networkx
    from sklearn.cluster import HDBSCAN

    # Made of edges, it has no isolated nodes.
    undirected = networkx.Graph(graph.edges())
    nodes = list(undirected)
    if len(nodes) < MIN_CLUSTER_SIZE:
        return [], True
    place = {node: position for position, node in enumerate(nodes)}
    neighbours = [[place[other] for other in undirected[node]] for node in nodes]
    spins, converged = ascend(neighbours, SEED)

    variances, axes = np.linalg.eigh(np.cov(spins.T))
    variances, axes = variances[::-1], axes[:, ::-1]
    explained = np.cumsum(variances) / variances.sum()
    dimensions = int(np.searchsorted(explained, VARIANCE)) + 1
    points = spins @ axes[:, : max(FEWEST_DIMENSIONS, dimensions)]

    found = HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, copy=True).fit_predict(points)
    clusters: dict[int, set[int]] = {}
    for node, label in zip(nodes, found.tolist(), strict=True):
        if label != UNASSIGNED:
            clusters.setdefault(label, set()).add(node)
    return list(clusters.values()), converged


def ascend(neighbours: Sequence[Sequence[int] | Integers], seed: int) -> tuple[Floats, bool]:
    """Unit spins (n, 40) by coordinate ascent, and whether they came to rest.

    The penalised objective of Javanmard, Montanari and Ricci-Tersenghi, PNAS 2016.
    """
    n = len(neighbours)
    penalty = sum(map(len, neighbours)) / n**2
    spins = np.random.default_rng(seed).normal(size=(n, RANK))
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    total = spins.sum(axis=0)
    for _ in range(MOST_SWEEPS):
        largest = 0.0
        for node in range(n):
            spin = spins[node].copy()
            # Kinder to the thesis than a third loop, over the neighbours, would be.
            pull = spins[neighbours[node]].sum(axis=0) - penalty * (total - spin)
            length = np.linalg.norm(pull)
            if length == 0:
                continue
            spins[node] = pull / length
            change = spins[node] - spin
            total += change
            largest = max(largest, float(change @ change))
        if largest <= TOLERANCE:
            return spins, True
    return spins, False


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def strike(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
