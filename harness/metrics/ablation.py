"""Effects of removing patches on a model's output, compared with removing random patches.

A model's output for an image is its logits or an embedding. The change by a set of patches is given
as a function, so that nothing here depends on a model. docs/ablation.md defines every figure.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.metrics.inference import Estimate, estimate
from harness.metrics.patch_sets import Kind, PatchSet
from harness.metrics.significance import p_value
from harness.plugin.values import Floats, Integers

Changes = Callable[[NDArray[np.bool_]], Floats]
# The figures of `Effect` for each of several sets of patches.
Figures = Mapping[str, Floats]
T = TypeVar("T")
Removed = Literal["most salient", "least salient", "each"]
# Models compute in 32 bits; smaller differences are rounding errors.
ROUNDING = 1e-5
TAILS = (0.025, 0.975)
# Which of the clusters, most salient first, are removed.
CLUSTERS: Mapping[Removed, slice] = {
    "most salient": slice(1),
    "least salient": slice(-1, None),
    "each": slice(None),
}
# With fewer clusters none is more salient than another.
FEWEST_CLUSTERS = 2


class Draws(NamedTuple):
    """Random sets of as many patches, in the first or the second of two kinds of order.

    target: the class whose figures are measured, None for embeddings.
    """

    order: int
    patches: int
    target: int | None


def draws_of(sets: Iterable[PatchSet], target: int | None = None) -> set[Draws]:
    """What sets of patches are compared with; sets of one size have the same draws."""
    sizes = {int(each.removed.sum()) for each in sets}
    return {Draws(order, patches, target) for order in (0, 1) for patches in sizes}


@dataclass(frozen=True)
class Chance:
    """The effect of removing as many random patches.

    figures: the means over the draws of the figures of `Effect`. Of the first figure over the
    draws: low and high, its 2.5 % and 97.5 % quantiles, and p, its two-sided p value. expected: the
    mean change of the logit over all sets of that size, in closed form; None if the changes of
    patches do not add up or the sets are not equally likely.
    """

    figures: Mapping[str, float]
    low: float
    high: float
    p: float
    expected: float | None = None

    @property
    def first(self) -> float:
        """The first figure."""
        return _first(self.figures)


@dataclass(frozen=True)
class Effect:
    """The effect of removing a `PatchSet` of so many patches on a model's output for an image.

    figures: those of `logit_figures` or of `embedding_figures`; random, contiguous: the effect of
    as many random patches, and of as many connected ones; logits: the changes of all classes'
    logits; predicted: the class with the largest logit afterwards; changed: whether it is another
    one than before. Embeddings have neither logits nor a predicted class.
    """

    kind: Kind
    clusters: tuple[int, ...]
    patches: int
    figures: Mapping[str, float]
    random: Chance
    contiguous: Chance
    logits: tuple[float, ...] = ()
    predicted: int | None = None
    changed: bool = False

    @property
    def first(self) -> float:
        """The first figure."""
        return _first(self.figures)


def _first(figures: Mapping[str, T]) -> T:
    return next(iter(figures.values()))


def margins(logits: Floats, target: int) -> Floats:
    """The target's logit less the largest other one; logits are (…, classes)."""
    others = np.delete(logits, target, axis=-1)
    return np.asarray(logits[..., target] - others.max(axis=-1, initial=-np.inf))


def probabilities(logits: Floats, target: int) -> Floats:
    """The target's softmax probability; logits are (…, classes)."""
    from scipy.special import softmax

    return np.asarray(softmax(logits, axis=-1)[..., target])


def logit_figures(intact: Floats, target: int, changes: Floats) -> dict[str, Floats]:
    """Changes of a target class's figures, each (sets,), by changes of the logits (sets, classes).

    The accuracy of an image is 1 if the target is predicted, else 0.
    """
    before, after = intact[None], intact + changes
    predicted = np.asarray(after.argmax(axis=-1) == target, dtype=np.float64)
    return {
        "logit": changes[:, target],
        "margin": margins(after, target) - margins(before, target),
        "probability": probabilities(after, target) - probabilities(before, target),
        "accuracy": predicted - float(intact.argmax() == target),
    }


def embedding_figures(intact: Floats, changes: Floats) -> dict[str, Floats]:
    """The cosine distance 1 − cos (sets,) between an embedding (d,) and it with changes (sets, d).

    Zeros have no direction: their distance is 1.

    >>> embedding_figures(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [-1.0, 1.0]]))
    {'distance': array([0., 1.])}
    """
    changed = intact + changes
    lengths = np.linalg.norm(intact) * np.linalg.norm(changed, axis=-1)
    cosines = np.divide(changed @ intact, lengths, out=np.zeros(len(changed)), where=lengths > 0)
    return {"distance": np.asarray(np.clip(1 - cosines, 0, 2))}


def effects(
    intact: Floats,
    changes: Changes,
    sets: Sequence[PatchSet],
    orders: tuple[Integers, Integers],
    target: int | None = None,
    patch_changes: Floats | None = None,
    measured: MutableMapping[Draws, Figures] | None = None,
) -> list[Effect]:
    """The effects of removing sets of patches from an image.

    intact: (d,), the output for the whole image; changes: takes sets (sets, n), True for removed
    patches, and returns the outputs' changes (sets, d); orders: ranks (draws, n) in random and in
    contiguous random orders, a set is compared with the sets of the lowest ranks that have as many
    patches; target: the class whose figures are computed, None if the output is an embedding;
    patch_changes: (n, d), the changes of single patches, if those of a set are their sum; measured:
    the figures of draws that were measured before, to which the others are added.
    """
    if not sets:
        return []

    def measure(changed: Floats) -> dict[str, Floats]:
        if target is None:
            return embedding_figures(intact, changed)
        return logit_figures(intact, target, changed)

    known = {} if measured is None else measured
    for each in sorted(draws_of(sets, target) - known.keys()):
        known[each] = measure(changes(orders[each.order] < each.patches))

    mean_change = None
    if target is not None and patch_changes is not None:
        mean_change = float(patch_changes[:, target].mean())
    observed = changes(np.array([each.removed for each in sets]))
    columns = measure(observed)
    found = []
    for index, removed in enumerate(sets):
        figures = {name: float(column[index]) for name, column in columns.items()}
        patches = int(removed.removed.sum())
        first = _first(figures)
        expected = None if mean_change is None else patches * mean_change
        random, contiguous = (known[Draws(order, patches, target)] for order in (0, 1))
        chances = _chance(first, random, expected), _chance(first, contiguous)
        change = () if target is None else _logits_after(intact, observed[index])
        found.append(Effect(removed.kind, removed.clusters, patches, figures, *chances, *change))
    return found


def _logits_after(intact: Floats, change: Floats) -> tuple[tuple[float, ...], int, bool]:
    """Changes of all logits, the class predicted afterwards, and whether it is another one."""
    predicted = int((intact + change).argmax())
    return tuple(change.tolist()), predicted, predicted != int(intact.argmax())


def _chance(observed: float, draws: Figures, expected: float | None = None) -> Chance:
    first = _first(draws)
    low, high = np.quantile(first, TAILS)
    means = {name: float(values.mean()) for name, values in draws.items()}
    p = p_value(abs(observed) - ROUNDING, np.abs(first))
    return Chance(means, float(low), float(high), p, expected)


@dataclass(frozen=True)
class Contrast:
    """One figure over a set of images: removing clusters compared with removing random patches.

    removed: which cluster is removed from every image; "each": every one on its own, of which the
    image's mean counts; fraction: the mean fraction of an image's patches that is removed;
    clusters, random, contiguous: the changes that clusters make, and those of as many patches,
    means over the draws; beyond_random, beyond_contiguous: the paired differences, clusters less
    chance.
    """

    removed: Removed
    figure: str
    images: int
    fraction: float
    clusters: Estimate
    random: Estimate
    contiguous: Estimate
    beyond_random: Estimate
    beyond_contiguous: Estimate


def contrasts(images: Sequence[tuple[int, Sequence[Effect]]]) -> list[Contrast]:
    """All figures for every kind of removed cluster, over the images with two clusters or more.

    images: the number of an image's patches, and the effects of removing each of its clusters
    alone, most salient cluster first.
    """
    several = [image for image in images if len(image[1]) >= FEWEST_CLUSTERS]
    kinds = CLUSTERS if several else ()
    return [contrast for removed in kinds for contrast in _contrasts(removed, several)]


def _contrasts(
    removed: Removed, images: Sequence[tuple[int, Sequence[Effect]]]
) -> Iterator[Contrast]:
    chosen = [effects[CLUSTERS[removed]] for _, effects in images]
    fraction = statistics.fmean(
        statistics.fmean(effect.patches for effect in effects) / patches
        for (patches, _), effects in zip(images, chosen, strict=True)
    )
    for figure in chosen[0][0].figures:
        changes = np.array([_mean_changes(effects, figure) for effects in chosen])
        clusters, random, contiguous = changes.T
        compared = clusters, random, contiguous, clusters - random, clusters - contiguous
        yield Contrast(removed, figure, len(images), fraction, *map(_estimate, compared))


def _mean_changes(effects: Sequence[Effect], figure: str) -> Floats:
    """Mean changes by the clusters, by random patches and by contiguous patches, (3,)."""
    sources = [(effect, effect.random, effect.contiguous) for effect in effects]
    return np.asarray(np.mean([[each.figures[figure] for each in row] for row in sources], axis=0))


def _estimate(figures: Floats) -> Estimate:
    """The estimate of (images,) figures; rounding errors are no difference."""
    return estimate(np.where(np.abs(figures) < ROUNDING, 0.0, figures))
