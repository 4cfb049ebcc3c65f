"""Components that wrap an object, and how their specs show it."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import WrongValueError
from harness.objects.tensors import array_of, is_array
from harness.plugin.component import Component
from harness.plugin.spec import format_value
from harness.plugin.values import digest_of

# What a name in a spec cannot contain.
UNNAMED = re.compile(r"[^A-Za-z0-9_.-]+")
# Digits of a digest in a spec.
DIGITS = 12
# The parameter of estimators that the harness sets.
RANDOM_STATE = "random_state"


class Adapter(Component):
    """A component that is made of an object; its spec has the object's name and parameters."""

    def _shown(self) -> Mapping[str, Any]:
        """The parameters that the spec shows: those that are not the object's defaults."""
        return {}

    def _content(self) -> Mapping[str, Any]:
        """What the results depend on beside the code of this class."""
        return vars(self)

    def _parameters(self) -> Iterator[tuple[str, Any, Any]]:
        for key, value in self._shown().items():
            # Always shown: there is no default that it could equal.
            yield key, spec_value(value), ...


def spec_value(value: Any) -> Any:
    """The value as a spec can show it: itself if it is plain, a name or a digest otherwise.

    >>> spec_value(np.float64(0.5)), spec_value(len), spec_value(np.eye(2))
    (0.5, 'len', 'array:4486f554843a')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str | Path):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(spec_value, value))
    if is_array(value):
        return f"array:{digest_of(array_of(value))[:DIGITS]}"
    if hasattr(value, "get_params") and not isinstance(value, type):
        chosen = chosen_parameters(value).items()
        written = ", ".join(f"{key}={format_value(spec_value(each))}" for key, each in chosen)
        return f"{name_of(type(value))}({written})"
    return name_of(value)


def name_of(value: Any) -> str:
    """The name of a function, a class or, of another object, of its class, as a spec can hold it.

    >>> name_of(len), name_of(lambda: 0), name_of(partial(int, base=2))
    ('len', 'lambda', 'int')
    """
    if isinstance(value, partial):
        return name_of(value.func)
    name = getattr(value, "__name__", None) or type(value).__name__
    return UNNAMED.sub("-", str(name)).strip("_.-") or "object"


def keywords_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that a partial function binds; raises WrongValueError if one has no name."""
    if not isinstance(function, partial):
        return {}
    if function.args:
        bound = ", ".join(map(format_value, map(spec_value, function.args)))
        raise WrongValueError(
            f"{name_of(function)}: bind arguments by name; functools.partial binds {bound} without"
        )
    # A partial function of another one binds what both bind.
    return dict(function.keywords)


def own_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator, without the random states that the harness sets."""
    parameters = estimator.get_params(deep=False)
    return {key: value for key, value in parameters.items() if key != RANDOM_STATE}


def chosen_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator that are not those of its class."""
    known = inspect.signature(type(estimator)).parameters
    return {
        key: value
        for key, value in own_parameters(estimator).items()
        if key not in known or not _same(value, known[key].default)
    }


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(np.all(value == default))
