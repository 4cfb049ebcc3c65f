"""Lets a clusterer cluster the graphs of a sweep, and checks and times what it yields."""

import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from harness.engine import checks
from harness.errors import InvalidResultError
from harness.plugin.base import Clusterer
from harness.plugin.graph import Graph, Partition

_END = object()


class Clustered(NamedTuple):
    """A graph and its clusters.

    partition: None if the graph has the same edges as the one before, and so the same clusters.
    seconds: the clusterer's own, since its last result. warnings: raised in that time.
    """

    graph: Graph
    partition: Partition | None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def clustered(clusterer: Clusterer, graphs: Iterable[Graph], *, seed: int) -> Iterator[Clustered]:
    """Yield every graph with its clusters as soon as the clusterer has them.

    The clusterer sees no graph with the same edges as the one before. Raises InvalidResultError if
    it returns an invalid result, not one for each graph, or changes a graph.
    """
    taken = _Taken(iter(graphs))

    def answers() -> Iterator[Any]:
        # Not called before the first result is asked for: it may cluster at once, as for a list.
        swept = clusterer.cluster_sweep(taken.distinct(), seed=seed)
        yield from checks.iterator(swept, "cluster_sweep()", "results")

    results = answers()
    returned: Any = None
    while returned is not _END:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            started = time.perf_counter() - taken.seconds
            try:
                returned = next(results, _END)
            except Exception as error:
                if (instead := taken.blame(error)) is not error:
                    raise instead from error
                raise
            seconds = time.perf_counter() - taken.seconds - started
        yield from taken.repeats()
        if returned is not _END:
            graph, partition = taken.answered(returned)
            yield Clustered(graph, partition, seconds, checks.warnings(caught))
    taken.check_end()


class _Taken:
    """The graphs that a clusterer has taken, and for which it has not yielded a result."""

    def __init__(self, graphs: Iterator[Graph]) -> None:
        self._graphs = graphs
        self._waiting: deque[tuple[Graph, checks.Edges | None]] = deque()
        self._failure: Exception | None = None
        # Spent on building graphs, which is not the clusterer's time.
        self.seconds = 0.0

    def distinct(self) -> Iterator[Graph]:
        """Yield the graphs that differ in an edge from the one before."""
        before: checks.Edges | None = None
        while (graph := self._next()) is not None:
            if before is not None and checks.has_edges(graph, before):
                self._waiting.append((graph, None))
            else:
                before = checks.edges(graph)
                self._waiting.append((graph, before))
                yield graph

    def _next(self) -> Graph | None:
        started = time.perf_counter()
        try:
            return next(self._graphs, None)
        except Exception as error:
            self._failure = error
            raise
        finally:
            self.seconds += time.perf_counter() - started

    def repeats(self) -> Iterator[Clustered]:
        """Yield the graphs in front that have the edges of the last one answered."""
        while self._waiting and self._waiting[0][1] is None:
            yield Clustered(self._waiting.popleft()[0], None)

    def answered(self, returned: Any) -> tuple[Graph, Partition]:
        """The graph in front, with its checked result."""
        if not self._waiting:
            raise InvalidResultError("cluster_sweep() gave a result before it took a graph")
        graph, edges = self._waiting.popleft()
        try:
            if edges is None or not checks.has_edges(graph, edges):
                raise InvalidResultError("cluster() changed the graph that it was given")
            partition = returned if isinstance(returned, Partition) else Partition(returned)
            labels = checks.labels(partition.labels, graph.n)
            return graph, Partition(labels, checks.diagnostics(partition.diagnostics))
        except InvalidResultError as error:
            raise type(error)(f"at level {graph.level:g}: {error}") from error

    def blame(self, error: Exception) -> Exception:
        """The error to raise for one that a clusterer raised: an invalid result names its level.

        A builder's error passes through the clusterer, and is not the clusterer's.
        """
        if self._failure is not None:
            return self._failure
        level = f"at level {self._waiting[0][0].level:g}: " if self._waiting else ""
        if isinstance(error, InvalidResultError):
            return type(error)(f"{level}{error}")
        if isinstance(error, ValueError) and "read-only" in str(error):
            return InvalidResultError(f"{level}cluster() writes into its graph: {error}")
        return error

    def check_end(self) -> None:
        """Raise InvalidResultError if a graph has no result."""
        graph = self._waiting[0][0] if self._waiting else self._next()
        if graph is not None:
            raise InvalidResultError(f"cluster_sweep() gave no result for level {graph.level:g}")
