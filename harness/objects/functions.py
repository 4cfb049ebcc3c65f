"""Functions of weights and a seed as components."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import WrongValueError
from harness.objects.adapter import Adapter, keywords_of, name_of
from harness.objects.tensors import array_of
from harness.plugin.base import Clusterer
from harness.plugin.draws import MapControl, Perturbation
from harness.plugin.graph import Graph, Partition
from harness.plugin.values import AttentionMap, Floats

Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class WeightsFunction(Adapter):
    """A function of weights (n, n) and a seed.

    function: gets the seed by the name `seed`, or second if it has no argument of that name.
    """

    name: str  # type: ignore[misc]  # that of the function, not of the class
    function: Function

    def __post_init__(self) -> None:
        self._takes_seed_by_name()

    def _shown(self) -> Mapping[str, Any]:
        return keywords_of(self.function)

    def _call(self, weights: Floats, seed: int) -> Any:
        if self._takes_seed_by_name():
            return self.function(weights, seed=seed)
        return self.function(weights, seed)

    def _drawn(self, attention: AttentionMap, seed: int) -> AttentionMap:
        weights = self._call(np.array(attention.weights), seed)
        return replace(attention, weights=array_of(weights))

    def _takes_seed_by_name(self) -> bool:
        try:
            signature = inspect.signature(self.function)
        except ValueError:  # compiled functions may have none
            return False
        for arguments, keywords in (((0,), {"seed": 0}), ((0, 0), {})):
            try:
                signature.bind(*arguments, **keywords)
            except TypeError:
                continue
            return bool(keywords)
        raise WrongValueError(f"{self.name}: a function takes (weights, seed), not {signature}")


@dataclass(frozen=True, eq=False)
class FunctionClusterer(WeightsFunction, Clusterer):
    """A function that returns the cluster of each node, −1 for none."""

    def cluster(self, graph: Graph, *, seed: int) -> NDArray[np.integer[Any]] | Partition:
        """What the function returns for the weights of the graph (n, n), 0 where no edge is."""
        found = self._call(graph.adjacency.toarray(), seed)
        return found if isinstance(found, Partition) else array_of(found)


@dataclass(frozen=True, eq=False)
class FunctionControl(WeightsFunction, MapControl):
    """A function that returns the weights (n, n) of a null map."""

    def draw(self, attention: AttentionMap, seed: int) -> AttentionMap:
        """A map with the weights that the function returns."""
        return self._drawn(attention, seed)


@dataclass(frozen=True, eq=False)
class FunctionPerturbation(WeightsFunction, Perturbation):
    """A function that returns slightly changed weights (n, n)."""

    def draw(self, attention: AttentionMap, seed: int) -> AttentionMap:
        """A map with the weights that the function returns."""
        return self._drawn(attention, seed)


def function_component(kind: str, function: Function) -> Adapter:
    """Return a function as a component of a kind; raises WrongValueError if it cannot be one."""
    if isinstance(function, partial) and not (function.args or function.keywords):
        function = function.func
    name = name_of(function)
    if kind not in FUNCTIONS:
        raise WrongValueError(
            f"{name}: a function can be a {', a '.join(FUNCTIONS)}, but no {kind}; derive a class "
            f"from the harness's base class of {kind}s instead"
        )
    return FUNCTIONS[kind](name, function)


FUNCTIONS: Mapping[str, type[WeightsFunction]] = {
    "clusterer": FunctionClusterer,
    "control": FunctionControl,
    "perturbation": FunctionPerturbation,
}
