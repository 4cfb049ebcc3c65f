"""What all components share."""

from abc import ABC
from typing import Any, ClassVar

from harness.plugin import conversion


class Component(ABC):
    """What all components share; plugins derive theirs from the classes of `base.py`.

    A component is a frozen dataclass with a class variable `name`, by which specs name it. Its
    fields are its parameters, of type bool, int, float, str, Path, a Literal, a tuple of these, or
    one of these or None; `__post_init__` raises HarnessError for wrong values. Its docstring, with
    a Parameters section, is what `harness plugins NAME` shows. Methods that take an image, map or
    graph also take a bare array.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    # Methods whose first argument may be a bare array, and the function that converts it.
    _converted: ClassVar[conversion.Conversions] = {}

    def __post_init__(self) -> None:
        conversion.convert_parameters(self)

    @classmethod
    def misdeclared(cls) -> str:
        """What is wrong with the class variables of the kind, "" if nothing."""
        return ""

    @classmethod
    def declared(cls) -> str:
        """What the class variables of the kind declare, in a sentence, "" if there are none."""
        return ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__post_init__" in cls.__dict__:
            check = conversion.after_parameters(cls.__post_init__)
            cls.__post_init__ = check  # type: ignore[method-assign, assignment]
        for name, convert in cls._converted.items():
            if name in cls.__dict__:
                setattr(cls, name, conversion.converting(cls.__dict__[name], convert))
