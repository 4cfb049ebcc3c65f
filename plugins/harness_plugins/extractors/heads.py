"""Choices of a model's layers or heads: `last`, `3`, `0-5`, `all`, `mean`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import harness

RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
WORDS = "numbers from 0, ranges such as 0-5, all, last, or mean"


@dataclass(frozen=True)
class Chosen:
    """Layers or heads by number; with `mean`, their mean stands for all of them."""

    numbers: tuple[int, ...]
    mean: bool

    @property
    def names(self) -> Sequence[int]:
        """The numbers that their maps have; that of a mean is 0."""
        return tuple(name for name, _ in self.groups)

    @property
    def groups(self) -> Sequence[tuple[int, tuple[int, ...]]]:
        """The number of each map, and the numbers of those from which it is computed."""
        return [(0, self.numbers)] if self.mean else [(each, (each,)) for each in self.numbers]


def check(texts: Sequence[str], what: str) -> None:
    """Raise HarnessError if texts are not a valid choice of `what`, "layers" or "heads"."""
    words = [text for text in texts if text != "mean"]
    if not texts:
        raise harness.HarnessError(f"{what} is empty; it takes {WORDS}")
    if len(texts) - len(words) > 1:
        raise harness.HarnessError(f"{what} names mean twice")
    for text in words:
        found = RANGE.fullmatch(text)
        if text in ("all", "last") or (found and int(found[1]) <= int(found[2] or found[1])):
            continue
        raise harness.HarnessError(f"{what} takes {WORDS}, not {text!r}")


def choose(texts: Sequence[str], count: int, what: str, model: str) -> Chosen:
    """The layers or heads, called `what`, that texts choose out of `count`, in increasing order.

    `mean` together with others is the mean of those, on its own the mean of all.
    """
    check(texts, what)
    named: list[int] = []
    for text in texts:
        if text == "all":
            named += range(count)
        elif text == "last":
            named.append(count - 1)
        elif found := RANGE.fullmatch(text):
            first, last = int(found[1]), int(found[2] or found[1])
            if last >= count:
                raise harness.HarnessError(
                    f"{model}: there is no {what.removesuffix('s')} {last}; "
                    f"there are 0 … {count - 1}"
                )
            named += range(first, last + 1)
    if len(set(named)) < len(named):
        raise harness.HarnessError(f"{model}: {what} {', '.join(texts)} names one twice")
    mean = "mean" in texts
    return Chosen(tuple(sorted(named)) if named else tuple(range(count)), mean)
