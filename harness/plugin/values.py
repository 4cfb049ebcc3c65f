"""The values that flow through the pipeline: images, maps, graphs, profiles, selections.

All are frozen; their arrays are read-only copies or views. What is computed from them alone
is here too, so that there is one place for each graph's other views.
"""

import hashlib
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.plugin.patches import Region, checked_region

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

UNASSIGNED = -1


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A view of the array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def digest_of(array: NDArray[Any]) -> str:
    """SHA-256 of an array's type, shape and content."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Variant:
    """What was done to an image or a map before it was used; part of every map's identity.

    `name` is the spelling of the control or perturbation ("" for observed), `draw` counts its
    draws from 0.
    """

    role: Literal["observed", "control", "perturbation"] = "observed"
    name: str = ""
    draw: int = 0


OBSERVED = Variant()


@dataclass(frozen=True, order=True)
class HeadIndex:
    """One attention matrix of a model: a head of a layer, both counted from 0.

    Raises TypeError for what is no whole number and ValueError for one out of range.
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
    """Pixels (height, width, channels) of bytes; channels are 1 (grey) or 3 (RGB).

    Raises ValueError for other shapes and labels that do not fit 64 bits, TypeError for other
    types.
    """

    key: str
    pixels: NDArray[np.uint8]
    label: int | None = None
    variant: Variant = OBSERVED

    def __post_init__(self) -> None:
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
    """One head's attention over patches: weights (n, n), row i = what query patch i attends to.

    `grid` is the patches' (rows, columns) with rows·columns = n, or None where there is none;
    `truth` (n,) holds the true communities of planted maps. `region` is where on the image the
    grid lies, (top, left, height, width) in pixels of the image at its own size, whole or not: what
    is left of it where a model's preprocessing crops. None is all of the image. Raises ValueError,
    naming the place, if the weights are not square, not finite or negative, or if grid, truth or
    region do not fit.
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
        weights = self.weights
        if not np.issubdtype(weights.dtype, np.floating):
            raise ValueError(f"attention weights must be floating point, not {weights.dtype}")
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.size:
            raise ValueError(f"attention weights must be (n, n), not {weights.shape}")
        # Of what is no number both are False; two passes, where the place is not asked for.
        if not (weights.min() >= 0 and weights.max() < np.inf):
            row, column = np.argwhere(~(np.isfinite(weights) & (weights >= 0)))[0]
            raise ValueError(
                f"attention weights must be finite and not negative; [{row}, {column}] is "
                f"{weights[row, column]}"
            )
        if self.grid is not None and self.grid[0] * self.grid[1] != self.n:
            raise ValueError(
                f"a grid of {self.grid[0]}×{self.grid[1]} does not hold {self.n} nodes"
            )
        if self.truth is not None and self.truth.shape != (self.n,):
            raise ValueError(f"truth must be ({self.n},), not {self.truth.shape}")
        if self.region is not None:
            if self.grid is None:
                raise ValueError("a region is where a grid lies, and there is no grid")
            object.__setattr__(self, "region", checked_region(self.region))
        head_index = HeadIndex(self.layer, self.head)
        object.__setattr__(self, "layer", head_index.layer)
        object.__setattr__(self, "head", head_index.head)
        object.__setattr__(self, "weights", read_only(weights))

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
