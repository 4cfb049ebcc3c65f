"""Attention maps and images that are given as arrays or tensors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import isqrt
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import WrongValueError, reason_of
from harness.objects.adapter import Adapter
from harness.objects.tensors import array_of, is_array
from harness.plugin.arguments import shown
from harness.plugin.patches import without_prefix
from harness.plugin.sources import ImageSet, MapSet
from harness.plugin.values import AttentionMap, HeadIndex, Image

Grid = tuple[int, int] | Literal["square", "none"]
# The axes before a map's rows and columns, by their number.
AXES: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: ("images",),
    2: ("images", "heads"),
    3: ("images", "layers", "heads"),
}
SHAPES = "(n, n), (images, n, n), (images, heads, n, n) or (images, layers, heads, n, n)"
# Digits of the digest that names a set of arrays.
DIGITS = 12


@dataclass(frozen=True, eq=False)
class ArrayMaps(Adapter, MapSet):
    """Attention maps that were given as arrays.

    content: the start of the digest of all maps, with their names and grids.
    """

    name: ClassVar[str] = "maps"
    content: str
    maps: Mapping[str, AttentionMap] = field(repr=False)

    def _shown(self) -> Mapping[str, Any]:
        return {"content": self.content}

    def _content(self) -> Mapping[str, Any]:
        return self._shown()

    def keys(self) -> Sequence[str]:
        """The images' names, with the layer and the head if there are such axes."""
        return list(self.maps)

    def locate(self, key: str) -> tuple[str, HeadIndex]:
        """The image's name, the layer and the head."""
        return self.maps[key].image, self.maps[key].head_index

    def load(self, key: str) -> AttentionMap:
        """One map."""
        return self.maps[key]


def array_maps(
    given: Any, prefix: int = 0, grid: Grid = "square", names: Sequence[str] | None = None
) -> ArrayMaps:
    """Return the maps of arrays.

    Parameters
    ----------
    given
        An array or a tensor of weights, or several, one after the other.
    prefix
        The number of tokens before the patches. They are removed, and rows rescaled to sum to one.
    grid
        Rows and columns of the patches; "square" takes the root of their number if it is whole.
    names
        The images' names; by default they are numbered.

    Raises
    ------
    HarnessError
        If a shape, a weight or a name is wrong.
    """
    if prefix < 0:
        raise WrongValueError(f"prefix: expected a whole number from 0, not {prefix}")
    maps: dict[str, AttentionMap] = {}
    stacks = list(_stacks(given))
    count = sum(len(stack) for _, stack in stacks)
    named = _names(names, count)
    for axes, stack in stacks:
        for of_image in stack:
            image = next(named)
            for layer, head in np.ndindex(of_image.shape[:2]):
                key = image + "".join(
                    f" {axis.rstrip('s')} {number}"
                    for axis, number in (("layers", layer), ("heads", head))
                    if axis in axes
                )
                maps[key] = _map(key, image, (layer, head), of_image[layer, head], prefix, grid)
    if not maps:
        raise WrongValueError("maps: there is no map")
    digest = sha256()
    for key, attention in maps.items():
        digest.update(f"{key!r} {attention.grid} {attention.digest} ".encode())
    return ArrayMaps(digest.hexdigest()[:DIGITS], maps)


def _stacks(given: Any) -> Iterator[tuple[tuple[str, ...], NDArray[Any]]]:
    """The axes of each array before the last two, and its maps (images, layers, heads, n, n)."""
    several = isinstance(given, list | tuple)
    for number, each in enumerate(given if several else [given]):
        where = f"maps: array {number}" if several else "maps"
        if not is_array(each):
            raise WrongValueError(f"{where}: expected an array or a tensor, not {shown(each)}")
        try:
            array = array_of(each)
        except Exception as error:  # a library may refuse a sparse or a quantised tensor
            raise WrongValueError(f"{where}: {reason_of(error)}") from None
        axes = AXES.get(array.ndim - 2)
        if axes is None or array.shape[-1] != array.shape[-2] or not array.size:
            raise WrongValueError(f"{where}: its shape is {array.shape}, not {SHAPES}")
        if not np.issubdtype(array.dtype, np.floating):
            raise WrongValueError(
                f"{where}: attention weights must be floating point, not {array.dtype}; "
                "array.astype(float) makes them so"
            )
        if several and array.ndim == 4:
            raise WrongValueError(
                f"{where}: its shape is {array.shape}; a list of such arrays may be one for each "
                "layer, as models return them, or for several images: "
                "numpy.stack(arrays, axis=1) makes (images, layers, heads, n, n) of layers"
            )
        n = array.shape[-1]
        sizes = dict(zip(axes, array.shape, strict=False))
        shape = (*(sizes.get(axis, 1) for axis in AXES[3]), n, n)
        yield axes, array.reshape(shape)


def _names(names: Sequence[str] | None, count: int) -> Iterator[str]:
    if names is None:
        return (f"image-{number}" for number in range(count))
    if len(set(names)) < len(names) or "" in names:
        raise WrongValueError("names: every image needs a name of its own")
    if len(names) != count:
        raise WrongValueError(f"names: there are {count} images, and {len(names)} names")
    return iter(names)


def _map(
    key: str,
    image: str,
    place: tuple[int, int],
    weights: NDArray[np.floating[Any]],
    prefix: int,
    grid: Grid,
) -> AttentionMap:
    n = len(weights) - prefix
    if n < 1:
        raise WrongValueError(f"prefix: {prefix} leaves no token of the {len(weights)} of {key}")
    root = isqrt(n)
    rows_columns = ((root, root) if root**2 == n else None) if grid == "square" else grid
    try:
        # The whole map is checked, so that an error names a position in what was given.
        AttentionMap(weights)
        return AttentionMap(
            without_prefix(weights, prefix),
            image,
            *place,
            None if rows_columns == "none" else rows_columns,
        )
    except ValueError as error:
        raise WrongValueError(f"maps: {key}: {error}") from None


@dataclass(frozen=True, eq=False)
class ArrayImages(Adapter, ImageSet):
    """Images that were given as arrays.

    content: the start of the digest of all pixels.
    """

    name: ClassVar[str] = "images"
    content: str
    images: Mapping[str, Image] = field(repr=False)

    def _shown(self) -> Mapping[str, Any]:
        return {"content": self.content}

    def _content(self) -> Mapping[str, Any]:
        return self._shown()

    def keys(self) -> Sequence[str]:
        """The images' numbers."""
        return list(self.images)

    def load(self, key: str) -> Image:
        """One image."""
        return self.images[key]


def array_images(given: Any) -> ArrayImages:
    """Return the images of arrays of bytes: one, several, or a list of such.

    Shapes are (height, width), (height, width, 1 or 3), (images, height, width) or (images, height,
    width, 1 or 3). Raises WrongValueError for others, and for other types of numbers.
    """
    pixels = []
    for each in given if isinstance(given, list | tuple) else [given]:
        array = array_of(each)
        if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3)):
            array = array[None]
        if array.ndim == 3:
            array = array[..., None]
        if array.ndim != 4 or not array.size:
            raise WrongValueError(
                f"images: an array of shape {array.shape}, not (height, width, 1 or 3), with an "
                "axis of images before them or not"
            )
        pixels += list(array)
    images: dict[str, Image] = {}
    digest = sha256()
    for number, each in enumerate(pixels):
        key = f"image-{number}"
        try:
            images[key] = Image(key, each)
        except (TypeError, ValueError) as error:
            raise WrongValueError(f"images: {key}: {error}") from None
        digest.update(images[key].digest.encode())
    if not images:
        raise WrongValueError("images: there is no image")
    return ArrayImages(digest.hexdigest()[:DIGITS], images)
