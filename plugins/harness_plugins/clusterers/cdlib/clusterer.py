"""One of CDlib's algorithms on the nodes that have edges."""

import contextlib
import io
import random
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import harness
from harness import UNASSIGNED, Integers
from harness_plugins.clusterers.cdlib.methods import CDLIB, SEEDS, WEIGHTS, Method, method_of

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

# What an argument of each annotation takes; others cannot be written in a spec. CDlib calls some
# numbers int that need not be whole.
TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int, float),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
}
WORDS = {"int": "number", "float": "number", "str": "text", "bool": "true or false"}


@dataclass(frozen=True)
class Cdlib(harness.Clusterer):
    """Any crisp algorithm of CDlib, by its name in CDlib (extra `cdlib`).

    Rossetti, Milli and Cazabet, Applied Network Science 2019. A method gets directions and weights
    if CDlib documents that it takes them, or if it has an argument for weights. Otherwise it gets
    the mean (A + Aᵀ) / 2, or edges without weights, and `harness run` says so first. Isolated nodes
    are unassigned, as are nodes that the method omits; self-loops are removed. The cell's seed is
    passed to the method, or sets the global random generators. docs/methods.md lists the methods,
    and which of them need packages that the extra does not install.

    Parameters
    ----------
    method
        the name of a function of cdlib.algorithms, such as walktrap.
    arguments
        of the function, each as name=value: `cdlib[method=em,arguments=k=4]`, or
        `cdlib[method=der,arguments=[walk_len=4,iter_bound=20]]`. The harness itself passes the
        graph, its weights and the seed.
    """

    name: ClassVar[str] = "cdlib"
    requires: ClassVar[harness.Requirement] = CDLIB
    method: str
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Checked here, without importing, so that a run fails before it begins.
        method = method_of(self.method)
        given = self._given(method)
        if missing := [each for each in method.required if each not in given]:
            needed = ",".join(f"{each}=…" for each in missing)
            raise harness.HarnessError(
                f"cdlib: {self.method} needs arguments: "
                f"cdlib[method={self.method},arguments=[{needed}]]"
            )

    def caveat(self) -> str:
        """What of a graph CDlib's method does not use."""
        method = method_of(self.method)
        used = {"directions": method.takes_directions, "weights": method.takes_weights}
        unused = [what for what, is_used in used.items() if not is_used]
        return f"CDlib's {self.method} uses no {' and no '.join(unused)}" if unused else ""

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = unassigned; raises HarnessError if communities overlap."""
        labels = np.full(graph.n, UNASSIGNED)
        linked = np.flatnonzero(~graph.isolated)
        if not len(linked):
            return labels
        method = method_of(self.method)
        network = _network(graph.adjacency[linked][:, linked], method)
        arguments = self._given(method)
        arguments |= {each: "weight" for each in WEIGHTS if each in method.arguments}
        arguments |= {each: seed for each in SEEDS if each in method.arguments}
        with _seeded(seed), contextlib.redirect_stdout(io.StringIO()):
            found = getattr(_algorithms(), self.method)(network, **arguments).communities
        # In an order that does not depend on the method.
        for label, members in enumerate(sorted(sorted(set(each)) for each in found)):
            nodes = linked[members]
            if (labels[nodes] != UNASSIGNED).any():
                raise harness.HarnessError(f"cdlib: {self.method} returned overlapping communities")
            labels[nodes] = label
        return labels

    def _given(self, method: Method) -> dict[str, Any]:
        """The method's arguments by name; raises HarnessError if one is wrong."""
        types = {
            name: annotation
            for name, annotation in method.arguments.items()
            if annotation in TYPES and name not in (*WEIGHTS, *SEEDS)
        }
        given: dict[str, Any] = {}
        for text in self.arguments:
            name, equals, value = map(str.strip, text.partition("="))
            if not equals or name not in types:
                known = ", ".join(f"{each}=…" for each in types) or "none"
                raise harness.HarnessError(
                    f"cdlib: arguments of {method.name} are {known}, not {text!r}"
                )
            if name in given:
                raise harness.HarnessError(f"cdlib: arguments: {name} is given twice")
            given[name] = _value(text, value, types[name])
        return given


def _value(text: str, value: str, annotation: str) -> Any:
    """The value of an argument; raises HarnessError unless it has the annotated type."""
    parsed: Any = value
    if annotation != "str":
        with contextlib.suppress(tomllib.TOMLDecodeError):
            parsed = tomllib.loads(f"value = {value}")["value"]
    if type(parsed) not in TYPES[annotation]:
        raise harness.HarnessError(f"cdlib: arguments: {text}: expected {WORDS[annotation]}")
    return parsed


def _network(weights: "csr_array[Any, Any]", method: Method) -> "networkx.Graph[int]":
    """The graph of weights (m, m) with what the method uses of it."""
    import networkx

    is_directed = method.takes_directions
    network: networkx.Graph[int] = networkx.DiGraph() if is_directed else networkx.Graph()
    network.add_nodes_from(range(weights.shape[0]))
    edges = (weights if is_directed else (weights + weights.T) / 2).tocoo()
    others = edges.row != edges.col
    ends = edges.row[others].tolist(), edges.col[others].tolist()
    if method.takes_weights:
        network.add_weighted_edges_from(zip(*ends, edges.data[others].tolist(), strict=True))
    else:
        network.add_edges_from(zip(*ends, strict=True))
    return network


def _algorithms() -> Any:
    """CDlib's algorithms; the import warns of its packages' own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cdlib import algorithms
    return algorithms


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """A context in which the global random generators, igraph's too, begin at a seed."""
    before, numpy_before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
