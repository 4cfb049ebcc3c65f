"""What the tests of a family can reach with the draws that they have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.significance import SIGNIFICANT, is_significant


@dataclass(frozen=True)
class Reach:
    """The smallest p and q of a family of tests, each against the draws of a control.

    fewest_draws, most_draws: of a test; smallest_p: 1/(most_draws + 1); needed: how many tests must
    have the smallest p that their draws allow before the q of one is at most .05, None if even all
    of them are too few.
    """

    tests: int
    fewest_draws: int
    most_draws: int
    smallest_p: float
    needed: int | None

    def __str__(self) -> str:
        several = f"{self.fewest_draws} to " if self.fewest_draws < self.most_draws else ""
        draws = f"{several}{self.most_draws} draw{'s' if self.most_draws > 1 else ''}"
        text = f"{draws} a test: p is at least {self.smallest_p:.2g}".replace(" 0.", " .")
        if self.tests == 1:
            return f"{text}, {'too large' if self.needed is None else 'small enough'} for q ≤ .05"
        if self.needed is None:
            return f"{text}, too large for q ≤ .05 even if all {self.tests} tests reach it"
        return f"{text}, and q ≤ .05 takes {self.needed} of {self.tests} tests that reach it"


def reach(draws: Sequence[int]) -> Reach:
    """What a family can reach, given the number of draws, one or more, of each of its tests.

    By Benjamini and Hochberg's rule, k of m tests at p have q = p m / k. The tests with most draws,
    and so the smallest p, come first.

    >>> reach([48] * 64).needed
    27
    """
    smallest = 1 / (np.sort(draws)[::-1] + 1)
    enough = np.flatnonzero(
        is_significant(smallest * len(smallest) / np.arange(1, len(smallest) + 1))
    )
    needed = int(enough[0]) + 1 if len(enough) else None
    return Reach(len(draws), min(draws), max(draws), float(smallest[0]), needed)


def draws_for(tests: int, reaching: int) -> int:
    """How many draws a test needs for q ≤ .05 if so many tests of a family have the smallest p.

    >>> draws_for(tests=64, reaching=20)
    63
    """
    # Rounding in the quotient would cost a draw.
    return math.ceil(round(tests / (reaching * SIGNIFICANT), 9)) - 1
