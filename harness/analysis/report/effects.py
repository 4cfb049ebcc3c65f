"""What single images and maps show of each method: their effects, and the p of their tests."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from harness.analysis.leaderboard import Row
from harness.analysis.method import MethodKey, grouped
from harness.analysis.outcomes import Outcome

T = TypeVar("T")
# More images, and more p values, are thinned to so many.
MOST_IMAGES = 400
MOST_TESTS = 1000


@dataclass(frozen=True)
class MethodEffects:
    """A method's effect with its interval, and those of images, the largest first.

    Without a control it is the modularity. An image's is the mean over its heads and repeats;
    omitted: how many images are left out, evenly by their effect.
    """

    method: MethodKey
    is_effect: bool
    effect: float | None
    low: float | None
    high: float | None
    images: tuple[tuple[str, float], ...]
    omitted: int


@dataclass(frozen=True)
class MethodTests:
    """The p values of a method's maps under one control, the smallest first.

    tests: how many there are; values: all of them, or some of many, taken evenly; smallest: the
    smallest p that the draws allow.
    """

    method: MethodKey
    control: str
    tests: int
    values: tuple[float, ...]
    smallest: float


def spread_out(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly spaced, the first and the last among them.

    >>> spread_out("abcdefg", 3)
    ['a', 'd', 'g']
    """
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places.tolist()]


def image_scores(found: Iterable[Outcome]) -> dict[tuple[str, str], float]:
    """The mean score of each image over all outcomes that are ok, the largest first.

    An image is given by its set, or the map set that it is from, and its name.
    """
    scores = [(image_of(each), each.score) for each in found if each.ok]
    known = [(image, score) for image, score in scores if score is not None]
    means = {
        image: statistics.fmean(score for _, score in of_image)
        for image, of_image in grouped(known, lambda pair: pair[0]).items()
    }
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def image_of(outcome: Outcome) -> tuple[str, str]:
    """The image set of an outcome, or else its map set, and the image."""
    return outcome.method.image_set or outcome.method.extractor, outcome.image


def method_effects(rows: Iterable[Row], found: Iterable[Outcome]) -> list[MethodEffects]:
    """The effects of methods, given their rows in the leaderboard and all outcomes."""
    by_method = grouped(found, lambda each: each.method)
    effects = []
    for row in rows:
        images = [(name, score) for (_, name), score in image_scores(by_method[row.method]).items()]
        shown = spread_out(images, MOST_IMAGES)
        effects.append(
            MethodEffects(
                row.method,
                row.effect is not None,
                row.score,
                row.effect_low,
                row.effect_high,
                tuple(shown),
                len(images) - len(shown),
            )
        )
    return effects


def method_tests(
    rows: Iterable[Row], found: Iterable[Outcome], draws: dict[tuple[str, str], int]
) -> list[MethodTests]:
    """The p values of methods under every control that they were tested against.

    draws: the most that a test has, by control and selector.
    """
    by_method = grouped(found, lambda each: each.method)
    tests = []
    for row in rows:
        for each in row.controls:
            control = each.control
            values = sorted(
                one.tests[control].p
                for one in by_method[row.method]
                if one.ok and control in one.tests
            )
            most = draws.get((control, row.method.selector), 0)
            if values and most:
                shown = tuple(spread_out(values, MOST_TESTS))
                tests.append(MethodTests(row.method, control, len(values), shown, 1 / (most + 1)))
    return tests
