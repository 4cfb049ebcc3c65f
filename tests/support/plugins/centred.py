"""Models that see the centre square of each image only, and what needs to know that."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness

GRID = (4, 6)
# Patches on the left and on the right of the grid: what the model's clusters are.
SIDES = np.tile(np.arange(6) // 3, 4)


def centre(height: int, width: int) -> tuple[float, float, float, float]:
    side = min(height, width)
    return (height - side) / 2, (width - side) / 2, side, side


def weights_of_sides() -> NDArray[np.float64]:
    return np.where(SIDES[:, None] == SIDES[None, :], 0.9, 0.1) / 12


@dataclass(frozen=True)
class Banners(harness.ImageSet):
    """Grey images, bright in the left half of their centre square and on their far right."""

    name: ClassVar[str] = "banners"

    def keys(self) -> Sequence[str]:
        return ["wide", "tall"]

    def load(self, key: str) -> harness.Image:
        height, width = (24, 61) if key == "wide" else (61, 24)
        top, left, side, _ = map(int, centre(height, width))
        pixels = np.zeros((height, width, 1), dtype=np.uint8)
        pixels[:, left + side :] = 255
        # Half of the pixel column that the region's left edge cuts through is in no patch.
        pixels[top : top + side + 1, left : left + side // 2] = 255
        return harness.Image(key, pixels)


@dataclass(frozen=True)
class CentreSquare(harness.Extractor):
    """Two sides of a grid over the centre square; of one image it may be told wrongly."""

    name: ClassVar[str] = "centre-square"
    wrong: str = ""

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        return [harness.HeadIndex(0, 0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        for image in images:
            top, left, *side = centre(*image.pixels.shape[:2])
            yield harness.AttentionMap(
                weights_of_sides(),
                image=image.key,
                variant=image.variant,
                grid=GRID,
                region=(top, left + (image.key == self.wrong), *side),
            )


@dataclass(frozen=True)
class Twins(harness.MapSet):
    """Equal maps of two regions."""

    name: ClassVar[str] = "twins"

    def keys(self) -> Sequence[str]:
        return ["left", "right"]

    def load(self, key: str) -> harness.AttentionMap:
        region = (0.0, 0.0 if key == "left" else 1 / 3, 4.0, 6.0)
        return harness.AttentionMap(weights_of_sides(), image=key, grid=GRID, region=region)


@dataclass(frozen=True)
class NeedsRegion(harness.GraphBuilder):
    """Whole graphs, of maps that tell their region."""

    name: ClassVar[str] = "needs-region"

    def levels(self, attention: harness.AttentionMap, count: int) -> harness.Floats:
        return np.linspace(0, 0.1, count)

    def build(
        self, attention: harness.AttentionMap, levels: harness.Floats
    ) -> Iterator[harness.Graph]:
        if attention.region is None:
            raise harness.HarnessError("the map tells no region")
        for level in levels.tolist():
            yield harness.Graph.from_weights(attention.weights, level=level)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Banners]


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor] | type[harness.MapSet]]:
    return [CentreSquare, Twins]


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [NeedsRegion]
