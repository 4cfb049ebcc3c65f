"""Inputs for tests of components: graphs, maps, images and profiles of known structure."""

from collections.abc import Sequence

import numpy as np

from harness.metrics.partition import cluster_count, coverage
from harness.plugin.graph import Graph
from harness.plugin.profile import Point, Profile
from harness.plugin.values import AttentionMap, Floats, Image, Integers


def planted_graph(
    sizes: Sequence[int] = (20, 25, 35),
    *,
    inside: float = 0.6,
    across: float = 0.05,
    seed: int = 0,
) -> tuple[Graph, Integers]:
    """Return a directed graph with planted clusters, and the true cluster of each node.

    Parameters
    ----------
    sizes
        Numbers of nodes of the clusters.
    inside, across
        The probability of an edge within a cluster, and between two. Weights are uniform in ½ … 1.
    seed
        Seed of edges and weights.

    Returns
    -------
    graph : Graph
        Directed, of n = sum(sizes) nodes.
    truth : ndarray of int64, shape (n,)
        The cluster of each node, from 0.

    Examples
    --------
    >>> graph, truth = harness.testing.planted_graph([3, 2], inside=1, across=0)
    >>> graph.edges, truth
    (8, array([0, 0, 0, 1, 1]))
    """
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    chance = np.where(truth[:, None] == truth, inside, across)
    linked = random.random(chance.shape) < chance
    return Graph.from_weights(linked * random.uniform(0.5, 1.0, chance.shape)), truth


def planted_map(
    grid: tuple[int, int] = (5, 6), *, signal: float = 2.0, seed: int = 0
) -> AttentionMap:
    """Return softmax attention with two planted communities.

    Parameters
    ----------
    grid
        Rows and columns of the patches.
    signal
        How much larger logits are within a community; their noise has standard deviation 1.
    seed
        Seed of communities and noise.

    Returns
    -------
    AttentionMap
        Of rows × columns patches, with its `truth`; rows sum to one.

    Examples
    --------
    >>> attention = harness.testing.planted_map((3, 3))
    >>> attention.weights.sum(axis=1).round(6).tolist() == [1.0] * 9
    True
    """
    random = np.random.default_rng(seed)
    n = grid[0] * grid[1]
    truth = random.permutation(np.arange(n) % 2)
    weights = np.exp(random.normal(size=(n, n)) + signal * (truth[:, None] == truth))
    weights /= weights.sum(axis=1, keepdims=True)
    return AttentionMap(weights, image="planted", grid=grid, truth=truth)


def plain_image(key: str = "a", height: int = 24, width: int = 36, channels: int = 1) -> Image:
    """Return an image that is bright at its lower right, with some noise.

    Parameters
    ----------
    key
        Its name, which also seeds the noise.
    height, width, channels
        Its size in pixels, and 1 or 3 channels.

    Returns
    -------
    Image
        Without a label.

    Examples
    --------
    >>> harness.testing.plain_image(channels=3).pixels.shape
    (24, 36, 3)
    """
    random = np.random.default_rng(list(key.encode()))
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    noise = random.integers(0, 60, (height, width, channels))
    pixels = 195 * (down + across)[:, :, None] / 2 + noise
    return Image(key, pixels.astype(np.uint8))


def profile(
    modularity: Sequence[float] | Floats, labels: Sequence[Integers] | None = None
) -> Profile:
    """Return a profile with these modularities, at levels 0 … 0.9.

    Parameters
    ----------
    modularity
        The modularity at each level, used for all kinds of modularity; NaN for a graph without
        edges.
    labels
        Labels (n,) at each level, −1 for unassigned; by default two clusters of 10 nodes.

    Returns
    -------
    Profile
        With a point for each level.

    Examples
    --------
    >>> harness.testing.profile([0.1, 0.3, 0.2]).n_clusters
    array([2, 2, 2])
    """
    partitions = [np.arange(20) % 2] * len(modularity) if labels is None else labels
    return Profile(
        [
            Point(
                level=float(level),
                threshold=0.0,
                density=1 - float(level),
                modularity=float(figure),
                modularity_full=float(figure),
                z_modularity=float(figure),
                n_clusters=cluster_count(each),
                coverage=coverage(each),
                largest_component_fraction=1.0,
                isolated_fraction=0.0,
                jaccard_previous=1.0 if index else np.nan,
                seconds=0.0,
                labels=each,
            )
            for index, (level, figure, each) in enumerate(
                zip(np.linspace(0.0, 0.9, len(modularity)), modularity, partitions, strict=True)
            )
        ]
    )
