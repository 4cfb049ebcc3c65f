import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import harness
from harness.engine.sweep import Clustered, clustered
from harness.errors import InvalidResultError


@dataclass(frozen=True)
class Batches(harness.Clusterer):
    """Takes graphs two by two; a cluster of all nodes, and a warning before each result."""

    name: ClassVar[str] = "batches"

    def cluster(self, graph: harness.Graph, *, seed: int) -> np.ndarray[Any, Any]:
        return np.zeros(graph.n, dtype=int)

    def cluster_sweep(
        self, graphs: Iterable[harness.Graph], *, seed: int
    ) -> Iterator[harness.Partition]:
        waiting: list[harness.Graph] = []
        for graph in graphs:
            waiting.append(graph)
            if len(waiting) == 2:
                yield from self._answers(waiting, seed)
                waiting = []
        yield from self._answers(waiting, seed)

    def _answers(self, graphs: Iterable[harness.Graph], seed: int) -> Iterator[harness.Partition]:
        for graph in graphs:
            warnings.warn(f"level {graph.level:g}", stacklevel=1)
            yield harness.Partition(self.cluster(graph, seed=seed), {"edges": graph.edges})


@dataclass(frozen=True)
class Answers(harness.Clusterer):
    """So many results, whatever the graphs are."""

    name: ClassVar[str] = "answers"
    count: int = 0

    def cluster(self, graph: harness.Graph, *, seed: int) -> np.ndarray[Any, Any]:
        return np.zeros(graph.n, dtype=int)

    def cluster_sweep(
        self, graphs: Iterable[harness.Graph], *, seed: int
    ) -> Iterator[np.ndarray[Any, Any]]:
        taken = list(graphs)
        for _ in range(self.count):
            yield np.zeros(taken[0].n, dtype=int)


@dataclass(frozen=True)
class Hasty(Answers):
    """A result before any graph is taken."""

    name: ClassVar[str] = "hasty"

    def cluster_sweep(self, graphs: Iterable[harness.Graph], *, seed: int) -> Iterator[Any]:
        yield np.zeros(3, dtype=int)


@dataclass(frozen=True)
class Nothing(Answers):
    """No results at all."""

    name: ClassVar[str] = "nothing"

    def cluster_sweep(self, graphs: Iterable[harness.Graph], *, seed: int) -> Any:
        return None


@dataclass(frozen=True)
class Swapping(Batches):
    """Changes a graph that it has not answered yet."""

    name: ClassVar[str] = "swapping"

    def _answers(self, graphs: Iterable[harness.Graph], seed: int) -> Iterator[harness.Partition]:
        taken = list(graphs)
        for graph in taken[1:]:
            graph.adjacency.data = graph.adjacency.data * 2
        yield from super()._answers(taken, seed)


def graphs(*levels: float) -> Iterator[harness.Graph]:
    """One graph a level: without the edges that are lighter than it."""
    weights = np.arange(16, dtype=float).reshape(4, 4) / 16
    for level in levels:
        yield harness.Graph.from_weights(weights, threshold=level, level=level)


def sweep(clusterer: harness.Clusterer, *levels: float) -> list[Clustered]:
    return list(clustered(clusterer, graphs(*levels), seed=0))


def test_results_belong_to_the_graphs_in_their_order() -> None:
    found = sweep(Batches(), 0.0, 0.2, 0.4, 0.6, 0.8)

    assert [each.graph.level for each in found] == [0.0, 0.2, 0.4, 0.6, 0.8]
    edges = [each.partition.diagnostics["edges"] for each in found if each.partition]
    assert edges == [each.graph.edges for each in found]


def test_a_warning_belongs_to_the_result_that_follows_it() -> None:
    found = sweep(Batches(), 0.0, 0.4, 0.8)
    assert [each.warnings for each in found] == [("level 0",), ("level 0.4",), ("level 0.8",)]


def test_a_list_of_results_has_its_time_and_its_warnings() -> None:
    class AtOnce(Batches):
        def cluster_sweep(self, graphs: Iterable[harness.Graph], *, seed: int) -> Any:
            return list(super().cluster_sweep(graphs, seed=seed))

    first, *others = sweep(AtOnce(), 0.0, 0.4)

    assert first.warnings == ("level 0", "level 0.4")
    assert first.seconds > max(each.seconds for each in others)


def test_graphs_with_the_edges_of_the_one_before_are_not_clustered() -> None:
    found = sweep(Batches(), 0.0, 0.01, 0.2, 0.201, 0.202, 0.4, 0.41)

    assert [each.graph.level for each in found] == [0.0, 0.01, 0.2, 0.201, 0.202, 0.4, 0.41]
    distinct = [each.graph.level for each in found if each.partition is not None]
    assert distinct == [0.0, 0.2, 0.4]


def test_a_result_is_yielded_before_later_graphs_are_built() -> None:
    built: list[float] = []

    def noted() -> Iterator[harness.Graph]:
        for graph in graphs(0.0, 0.2, 0.4, 0.6):
            built.append(graph.level)
            yield graph

    first = next(clustered(Batches(), noted(), seed=0))

    assert first.graph.level == 0.0
    assert built == [0.0, 0.2]


@pytest.mark.parametrize(
    ("clusterer", "said"),
    [
        (Answers(0), r"cluster_sweep\(\) gave no result for level 0$"),
        (Answers(1), r"cluster_sweep\(\) gave no result for level 0.4$"),
        (Answers(3), r"cluster_sweep\(\) gave a result before it took a graph"),
        (Hasty(), r"cluster_sweep\(\) gave a result before it took a graph"),
        (Nothing(), r"cluster_sweep\(\) returned None, not results"),
    ],
)
def test_another_number_of_results_than_graphs_is_invalid(
    clusterer: harness.Clusterer, said: str
) -> None:
    with pytest.raises(InvalidResultError, match=said):
        sweep(clusterer, 0.0, 0.4)


def test_graphs_that_are_changed_before_they_are_answered_are_noticed() -> None:
    with pytest.raises(InvalidResultError, match=r"at level 0.4: cluster\(\) changed the graph"):
        sweep(Swapping(), 0.0, 0.4)


def test_an_error_of_the_builder_is_not_blamed_on_the_clusterer() -> None:
    def failing() -> Iterator[harness.Graph]:
        yield from graphs(0.0, 0.2, 0.4)
        raise InvalidResultError("build() gave no graph for level 0.6")

    with pytest.raises(InvalidResultError, match=r"^build\(\) gave no graph for level 0.6$"):
        list(clustered(Batches(), failing(), seed=0))


def test_a_bare_array_is_a_graph_of_a_sweep() -> None:
    arrays: Any = [np.ones((3, 3)), np.zeros((3, 3))]
    with pytest.warns(UserWarning, match="level 0"):
        first, second = Batches().cluster_sweep(arrays, seed=0)
    assert (first.diagnostics["edges"], second.diagnostics["edges"]) == (6, 0)
