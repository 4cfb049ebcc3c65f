"""The values that enter the pipeline: images and attention maps.

All are frozen; their arrays are read-only views.
"""

import hashlib
import math
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.plugin.patches import Patches, Region, checked_region

Floats = NDArray[np.float64]
"""An array of 64-bit floats."""

Integers = NDArray[np.int64]
"""An array of 64-bit integers."""

Scalar = TypeVar("Scalar", bound=np.generic)

UNASSIGNED = -1
"""The label of a node that belongs to no cluster."""


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only view of an array.

    Parameters
    ----------
    array
        Any array; it stays writable itself.

    Returns
    -------
    ndarray
        The view, of the same memory.

    Examples
    --------
    >>> harness.read_only(np.zeros(3)).flags.writeable
    False
    """
    view = array.view()
    view.flags.writeable = False
    return view


def check_array(value: Any, what: str) -> NDArray[Any]:
    """Return a value; TypeError unless it is a numpy array without a mask, which would be lost."""
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{what} must be a numpy array, not {type(value).__name__}")
    return value


def check_sum(weights: NDArray[Any]) -> None:
    """Raise ValueError unless the weights have a finite sum, without which nothing is defined."""
    with np.errstate(over="ignore", invalid="ignore"):
        check_finite(float(weights.sum(dtype=np.float64)))


def check_finite(total: float) -> None:
    """Raise ValueError unless the sum of weights is finite."""
    if not math.isfinite(total):
        raise ValueError(f"the weights' sum must be finite, not {total}; divide them by a number")


def digest_of(array: NDArray[Any]) -> str:
    """SHA-256 of an array's type, shape and content."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Variant:
    """What was done to an image or a map before it was used.

    The harness sets it; plugins read it. It is part of every map's identity.

    Parameters
    ----------
    role
        Whether it is observed, drawn by a control, or changed by a perturbation.
    name
        Spec of the control or perturbation, empty for observed maps.
    draw
        Number of the draw, from 0.

    Examples
    --------
    >>> harness.Variant("control", "permuted-rows", draw=2) == harness.OBSERVED
    False
    """

    role: Literal["observed", "control", "perturbation"] = "observed"
    name: str = ""
    draw: int = 0


OBSERVED = Variant()
"""The variant of images and maps that are used as they are."""


@dataclass(frozen=True, order=True)
class HeadIndex:
    """Where in a model an attention map comes from.

    Parameters
    ----------
    layer, head
        Both counted from 0, below 2³¹.

    Raises
    ------
    TypeError
        If one is not an integer.
    ValueError
        If one is out of range.

    Examples
    --------
    >>> sorted([harness.HeadIndex(1, 0), harness.HeadIndex(0, 3)])
    [HeadIndex(layer=0, head=3), HeadIndex(layer=1, head=0)]
    """

    layer: int
    head: int

    def __post_init__(self) -> None:
        for name in ("layer", "head"):
            number = operator.index(getattr(self, name))
            if not 0 <= number < 2**31:
                raise ValueError(f"{name} must be 0 … 2³¹ − 1, not {number}")
            object.__setattr__(self, name, number)


FIRST_HEAD = HeadIndex(0, 0)


@dataclass(frozen=True, eq=False)
class Image:
    """A decoded image.

    Parameters
    ----------
    key
        Name of the image within its set.
    pixels : ndarray of uint8, shape (height, width, channels)
        0 is black, 255 white; row 0 is the top, column 0 the left. 1 channel (grey) or 3 (red,
        green, blue). A read-only view.
    label
        Index of the image's class, if it is known; a 64-bit integer.
    variant
        What was done to the image; the harness sets it.
    patches
        Where an extractor's patches lie on the image; the harness sets it for controls that need
        them.

    Raises
    ------
    TypeError
        If the pixels are not an array of unsigned bytes or the label is not an integer.
    ValueError
        If the shape is wrong, or the label does not fit 64 bits.

    Examples
    --------
    >>> harness.Image("black", np.zeros((28, 28, 1), dtype=np.uint8), label=3).pixels.shape
    (28, 28, 1)
    """

    key: str
    pixels: NDArray[np.uint8]
    label: int | None = None
    variant: Variant = OBSERVED
    patches: Patches | None = None

    def __post_init__(self) -> None:
        check_array(self.pixels, "pixels")
        if self.pixels.dtype != np.uint8:
            raise TypeError(f"pixels must be unsigned bytes, not {self.pixels.dtype}")
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3) or not self.pixels.size:
            raise ValueError(
                f"pixels must be (height, width, 1 or 3) and not empty, not {self.pixels.shape}"
            )
        if self.label is not None:
            label = operator.index(self.label)
            if not -(2**63) <= label < 2**63:
                raise ValueError(f"a label must fit 64 bits, not {label}")
            object.__setattr__(self, "label", label)
        object.__setattr__(self, "pixels", read_only(self.pixels))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the decoded pixels and their shape."""
        return digest_of(self.pixels)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """The attention of one head over the patches of one image.

    `np.asarray` gives its weights.

    Parameters
    ----------
    weights : ndarray of float, shape (n, n)
        Row i holds how much query patch i attends to every patch; not negative, and their sum is
        finite. Scaling all weights by one factor changes no result, except thresholds that are
        weights. A read-only view.
    image
        Key of the image.
    layer, head
        Where in the model the map comes from, counted from 0.
    grid
        Rows and columns of the patches, which are numbered row by row; None if they form no grid.
    variant
        What was done to the map or its image.
    truth : ndarray of int64, shape (n,), optional
        The true community of each patch, for planted maps.
    region
        Top, left, height and width of the grid on the image, in pixels of the image at its own
        size; None if the grid covers the whole image.

    Raises
    ------
    TypeError
        If `weights` or `truth` is not an array of numpy, or has a mask.
    ValueError
        If the weights are not square, finite and ≥ 0 (the message names the first bad entry), if
        their sum is not finite, or if `grid`, `truth` or `region` does not fit them.

    Examples
    --------
    >>> harness.AttentionMap(np.full((4, 4), 0.25), layer=2, head=1, grid=(2, 2)).head_index
    HeadIndex(layer=2, head=1)
    """

    weights: NDArray[np.floating[Any]]
    image: str = ""
    layer: int = 0
    head: int = 0
    grid: tuple[int, int] | None = None
    variant: Variant = OBSERVED
    truth: Integers | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        self._check_weights()
        if self.grid is not None:
            rows, columns = map(operator.index, self.grid)
            if rows < 0 or rows * columns != self.n:
                raise ValueError(f"a grid of {rows}×{columns} does not hold {self.n} nodes")
            object.__setattr__(self, "grid", (rows, columns))
        if self.truth is not None:
            check_array(self.truth, "truth")
            if self.truth.shape != (self.n,):
                raise ValueError(f"truth must be ({self.n},), not {self.truth.shape}")
        if self.region is not None:
            if self.grid is None:
                raise ValueError("a region is where a grid lies, and there is no grid")
            object.__setattr__(self, "region", checked_region(self.region))
        for name in ("layer", "head"):
            object.__setattr__(self, name, getattr(self.head_index, name))
        object.__setattr__(self, "weights", read_only(self.weights))

    def _check_weights(self) -> None:
        weights = self.weights
        check_array(weights, "attention weights")
        if not np.issubdtype(weights.dtype, np.floating):
            raise ValueError(f"attention weights must be floating point, not {weights.dtype}")
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.size:
            raise ValueError(f"attention weights must be (n, n), not {weights.shape}")
        # NaN fails both comparisons. Only a bad map pays for finding the position.
        if not (weights.min() >= 0 and weights.max() < np.inf):
            row, column = np.argwhere(~(np.isfinite(weights) & (weights >= 0)))[0]
            raise ValueError(
                f"attention weights must be finite and not negative; [{row}, {column}] is "
                f"{weights[row, column]}"
            )
        check_sum(weights)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.weights, dtype=dtype, copy=copy)

    @property
    def n(self) -> int:
        """Number of patches."""
        return int(self.weights.shape[0])

    @property
    def head_index(self) -> HeadIndex:
        """The layer and head the map comes from."""
        return HeadIndex(self.layer, self.head)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights, their type and shape."""
        return digest_of(self.weights)
