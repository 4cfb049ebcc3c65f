"""What components take as the values that they see: bare arrays, numpy's numbers, parameters."""

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError, WrongValueError
from harness.plugin.arguments import convert, convert_fields
from harness.plugin.graph import Graph
from harness.plugin.values import AttentionMap, Image

Conversions = Mapping[str, Callable[[Any], Any]]

# Arguments of methods that are whole numbers.
WHOLE = ("seed", "count")
# The seed of a method that is called by hand without one.
DEFAULT_SEED = 0


def as_image(value: Image | NDArray[Any]) -> Image:
    """Return an image unchanged, and pixels (height, width[, channels]) as an unnamed image."""
    if isinstance(value, Image):
        return value
    pixels = np.asanyarray(value)
    return Image(key="", pixels=pixels[:, :, None] if pixels.ndim == 2 else pixels)


as_images = functools.partial(map, as_image)


def as_attention(value: AttentionMap | NDArray[Any]) -> AttentionMap:
    """Return a map unchanged, and weights (n, n) as an unnamed map."""
    return value if isinstance(value, AttentionMap) else AttentionMap(np.asanyarray(value))


def as_graph(value: Graph | NDArray[Any]) -> Graph:
    """Return a graph, or that of the positive ones of weights (n, n), at a safe scale."""
    if not isinstance(value, Graph):
        # AttentionMap checks the weights.
        value = Graph.from_weights(AttentionMap(np.asanyarray(value, dtype=np.float64)).weights)
    return value.at_safe_scale()


as_graphs = functools.partial(map, as_graph)


def converting(method: Callable[..., Any], first: Callable[[Any], Any]) -> Callable[..., Any]:
    """The method, with its first argument converted, whole numbers by name, and a default seed."""
    written = inspect.signature(method)
    signature = _with_default_seed(written)
    names = list(signature.parameters)[2:]
    defaults = {} if signature == written else {"seed": DEFAULT_SEED}
    most = sum(each.kind is not each.KEYWORD_ONLY for each in signature.parameters.values()) - 2

    def other(name: str | None, value: Any) -> Any:
        # Every level of every cell has a seed, and is spared the general way.
        if name not in WHOLE or (type(value) is int and value >= 0):
            return value
        number = convert(name, value, int)
        if number < 0:
            raise WrongValueError(f"{name}: expected a whole number from 0, not {number}")
        return number

    @functools.wraps(method)
    def converted(self: Any, value: Any, *arguments: Any, **keywords: Any) -> Any:
        if defaults and len(arguments) > most:
            raise HarnessError(f"{method.__name__}: the seed is given by name, as in seed=1")
        named = itertools.zip_longest(names[: len(arguments)], arguments)
        others = (other(name, each) for name, each in named)
        by_name = {name: other(name, each) for name, each in {**defaults, **keywords}.items()}
        return method(self, first(value), *others, **by_name)

    converted.__signature__ = signature  # type: ignore[attr-defined]
    return converted


def _with_default_seed(signature: inspect.Signature) -> inspect.Signature:
    """The signature, where a seed that has to be named has a default."""
    named = [
        each.replace(default=DEFAULT_SEED)
        if each.name == "seed" and each.kind is each.KEYWORD_ONLY and each.default is each.empty
        else each
        for each in signature.parameters.values()
    ]
    return signature.replace(parameters=named)


def convert_parameters(component: Any) -> None:
    """Convert a component's parameters to their types, or raise HarnessError."""
    try:
        convert_fields(component)
    except HarnessError as error:
        raise WrongValueError(f"{component.name}: {error}") from None


def after_parameters(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """The check of a component's parameters, after they are converted and its packages found."""

    @functools.wraps(check)
    def converted(component: Any) -> None:
        convert_parameters(component)
        component._check_requirement()
        check(component)

    return converted
