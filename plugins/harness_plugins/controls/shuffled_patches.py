"""The image's patches in random order."""

from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class ShuffledPatches(harness.ImageControl):
    """The same image with its patches in random order.

    Preserves the content of patches, destroys their arrangement. Patches of equal height and width
    in pixels are shuffled among themselves, so that no pixel is lost: where the sizes do not
    divide the image, the narrower pieces along the right and bottom edges keep to these edges. An
    image with fewer than two patches is refused.

    Parameters
    ----------
    size
        patch side in pixels of the image as it is loaded, counted from the top left. If it is not
        given, the patches are the extractor's, on the part of the image that it sees.
    """

    name: ClassVar[str] = "shuffled-patches"
    needs_patches: ClassVar[bool] = True
    size: int | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "size", least=1)

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """An image (height, width, channels) with the same patches."""
        rows, columns = self._edges(image)
        shapes: dict[tuple[int, int], list[tuple[slice, slice]]] = {}
        for (top, bottom), (left, right) in product(pairwise(rows), pairwise(columns)):
            place = slice(top, bottom), slice(left, right)
            shapes.setdefault((bottom - top, right - left), []).append(place)
        random = np.random.default_rng(seed)
        pixels = image.pixels.copy()
        for places in shapes.values():
            for place, source in zip(places, random.permutation(len(places)), strict=True):
                pixels[place] = image.pixels[places[source]]
        return replace(image, pixels=pixels)

    def _edges(self, image: harness.Image) -> tuple[list[int], list[int]]:
        """Where patches begin and end, from top to bottom and from left to right."""
        height, width, _ = image.pixels.shape
        if self.size is not None:
            if (height // self.size) * (width // self.size) < 2:
                raise harness.HarnessError(
                    f"shuffled-patches: an image of {height}×{width} pixels does not hold two "
                    f"patches of {self.size}×{self.size}; choose a smaller size"
                )
            return [*range(0, height, self.size), height], [*range(0, width, self.size), width]
        if image.patches is None:
            raise harness.HarnessError(
                "shuffled-patches: the extractor does not say where its patches lie; give their "
                "side in pixels, as in shuffled-patches[size=16]"
            )
        grid, (top, left, high, wide) = image.patches.grid, image.patches.region
        if min(high / grid[0], wide / grid[1]) < 1:
            raise harness.HarnessError(
                f"shuffled-patches: the extractor's {grid[0]}×{grid[1]} patches are smaller than "
                f"the pixels of an image of {height}×{width}"
            )
        rows = np.rint(top + np.linspace(0.0, high, grid[0] + 1)).astype(int)
        columns = np.rint(left + np.linspace(0.0, wide, grid[1] + 1)).astype(int)
        return rows.tolist(), columns.tolist()


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [ShuffledPatches]
