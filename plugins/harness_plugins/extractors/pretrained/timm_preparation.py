"""Prepares images as timm does for evaluation, and finds the region that it crops."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.framing import Cropped, Prepared, prepared
from harness_plugins.extractors.pretrained.timm_library import library


@dataclass(frozen=True, eq=False)
class Preparation:
    """A model's data configuration in timm, and the size that replaces its own if it is given.

    patch: (height, width); size: the shorter side, or height and width, in pixels, rounded to
    whole patches.
    """

    prescribed: Mapping[str, Any]
    patch: tuple[int, int]
    size: tuple[int, ...] | None

    def __call__(self, image: harness.Image) -> Prepared:
        """An image as the model takes it."""
        channels = self.prescribed["input_size"][0]
        return prepared(image, channels, self.patch, self.size, self._cropped)

    def _cropped(self, pixels: NDArray[np.uint8], asked: tuple[int, int] | None) -> Cropped:
        _, *whole = self.prescribed["input_size"]
        crop = asked or whole
        scaled = asked or self._scaled(pixels.shape[:2], whole)
        top, left = (round((scaled[side] - crop[side]) / 2) for side in (0, 1))
        resized = self._resized(pixels, scaled)
        return resized[:, top : top + crop[0], left : left + crop[1]], scaled, (top, left)

    def _scaled(self, image: tuple[int, ...], crop: list[int]) -> tuple[int, int]:
        """The size to which an image is scaled before its middle is cropped."""
        height, width = (math.floor(side / self.prescribed["crop_pct"]) for side in crop)
        if self.prescribed["crop_mode"] == "squash":
            return height, width
        if height == width:
            shorter = min(image)
            return int(height * image[0] / shorter), int(width * image[1] / shorter)
        ratio = min(image[0] / height, image[1] / width)
        return round(image[0] / ratio), round(image[1] / ratio)

    def _resized(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
        """Resized and standardised pixels (channels, height, width)."""
        from PIL import Image as Pictures

        kernel = Pictures.Resampling[self.prescribed["interpolation"].upper()]
        bands = [
            np.asarray(Pictures.fromarray(band).resize(size[::-1], kernel))
            for band in np.ascontiguousarray(pixels.transpose(2, 0, 1))
        ]
        mean, deviation = (
            np.array(self.prescribed[name], dtype=np.float32)[:, None, None]
            for name in ("mean", "std")
        )
        unit = np.stack(bands).astype(np.float32) / 255
        return np.asarray((unit - mean) / deviation, dtype=np.float32)


def preparation_of(
    module: Any, model: str, patch: tuple[int, int], size: tuple[int, ...] | None
) -> Preparation:
    """The preparation that a model's configuration prescribes."""
    if size is not None and not hasattr(module, "dynamic_img_size"):
        raise harness.HarnessError(f"{model}: it takes images of one size only; leave size out")
    prescribed = library().data.resolve_model_data_config(module)
    if size is None and prescribed["crop_mode"] == "border":
        raise harness.HarnessError(
            f"{model}: its configuration pads images, and padding has no patches; give a size"
        )
    return Preparation(prescribed, patch, size)
