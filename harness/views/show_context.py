"""What is shown of one image of a run, in the terminal and as figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.image import Choice, ImageReport, Method
from harness.metrics.partition import drop_singletons
from harness.plugin.values import Image, Integers


@dataclass(frozen=True, eq=False)
class Chosen:
    """A partition to be shown: labels (n,) with every cluster of one patch unassigned (−1)."""

    name: str
    labels: Integers
    accepted: bool


@dataclass(frozen=True, eq=False)
class ShowContext:
    """What is shown of a map: what the run holds, and what could be had beside it.

    image: its pixels; class_name: of its label; weights: of the map; each is None or "" where it
    cannot be had, and remarks say why.
    """

    report: ImageReport
    image: Image | None = None
    class_name: str = ""
    weights: NDArray[np.floating[Any]] | None = None
    remarks: Sequence[str] = ()


def partitions(report: ImageReport) -> list[Chosen]:
    """What was chosen by every method and selector, and the planted communities if there are."""
    found = [
        Chosen(name(report, method, choice), labels(method, choice), choice.accepted)
        for method, choice in chosen(report)
    ]
    if report.truth is not None:
        found.append(Chosen("truth", drop_singletons(report.truth), True))
    return found


def chosen(report: ImageReport) -> Iterator[tuple[Method, Choice]]:
    """Every method with every choice that has a level."""
    for method in report.methods:
        for choice in method.choices:
            if choice.candidate is not None:
                yield method, choice


def name(report: ImageReport, method: Method, choice: Choice) -> str:
    """The method, with its selector where there are several."""
    if has_several_selectors(report):
        return f"{method.clusterer}, {choice.selector}"
    return method.clusterer


def has_several_selectors(report: ImageReport) -> bool:
    """Whether a method's name alone does not tell one choice from another."""
    return len({choice.selector for method in report.methods for choice in method.choices}) > 1


def labels(method: Method, choice: Choice) -> Integers:
    """The labels (n,) at the level chosen, every cluster of one patch unassigned (−1)."""
    assert choice.candidate is not None
    return drop_singletons(method.profile.points[choice.candidate].labels)
