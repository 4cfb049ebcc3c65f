"""Louvain on directed, weighted modularity, by scikit-network's compiled search."""

import importlib.util
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

import harness
from harness import Integers
from harness_plugins.parameters import check_bounds

if TYPE_CHECKING:
    from importlib.abc import Loader

    # Never imported, see `_compiled_search`; runs record its version all the same.
    import sknetwork  # noqa: F401

# Smallest gain in modularity for which the search continues; the default 1e-3 stops early.
TOLERANCE = 1e-7
SEARCH = "sknetwork.clustering.louvain_core"
SCIKIT_NETWORK = harness.Requirement(
    "scikit-network>=0.33.3,<0.34",
    ("sknetwork",),
    "where there is none for this Python, choose louvain-networkx, which maximises the same "
    "modularity more slowly",
)


@dataclass(frozen=True)
class Louvain(harness.Clusterer):
    """Louvain: greedy directed modularity (scikit-network; fast).

    Maximises the directed modularity of Leicht and Newman (2008) as Dugué and Perez do,
    "Directed Louvain" (2015). The library computes in single precision. Isolated nodes are
    singletons.

    Parameters
    ----------
    resolution
        the γ of modularity; larger values give smaller clusters.
    """

    name: ClassVar[str] = "louvain"
    requires: ClassVar[harness.Requirement] = SCIKIT_NETWORK
    resolution: float = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, "resolution", above=0)
        # Looked for here, without importing, so that a run fails before it begins.
        _search_spec()

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), every node assigned, the largest cluster first."""
        if not graph.edges:
            return np.arange(graph.n)

        order = np.random.RandomState(seed).permutation(graph.n)
        links = _links(graph, order)
        clusters = np.arange(graph.n)
        while True:
            found, gain = _moved(links, self.resolution)
            clusters = found[clusters]
            if gain <= TOLERANCE or not found.any():
                break
            links = _between(links, found)
        sizes = np.bincount(clusters)
        numbers = np.empty(len(sizes), dtype=np.int64)
        numbers[np.argsort(-sizes)] = np.arange(len(sizes))
        labels = np.empty(graph.n, dtype=np.int64)
        labels[order] = numbers[clusters]
        return labels


class _Links(NamedTuple):
    """The links of nodes, or of clusters, in both directions: CSR arrays whose sum is 1.

    own: what links a node to itself, (n,). sent, received: fractions of the directed weights that
    leave and reach each node, (n,).
    """

    weights: NDArray[Any]
    targets: NDArray[Any]
    pointers: NDArray[Any]
    own: NDArray[Any]
    sent: NDArray[Any]
    received: NDArray[Any]


def _links(graph: harness.Graph, order: Integers) -> _Links:
    """The links of a graph's nodes in another order."""
    from scipy.sparse import csc_array

    place = np.empty(graph.n, dtype=np.int32)
    place[order] = np.arange(graph.n)
    sent = graph.adjacency[order]
    # From columns to rows and back: the conversion sorts, in linear time.
    columns = csc_array((sent.data, place[sent.indices], sent.indptr), shape=sent.shape)
    received = columns.tocsr()
    both = received.T.tocsr() + received
    both *= 1 / both.data.sum()
    strengths = graph.out_strength[order], graph.in_strength[order]
    return _Links(
        both.data,
        both.indices.astype(np.int32, copy=False),
        both.indptr.astype(np.int32, copy=False),
        both.diagonal(),
        *(strength / strength.sum() for strength in strengths),
    )


def _moved(links: _Links, resolution: float) -> tuple[Integers, float]:
    """The clusters (n,), from 0, after nodes moved while modularity rose, and its gain."""
    n = len(links.own)
    labels = np.arange(n, dtype=np.int32)
    own, sent, received = (
        each.astype(np.float32) for each in (links.own, links.sent, links.received)
    )
    try:
        _, gain = _compiled_search()(
            labels,
            links.targets,
            links.pointers,
            links.weights.astype(np.float32),
            sent,
            received,
            sent.copy(),
            received.copy(),
            np.zeros(n, dtype=np.float32),
            own,
            resolution,
            TOLERANCE,
        )
    except TypeError as error:
        raise harness.HarnessError(
            f"louvain: this scikit-network has another search ({error}); {SCIKIT_NETWORK.command()}"
        ) from error
    return np.unique(labels, return_inverse=True)[1], gain


def _between(links: _Links, clusters: Integers) -> _Links:
    """The links of clusters, given those of their nodes."""
    n, k = len(clusters), int(clusters.max()) + 1
    sources = np.repeat(np.arange(n), np.diff(links.pointers))
    to_clusters = np.bincount(sources * k + clusters[links.targets], links.weights, n * k)
    cells = np.add.outer(clusters * k, np.arange(k)).ravel()
    between = np.bincount(cells, to_clusters, k * k)
    linked = np.flatnonzero(between)
    return _Links(
        between[linked],
        (linked % k).astype(np.int32),
        np.searchsorted(linked, np.arange(k + 1) * k).astype(np.int32),
        between[:: k + 1],
        np.bincount(clusters, links.sent),
        np.bincount(clusters, links.received),
    )


def _search_spec() -> ModuleSpec:
    """Where scikit-network's compiled search is, found without importing anything."""
    package = importlib.util.find_spec("sknetwork")
    found = [] if package is None else package.submodule_search_locations or []
    spec = PathFinder.find_spec(SEARCH, [f"{folder}/clustering" for folder in found])
    if spec is None or spec.loader is None:
        raise harness.HarnessError(
            f"louvain: this scikit-network has no {SEARCH}; {SCIKIT_NETWORK.command()}"
        )
    return spec


@lru_cache
def _compiled_search() -> Any:
    """scikit-network's search alone: to import the package takes as long as two maps."""
    module = sys.modules.get(SEARCH)
    if module is None:
        spec = _search_spec()
        module = importlib.util.module_from_spec(spec)
        cast("Loader", spec.loader).exec_module(module)
        sys.modules[SEARCH] = module
    return module.optimize_core


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Louvain]
