"""What removing clusters of an image does to a model's answer, beside chance.

Logits and changes are arrays (…, classes); what a set of patches does to logits is given as a
function, so that nothing here knows a model. docs/ablation.md defines every figure.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.metrics.significance import p_value
from harness.plugin.values import UNASSIGNED, Floats, Integers

Kind = Literal["alone", "together", "only"]
Changes = Callable[[NDArray[np.bool_]], Floats]
# Changes of a logit are computed in 32 bits; smaller differences are of rounding.
ROUNDING = 1e-5
TAILS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class PatchSet:
    """Patches (n,) to remove: a cluster, several together, or all that are not in a cluster.

    clusters: the labels removed; for "only" the one label that is kept.
    """

    kind: Kind
    clusters: tuple[int, ...]
    removed: NDArray[np.bool_]


@dataclass(frozen=True)
class Chance:
    """What removing as many patches does that are drawn at random.

    logit, margin, probability, accuracy: mean changes over the draws, as `Effect` defines them;
    low and high: 2.5 % and 97.5 % quantiles of the draws' changes of the logit; p: the share of
    draws whose logit changes at least as much in either direction, the observed one among them;
    expected: the mean change of the logit over all sets of that size in closed form, None where
    the changes of patches do not add up or the sets are not equally likely.
    """

    logit: float
    low: float
    high: float
    margin: float
    probability: float
    accuracy: float
    p: float
    expected: float | None


@dataclass(frozen=True)
class Effect:
    """What removing a set of patches does: every change is the ablated less the intact figure.

    logits: changes of all classes' logits; logit: of the target class's; margin: of its logit less
    the largest other; probability: of its softmax probability; accuracy: −1, 0 or 1, as the target
    is predicted. predicted: the class of the largest logit afterwards; changed: whether that is
    another one than before.
    """

    kind: Kind
    clusters: tuple[int, ...]
    patches: int
    logits: tuple[float, ...]
    logit: float
    margin: float
    probability: float
    accuracy: float
    predicted: int
    changed: bool
    random: Chance
    contiguous: Chance


def drop_singletons(labels: NDArray[np.integer[Any]]) -> Integers:
    """The labels (n,) with every cluster of one node unassigned (−1), as the scores see it."""
    found, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.where((sizes < 2) | (found == UNASSIGNED), UNASSIGNED, found)[place].astype(np.int64)


def patch_sets(labels: Integers, together: int) -> Iterator[PatchSet]:
    """Each cluster of labels (n,), up to `together` of them at once, and each kept alone.

    Unassigned patches (−1) are a cluster of their own here. No set comes twice: removing all but
    one is keeping that one, and of two clusters removing one is keeping the other.
    """
    clusters = np.unique(labels).tolist()
    for count in _counts(len(clusters), together):
        for chosen in itertools.combinations(clusters, count):
            kind: Kind = "alone" if count == 1 else "together"
            yield PatchSet(kind, chosen, np.isin(labels, chosen))
    for kept in clusters if len(clusters) > 2 else ():
        yield PatchSet("only", (kept,), labels != kept)


def _counts(clusters: int, together: int) -> Iterator[int]:
    """How many clusters are removed at once."""
    for count in range(1, min(together, clusters) + 1):
        if count == 1 or count != clusters - 1:
            yield count


def count_patch_sets(clusters: int, together: int) -> int:
    """How many sets `patch_sets` gives for so many clusters."""
    joined = sum(math.comb(clusters, count) for count in _counts(clusters, together))
    return joined + (clusters if clusters > 2 else 0)


@dataclass(frozen=True, eq=False)
class Answers:
    """What logits (sets, classes) say of a target class: figures (sets,)."""

    logits: Floats
    target: int

    @cached_property
    def margin(self) -> Floats:
        """The target's logit less the largest other."""
        others = np.delete(self.logits, self.target, axis=-1)
        return np.asarray(self.logits[..., self.target] - others.max(axis=-1, initial=-np.inf))

    @cached_property
    def probability(self) -> Floats:
        """The target's softmax probability."""
        from scipy.special import softmax

        return np.asarray(softmax(self.logits, axis=-1)[..., self.target])

    @cached_property
    def predicted(self) -> Integers:
        """The class of the largest logit."""
        return np.asarray(self.logits.argmax(axis=-1))

    @cached_property
    def right(self) -> Floats:
        """1 where the target is predicted, else 0."""
        return np.asarray(self.predicted == self.target, dtype=np.float64)


def effects(
    logits: Floats,
    changes: Changes,
    patch_changes: Floats | None,
    target: int,
    sets: Sequence[PatchSet],
    orders: tuple[Integers, Integers],
) -> list[Effect]:
    """What removing each of some sets of patches does to an image's logits (classes,).

    changes gives for sets (sets, n) the changes (sets, classes); patch_changes (n, classes) are
    those of single patches where they add up. orders: ranks (draws, n) of patches in random and
    in contiguous random orders; as many patches as a set has are those of the lowest ranks.
    """
    if not sets:
        return []
    intact = Answers(logits[None], target)
    observed = changes(np.array([each.removed for each in sets]))
    after = Answers(logits + observed, target)
    mean_patch = None if patch_changes is None else float(patch_changes[:, target].mean())

    # Sets of one size have the same draws.
    @cache
    def drawn(kind: int, patches: int) -> Floats:
        return changes(orders[kind] < patches)

    def chance(kind: int, patches: int, logit: float, expected: float | None) -> Chance:
        change = drawn(kind, patches)
        without = Answers(logits + change, target)
        low, high = np.quantile(change[:, target], TAILS)
        return Chance(
            float(change[:, target].mean()),
            float(low),
            float(high),
            float((without.margin - intact.margin).mean()),
            float((without.probability - intact.probability).mean()),
            float((without.right - intact.right).mean()),
            p_value(abs(logit) - ROUNDING, np.abs(change[:, target])),
            expected,
        )

    found = []
    for index, each in enumerate(sets):
        patches = int(each.removed.sum())
        logit = float(observed[index, target])
        expected = None if mean_patch is None else patches * mean_patch
        found.append(
            Effect(
                each.kind,
                each.clusters,
                patches,
                tuple(observed[index].tolist()),
                logit,
                float(after.margin[index] - intact.margin[0]),
                float(after.probability[index] - intact.probability[0]),
                float(after.right[index] - intact.right[0]),
                int(after.predicted[index]),
                bool(after.predicted[index] != intact.predicted[0]),
                chance(0, patches, logit, expected),
                chance(1, patches, logit, None),
            )
        )
    return found
