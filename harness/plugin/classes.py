"""The names of the classes of images."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from harness.plugin.sources import ImageSet


@runtime_checkable
class TellsClasses(Protocol):
    """An image set that names the classes of its labels, with or without splits."""

    def classes(self) -> Sequence[str]:
        """Their names."""


def classes_of(images: ImageSet) -> tuple[str, ...]:
    """The names of an image set's classes; empty if it names none."""
    return tuple(map(str, images.classes())) if isinstance(images, TellsClasses) else ()


def class_name(label: int | None, classes: Sequence[str]) -> str:
    """The name of a label's class, the label itself if it has none, or "" without a label.

    >>> class_name(1, ["ant", "bee"]), class_name(7, []), class_name(None, ["ant"])
    ('bee', '7', '')
    """
    if label is None:
        return ""
    return classes[label] if 0 <= label < len(classes) else str(label)
