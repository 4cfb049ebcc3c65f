"""What a law is, and which laws a component must keep."""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import InvalidResultError
from harness.plugin.arguments import shown
from harness.plugin.component import Component

# Modules that define laws, in the order in which the laws are tried.
MODULES = (
    "sources",
    "extractors",
    "graph_builders",
    "clusterers",
    "selectors",
    "draws",
    "scores",
    "process",
)
_LAWS: list["Law"] = []


class BrokenLawError(InvalidResultError):
    """A component does not keep a law; the message says what it did."""


@dataclass(frozen=True)
class Law:
    """A property that all components of some kinds must have.

    Call it with a component to test the law. The call returns "" or a note, such as the seconds
    that it took. If the law is broken, it raises BrokenLawError, or what the component raised.

    Parameters
    ----------
    check
        The function that tests the law; its name is that of the law.
    bases
        Base classes of the components that must keep the law.
    advice
        What to do if it is broken.

    Examples
    --------
    >>> laws = harness.testing.laws_of(harness.make("clusterer", "louvain"))
    >>> laws[0].name, laws[0](harness.make("clusterer", "louvain"))
    ('every node gets a label', '3 clusters where 3 are planted')
    """

    check: Callable[[Any], str | None]
    bases: tuple[type[Component], ...]
    advice: str

    @property
    def name(self) -> str:
        """The law in words."""
        return self.check.__name__.replace("_", " ")

    def __call__(self, component: Component) -> str:
        """Test the law on a component."""
        return self.check(component) or ""


def law(*bases: type[Component], advice: str) -> Callable[[Callable[[Any], str | None]], Law]:
    """Make a law of a function that takes a component and raises if it is broken."""

    def register(check: Callable[[Any], str | None]) -> Law:
        made = Law(check, bases, advice)
        _LAWS.append(made)
        return made

    return register


def laws_of(component: Component | type[Component]) -> Sequence[Law]:
    """Return the laws that a component must keep; all others rely on the first.

    Parameters
    ----------
    component
        A component, or its class.

    Returns
    -------
    sequence of Law
        In the order in which they are tested.

    Examples
    --------
    >>> [law.name for law in harness.testing.laws_of(harness.Perturbation)][:2]
    ['a draw has the size of the map', 'the same seed draws the same map']
    """
    for module in MODULES:
        importlib.import_module(f"harness.testing.{module}")
    kind = component if isinstance(component, type) else type(component)
    return [each for each in _LAWS if issubclass(kind, each.bases)]


def require(is_kept: object, found: str) -> None:
    """Raise BrokenLawError with what was found unless the law is kept."""
    if not is_kept:
        raise BrokenLawError(found)


def require_line(returned: Any, method: str) -> None:
    """Raise BrokenLawError unless a method returned one line of text, or none."""
    is_line = isinstance(returned, str) and len(returned.splitlines()) <= 1
    require(is_line, f"{method} returned {shown(returned)}")


def seconds_since(started: float) -> str:
    """A law's note of the time since `time.perf_counter()` was that."""
    return f"{time.perf_counter() - started:.2g} s"
