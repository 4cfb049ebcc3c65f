"""Images in batches: taken in their order, computed together where their sizes are equal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar

import harness


class Shaped(Protocol):
    """What is prepared of an image for a model."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the image's pixels; only equal ones can be computed together."""


P = TypeVar("P", bound=Shaped)
M = TypeVar("M")
Run = Callable[[Sequence[P]], Sequence[Iterable[M]]]


def in_batches(
    images: Iterable[harness.Image],
    prepare: Callable[[harness.Image], P],
    run: Run[P, M],
    batch: int,
) -> Iterator[tuple[harness.Image, P, M]]:
    """Yield each image, what was prepared of it, and each of its results, in the images' order.

    `batch` images are taken at a time, and `run` computes those of equal shape together: one
    iterable of results for each. If an image fails, with HarnessError, the results of all others
    that were taken come first. Nothing of a batch is held when the next one is taken.
    """
    taken = iter(images)
    while True:
        window: list[tuple[harness.Image, P]] = []
        failures: list[harness.HarnessError] = []
        for image in islice(taken, batch):
            try:
                window.append((image, prepare(image)))
            except harness.HarnessError as error:
                # No more is taken, so that it is known which image is to blame.
                failures.append(error)
                break
        else:
            if not window:
                return
        yield from _results(window, run, failures)
        if failures:
            raise failures[0]


def _results(
    window: list[tuple[harness.Image, P]], run: Run[P, M], failures: list[harness.HarnessError]
) -> Iterator[tuple[harness.Image, P, M]]:
    """The results of a batch, which is emptied; what fails is added to the failures."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, (_, prepared) in enumerate(window):
        groups.setdefault(tuple(prepared.shape), []).append(number)
    found: dict[int, Iterable[M]] = {}
    for numbers in groups.values():
        try:
            results = run([window[number][1] for number in numbers])
            found.update(zip(numbers, results, strict=True))
        except harness.HarnessError as error:
            failures.append(error)
    for number in range(len(window)):
        image, prepared = window.pop(0)
        try:
            for each in found.pop(number, ()):
                yield image, prepared, each
        except harness.HarnessError as error:
            failures.append(error)
