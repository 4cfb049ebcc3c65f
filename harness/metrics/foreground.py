"""Agreement of clusters with the objects on an image, as a mask shows them.

The patches of a grid (rows, columns) are numbered row by row. They divide the image, or a region of
it, evenly: a patch is height / rows pixels high and width / columns pixels wide, and both may be
fractions. A mask gives each pixel a label; 0 is the background, and the foreground is all others.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.metrics.information import adjusted_mutual_information
from harness.metrics.partition import (
    adjusted_rand_indices,
    check_labels,
    drop_singletons,
    renumbered,
    unassigned_as_singletons,
)
from harness.metrics.salience import most_salient
from harness.plugin.patches import Patches, Region
from harness.plugin.values import UNASSIGNED, Floats, Integers

BACKGROUND = 0
# The square of F's β: precision counts more than recall (Achanta et al. 2009).
BETA_SQUARED = 0.3
# Random permutations of the labels over which chance is averaged.
PERMUTATIONS = 100
# Partitions that are measured together have at most about so many pairs of a cluster and a patch.
MOST_MEMBERS = 1_000_000


def area_means(values: NDArray[Any], grid: tuple[int, int], region: Region | None = None) -> Floats:
    """The mean of values (height, width[, channels]) over the area of each cell of a grid.

    If a boundary between cells cuts through pixels, each part counts with its area. The grid
    (rows, columns) covers a region of the values, in pixels; by default all of them.
    """
    rows, columns = grid
    top, left, height, width = Patches.on(values.shape[:2], grid, region).region
    down = _overlaps(values.shape[0], rows, top, height)
    across = _overlaps(values.shape[1], columns, left, width)
    # For a region of whole pixels these sums are whole numbers, so that exactly one half stays .5.
    sums = np.einsum("rh,hw...,cw->rc...", down, values.astype(np.float64), across, optimize=True)
    return np.asarray(sums / (height * width), dtype=np.float64)


def _overlaps(pixels: int, cells: int, first: float, length: float) -> Floats:
    """How much of each pixel lies in each cell, (cells, pixels), in units of 1 / cells pixels."""
    cell = first * cells + np.arange(cells)[:, None] * length
    pixel = np.arange(pixels)[None, :] * cells
    overlap = np.minimum(cell + length, pixel + cells) - np.maximum(cell, pixel)
    return np.asarray(np.maximum(overlap, 0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Objects:
    """The labels of a mask on the patches of a grid.

    values: (labels,), those that occur, ascending; areas: (n, labels), the fraction of each patch's
    area that has each label.
    """

    grid: tuple[int, int]
    values: Integers
    areas: Floats

    @classmethod
    def on(cls, mask: NDArray[Any], grid: tuple[int, int], region: Region | None = None) -> Self:
        """The labels of a mask (height, width), boolean or integers from 0, in a region of it.

        >>> Objects.on(np.array([[7, 0, 0]]), (1, 2)).areas.round(2)
        array([[0.33, 0.67],
               [1.  , 0.  ]])
        """
        labels = mask.astype(np.int64)
        values = np.unique(labels)
        areas = np.stack([area_means(labels == each, grid, region).ravel() for each in values], 1)
        occur = areas.any(axis=0)
        return cls(grid, values[occur], areas[:, occur])

    @property
    def foreground(self) -> Floats:
        """The fraction of each patch's area that is not background, (n,)."""
        return np.asarray(self.areas[:, self.values != BACKGROUND].sum(axis=1))

    @property
    def patches(self) -> Integers:
        """Each patch's label, (n,): that of the largest area, or of several the first object's."""
        order = np.argsort(self.values == BACKGROUND, kind="stable")
        return np.asarray(self.values[order][self.areas[:, order].argmax(axis=1)])

    def why_undefined(self) -> str:
        """Why no partition can agree with the patches' labels; "" if one can."""
        found = np.unique(self.patches)
        if len(found) > 1:
            return ""
        return "no patch is foreground" if found[0] == BACKGROUND else "all patches are one object"


@dataclass(frozen=True)
class Agreement:
    """How far a partition of the patches agrees with the objects; 1 is best.

    ari, ami: the adjusted Rand index and mutual information with the patches' labels. All others
    are by area. mean_iou: the mean over the mask's labels of the intersection over union with their
    clusters, in the one-to-one assignment that makes it largest. The others are the intersection
    over union with the foreground, and F, of a set of patches: best_…, of the cluster with the
    largest one; union_…, of the union of clusters with the largest one; border_… and salient_…, of
    the cluster that `least_border_contact` and the largest salience pick. They are None if the
    whole area is foreground, or none of it.
    """

    ari: float
    ami: float
    mean_iou: float
    best_iou: float | None
    best_f: float | None
    union_iou: float | None
    union_f: float | None
    border_iou: float | None
    border_f: float | None
    salient_iou: float | None
    salient_f: float | None


def agreement(
    labels: NDArray[np.integer[Any]], objects: Objects, weights: NDArray[np.floating[Any]]
) -> Agreement:
    """Compute the agreement of clusters with objects.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Each patch's cluster, −1 for none. For ari and ami, unassigned patches are singletons
        (Hubert and Arabie 1985; Vinh, Epps and Bailey 2010, with the arithmetic mean). For the
        others, a cluster has two patches or more.
    objects : Objects
        The mask on the same patches; `why_undefined` gives no reason.
    weights : ndarray, shape (n, n)
        The attention by which the most salient cluster is found.

    Raises
    ------
    InvalidLabelsError
        If the labels are no partition of the patches.

    References
    ----------
    Kuhn 1955 (the assignment); Achanta, Hemami, Estrada and Süsstrunk 2009, "Frequency-tuned
    salient region detection" (F with β² = .3).
    """
    clusters = unassigned_as_singletons(check_labels(labels, len(objects.areas)))
    patches = objects.patches
    return Agreement(
        ari=adjusted_rand_indices(patches, clusters[None])[0],
        ami=adjusted_mutual_information(patches, clusters),
        **_means_by_area(renumbered(drop_singletons(labels))[None], objects, weights),
    )


def chance_agreement(
    labels: NDArray[np.integer[Any]], objects: Objects, weights: NDArray[np.floating[Any]]
) -> Agreement:
    """The expected agreement of clusters of these sizes, if their patches are random.

    ari and ami expect exactly 0. The others are means over 100 permutations of the labels, from a
    fixed seed.
    """
    random = np.random.default_rng(0)
    clusters = renumbered(drop_singletons(labels))
    drawn = np.array([random.permutation(clusters) for _ in range(PERMUTATIONS)])
    return Agreement(ari=0.0, ami=0.0, **_means_by_area(drawn, objects, weights))


def _means_by_area(
    partitions: Integers, objects: Objects, weights: NDArray[np.floating[Any]]
) -> dict[str, Any]:
    """The figures of an `Agreement` other than ari and ami, means over partitions (partitions, n).

    These are permutations of each other, with the labels 0 … k − 1 of clusters, and −1.
    """
    # Without clusters there is one that is empty, and all figures are 0.
    k = max(1, int(partitions[0].max()) + 1)
    pieces = 1 + partitions.size * k // MOST_MEMBERS
    parts = [
        _by_area(part[:, None] == np.arange(k)[:, None], objects, weights)
        for part in np.array_split(partitions, min(pieces, len(partitions)))
    ]
    every = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    # Whether a figure is defined depends on the objects alone.
    means = {name: float(values.mean()) for name, values in every.items()}
    return {name: None if math.isnan(mean) else mean for name, mean in means.items()}


def _by_area(
    belongs: NDArray[np.bool_], objects: Objects, weights: NDArray[np.floating[Any]]
) -> dict[str, Floats]:
    """The same of each partition, (partitions,), by whether patches belong to clusters.

    belongs: (partitions, clusters, n). Figures that are undefined are NaN.
    """
    members, sizes = belongs.astype(np.float64), belongs[0].sum(axis=1)
    foreground = objects.foreground
    inside, total = members @ foreground, float(foreground.sum())
    overlaps = _iou(members @ objects.areas, sizes[:, None], objects.areas.sum(axis=0))
    figures = {"mean_iou": np.array([_mean_matched(each) for each in overlaps])}
    picked = {
        "best": _iou(inside, sizes, total).argmax(axis=1)[:, None],
        "union": largest_iou_unions(inside, sizes, total),
        "border": _least_contact(members @ _border(objects.grid), sizes)[:, None],
        "salient": most_salient(weights, belongs)[:, None],
    }
    defined = len(objects.values) > 1 and BACKGROUND in objects.values
    undefined = np.full(len(belongs), np.nan)
    for name, chosen in picked.items():
        shared = np.array([of[each].sum() for of, each in zip(inside, chosen, strict=True)])
        found = np.array([sizes[each].sum() for each in chosen])
        figures[f"{name}_iou"] = _iou(shared, found, total) if defined else undefined
        figures[f"{name}_f"] = f_measure(shared, found, total) if defined else undefined
    return figures


def _iou(shared: Any, first: Any, second: Any) -> Any:
    return shared / (first + second - shared)


def _mean_matched(overlaps: Floats) -> float:
    """The mean overlap of labels with clusters (clusters, labels) in the best assignment."""
    from scipy.optimize import linear_sum_assignment

    matched = overlaps[linear_sum_assignment(overlaps, maximize=True)]
    return float(matched.sum() / overlaps.shape[1])


def f_measure(shared: Any, found: Any, foreground: Any) -> Any:
    """F with β² = .3 of an area found, of which `shared` is foreground; 0 if it shares none.

    (1 + β²) · precision · recall / (β² · precision + recall).

    >>> round(f_measure(2, 4, 2), 3)
    0.565
    """
    return (1 + BETA_SQUARED) * shared / (BETA_SQUARED * foreground + found)


def largest_iou_unions(inside: Floats, sizes: Integers, foreground: float) -> list[Integers]:
    """The union of clusters with the largest intersection over union, in each of some partitions.

    inside: (partitions, clusters), the foreground's area in each; sizes: (clusters,), their areas;
    foreground: all of its area. Returns the indices of each union's clusters.

    The intersection over union is Σ aᵢ / (foreground + Σ bᵢ), with aᵢ inside the foreground and bᵢ
    outside. If λ is its maximum, Σ (aᵢ − λ bᵢ) ≤ λ · foreground for every union, with equality for
    the best ones (Dinkelbach 1967): so they hold every cluster with aᵢ > λ bᵢ and none with
    aᵢ < λ bᵢ, and are found among the clusters by decreasing share inside, from the first to any
    other.

    >>> largest_iou_unions(np.array([[2.0, 3.0, 1.0]]), np.array([2, 4, 5]), 6.0)
    [array([0, 1])]
    """
    order = np.argsort(-inside / np.maximum(sizes, 1), axis=1, kind="stable")
    shared = np.take_along_axis(inside, order, axis=1).cumsum(axis=1)
    last = _iou(shared, sizes[order].cumsum(axis=1), foreground).argmax(axis=1)
    return [each[: 1 + end] for each, end in zip(order, last.tolist(), strict=True)]


def least_border_contact(labels: Integers, grid: tuple[int, int]) -> list[int]:
    """The label of the cluster that touches the border of the grid least; [] if there is none.

    The contact is boundary connectivity: the cluster's patches at the border over the root of all
    its patches (Zhu, Liang, Wei and Sun 2014, "Saliency optimization from robust background
    detection"). Of equal ones, the largest cluster is taken, then the lowest label.

    >>> least_border_contact(np.array([0, 0, 0, 0, 1, 0, 0, 0, 0]), (3, 3))
    [1]
    """
    found = np.unique(labels[labels != UNASSIGNED])
    if not len(found):
        return []
    members = labels == found[:, None]
    least = _least_contact((members @ _border(grid))[None], members.sum(axis=1))
    return [int(found[least[0]])]


def _border(grid: tuple[int, int]) -> Floats:
    """1 for the patches at the border of a grid, 0 for others, (n,)."""
    border = np.ones(grid)
    border[1:-1, 1:-1] = 0
    return border.ravel()


def _least_contact(at_border: Floats, sizes: Integers) -> Integers:
    """The cluster of least contact, by patches at the border (partitions, clusters) and sizes."""
    order = np.argsort(-sizes, kind="stable")
    # Quotients of such small whole numbers are equal in floating point only if they are equal.
    contacts = at_border[:, order] ** 2 / np.maximum(sizes[order], 1)
    return np.asarray(order[contacts.argmin(axis=1)])
