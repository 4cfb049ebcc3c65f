"""The pure heart of a run: one map × builder × clusterer at all levels, scored."""

import time
import warnings
from collections.abc import Iterator

from harness.components import Clusterer, GraphBuilder
from harness.engine import checks
from harness.scores.jaccard import best_match_jaccard
from harness.scores.modularity import modularity
from harness.scores.partition import (
    InvalidLabels,
    check_labels,
    cluster_count,
    coverage,
    renumbered,
)
from harness.values import AttentionMap, Graph, Partition, Point


def profile(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    levels: int,
    seed: int,
    resolution: float,
) -> Iterator[Point]:
    """The points of a profile, level by level, as they are computed.

    The unpruned map that `modularity_full` is taken on has a diagonal if the builder's graphs
    allow self-loops. Raises InvalidLabels if the clusterer returns no labels (n,), HarnessError
    if a component keeps another of its promises not, and whatever the components raise.
    """
    wanted = checks.levels(builder.levels(attention, levels), levels)
    whole: Graph | None = None
    previous = None
    for graph in checks.graphs(builder.build(attention, wanted), wanted, attention.n):
        if whole is None:
            whole = Graph.from_weights(attention.weights, self_loops=graph.self_loops)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            started = time.perf_counter()
            returned = clusterer.cluster(graph, seed=seed)
            seconds = time.perf_counter() - started
        partition = returned if isinstance(returned, Partition) else Partition(returned)
        try:
            # Numbers beyond n say nothing, and would not fit the store's 16 bits.
            labels = renumbered(check_labels(partition.labels, graph.n))
        except InvalidLabels as error:
            raise InvalidLabels(f"at level {graph.level:g}: {error}") from error
        yield Point(
            level=graph.level,
            threshold=graph.threshold,
            density=graph.density,
            modularity=modularity(graph, labels, resolution),
            modularity_full=modularity(whole, labels, resolution),
            n_clusters=cluster_count(labels),
            coverage=coverage(labels),
            giant_share=graph.giant_share,
            isolated_share=float(graph.isolated.mean()),
            jaccard_previous=(
                float("nan") if previous is None else best_match_jaccard(previous, labels)
            ),
            seconds=seconds,
            labels=labels,
            diagnostics=checks.diagnostics(partition.diagnostics),
            warnings=tuple(dict.fromkeys(str(warning.message) for warning in caught)),
        )
        previous = labels
