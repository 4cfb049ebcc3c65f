"""Community functions of networkx and igraph as clusterers."""

import inspect
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from harness.errors import InvalidResultError
from harness.objects.adapter import Adapter, name_of
from harness.plugin.base import Clusterer
from harness.plugin.graph import Graph
from harness.plugin.values import UNASSIGNED, Integers

# Arguments that take the name of the edges' weights; networkx' default is that name.
WEIGHTS = ("weights", "edge_weights")


@dataclass(frozen=True, eq=False)
class CommunityFunction(Adapter, Clusterer):
    """A function of networkx or igraph that finds communities in a graph.

    arguments: passed to the function by name. symmetrised: whether it gets the undirected graph of
    A + Aᵀ.
    """

    name: str  # type: ignore[misc]  # that of the function
    library: Literal["networkx", "igraph"]
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    symmetrised: bool

    def _shown(self) -> Mapping[str, Any]:
        return {**self.arguments, **({"symmetrised": True} if self.symmetrised else {})}

    def cluster(self, graph: Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = in no community."""
        if self.symmetrised:
            adjacency = (graph.adjacency + graph.adjacency.T).tocsr()
            adjacency.sort_indices()
            graph = replace(graph, adjacency=adjacency)
        arguments = dict(self.arguments)
        known = _argument_names(self.function)
        if "seed" in known:
            arguments.setdefault("seed", seed)
        # igraph draws from Python's generator.
        state = random.getstate()
        random.seed(seed)
        try:
            if self.library == "networkx":
                made: Any = graph.to_networkx()
                made = made.to_undirected() if self.symmetrised else made
                return _labels(self.function(made, **arguments), graph.n, self.name)
            made = _to_igraph(graph)
            if self.symmetrised:
                # Both directions of an edge have its weight.
                made.to_undirected(combine_edges="max")
            for name in WEIGHTS:
                if name in known:
                    arguments.setdefault(name, "weight")
            found = self.function(made, **arguments)
            # A dendrogram is cut where modularity is largest.
            found = found.as_clustering() if hasattr(found, "as_clustering") else found
            return np.asarray(found.membership)
        finally:
            random.setstate(state)


def from_networkx(
    function: Callable[..., Any], *, symmetrised: bool = False, **arguments: Any
) -> Clusterer:
    """Return a community function of networkx as a clusterer.

    The function gets a `DiGraph` of the pruned map, whose edges have a `weight`. If it has an
    argument `seed`, it gets the cell's seed.

    Parameters
    ----------
    function
        A function that returns disjoint sets of nodes, such as
        `networkx.community.louvain_communities`. Nodes in no set are unassigned.
    symmetrised
        Whether the function gets an undirected `Graph`, whose weights are the sums of both
        directions. Some functions need it.
    arguments
        Passed to the function by name.

    Returns
    -------
    harness.Clusterer
        Its name is that of the function, and its parameters are the arguments.

    Examples
    --------
    >>> import networkx
    >>> louvain = harness.from_networkx(networkx.community.louvain_communities, resolution=1.2)
    >>> sorted(louvain.cluster(np.kron(np.eye(2), np.ones((2, 2))), seed=0).tolist())
    [0, 0, 1, 1]
    """
    return CommunityFunction(name_of(function), "networkx", function, arguments, symmetrised)


def from_igraph(
    function: Callable[..., Any], *, symmetrised: bool = False, **arguments: Any
) -> Clusterer:
    """Return a community method of igraph, or a function of leidenalg, as a clusterer.

    The function gets a directed `igraph.Graph` of the pruned map. Its argument `weights` or
    `edge_weights` is set to the name of the weights. The cell's seed sets its argument `seed`, if
    it has one, and Python's random generator, which igraph uses.

    Parameters
    ----------
    function
        A function that returns a clustering or a dendrogram, such as
        `igraph.Graph.community_infomap`. A dendrogram is cut where modularity is largest.
    symmetrised
        Whether the function gets an undirected graph, whose weights are the sums of both
        directions. Some functions need it, such as `igraph.Graph.community_multilevel`.
    arguments
        Passed to the function by name.

    Returns
    -------
    harness.Clusterer
        Its name is that of the function, and its parameters are the arguments.

    Examples
    --------
    >>> import igraph
    >>> multilevel = harness.from_igraph(igraph.Graph.community_multilevel, symmetrised=True)
    >>> multilevel.cluster(np.kron(np.eye(2), np.ones((2, 2))), seed=0)
    array([0, 0, 1, 1])
    """
    return CommunityFunction(name_of(function), "igraph", function, arguments, symmetrised)


def _to_igraph(graph: Graph) -> Any:
    """The same graph for igraph, isolated nodes included; edges have a `weight`."""
    import igraph

    ends = zip(graph.rows.tolist(), graph.adjacency.indices.tolist(), strict=True)
    weights = {"weight": graph.adjacency.data.tolist()}
    return igraph.Graph(graph.n, ends, directed=True, edge_attrs=weights)


def _argument_names(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except ValueError:  # compiled functions may have none
        return set()


def _labels(communities: Any, nodes: int, name: str) -> Integers:
    """The community of each node, from sets of nodes or from a mapping of nodes to labels."""
    labels = np.full(nodes, UNASSIGNED)
    if isinstance(communities, Mapping):
        numbers = {
            label: number for number, label in enumerate(dict.fromkeys(communities.values()))
        }
        for node, label in communities.items():
            labels[node] = numbers[label]
        return labels
    for label, members in enumerate(communities):
        try:
            found = np.fromiter(members, dtype=np.int64)
        except (TypeError, ValueError):
            raise InvalidResultError(
                f"{name} returned no sets of nodes, but {type(members).__name__}s of others"
            ) from None
        if (labels[found] != UNASSIGNED).any():
            raise InvalidResultError(f"{name}: a node is in two communities")
        labels[found] = label
    return labels
