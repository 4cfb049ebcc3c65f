"""The image's patches in random order."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class ShuffledPatches(harness.ImageControl):
    """The same image with its square patches in random order.

    Preserves the content of patches, destroys their arrangement. Patches are counted from the top
    left; if their size does not divide the image's, the narrower pieces along the right edge are
    shuffled among themselves, those along the bottom edge likewise, and the corner stays, so that
    no pixel is lost. An image with fewer than two whole patches is refused.

    size: patch side in pixels of the image as it is loaded: the model's patch size, unless the
        model resizes the image.
    """

    name: ClassVar[str] = "shuffled-patches"
    size: int

    def __post_init__(self) -> None:
        check_bounds(self, "size", least=1)

    def draw(self, image: harness.Image, seed: int) -> harness.Image:
        """An image (height, width, channels) with the same patches."""
        height, width, _ = image.pixels.shape
        rows, columns = height // self.size, width // self.size
        if rows * columns < 2:
            raise harness.HarnessError(
                f"shuffled-patches: an image of {height}×{width} pixels does not hold two patches "
                f"of {self.size}×{self.size}; choose a smaller size"
            )
        random = np.random.default_rng(seed)
        pixels = image.pixels.copy()
        bottom, right = rows * self.size, columns * self.size
        for part in (pixels[:bottom, :right], pixels[:bottom, right:], pixels[bottom:, :right]):
            _shuffle(part, self.size, random)
        return replace(image, pixels=pixels)


def _shuffle(part: NDArray[np.uint8], size: int, random: np.random.Generator) -> None:
    """Shuffle the pieces of a part (height, width, channels) in place; narrow sides are whole."""
    height, width, channels = part.shape
    if not part.size:
        return
    tall, wide = min(size, height), min(size, width)
    tiled = part.reshape(height // tall, tall, width // wide, wide, channels)
    pieces: NDArray[Any] = tiled.swapaxes(1, 2).reshape(-1, tall, wide, channels)
    shuffled = random.permutation(pieces, axis=0)
    grid = shuffled.reshape(height // tall, width // wide, tall, wide, channels)
    part[:] = grid.swapaxes(1, 2).reshape(part.shape)


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [ShuffledPatches]
