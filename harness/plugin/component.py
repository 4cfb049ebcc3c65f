"""What all components share."""

import dataclasses
from abc import ABC
from collections.abc import Iterator
from typing import Any, ClassVar

from harness.plugin import conversion
from harness.plugin.requirement import Requirement


class Component(ABC):
    """What all components share.

    Plugins derive from the class of a kind, such as `harness.Clusterer`. A component is a frozen
    dataclass with a class variable `name`, by which specs name it. Its fields are its parameters.
    Their types may be bool, int, float, str, Path, a Literal, a tuple of these, or one of these or
    None; `__post_init__` raises HarnessError for wrong values. `harness plugins NAME` shows the
    docstring, with its Parameters section. Methods that take an image, map or graph also take a
    bare array.

    Attributes
    ----------
    requires : harness.Requirement or None
        Class variable. The packages that the component needs with its default parameters, besides
        those that the harness installs. Without them, no component is made.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    requires: ClassVar[Requirement | None] = None
    # Methods whose first argument may be a bare array, and the function that converts it.
    _converted: ClassVar[conversion.Conversions] = {}

    def __post_init__(self) -> None:
        conversion.convert_parameters(self)
        self._check_requirement()

    def requirement(self) -> Requirement | None:
        """Return what these parameters need; override it if some need less than the default."""
        return self.requires

    def _check_requirement(self) -> None:
        if (needed := self.requirement()) is not None:
            needed.check(self.name)

    def _parameters(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield the name, the value and the default of each parameter, as specs write them."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            yield field.name, getattr(self, field.name), field.default

    @classmethod
    def misdeclared(cls) -> str:
        """What is wrong with the class variables of the kind, "" if nothing."""
        return ""

    @classmethod
    def declared(cls) -> str:
        """What the class variables of the kind declare, in a sentence, or "" if there are none."""
        return ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__post_init__" in cls.__dict__:
            check = conversion.after_parameters(cls.__post_init__)
            cls.__post_init__ = check  # type: ignore[method-assign, assignment]
        for name, convert in cls._converted.items():
            if name in cls.__dict__:
                setattr(cls, name, conversion.converting(cls.__dict__[name], convert))
