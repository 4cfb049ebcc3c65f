"""Normal noise with the image's brightness and contrast."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class GaussianNoise(harness.ImageControl):
    """An image of normal noise, of the same size, channels, brightness and contrast.

    Every pixel of every channel is drawn from a normal distribution, rounded, and clipped to
    0 … 255. Clipping reduces contrast: for a channel with mean 73 and deviation 90, as in
    Fashion-MNIST, the noise has 83 and 72. Pixels and channels are independent.

    Parameters
    ----------
    mean
        of every channel; if not given, that of the image's channel.
    deviation
        standard deviation of every channel; if not given, that of the image's channel.
    """

    name: ClassVar[str] = "gaussian-noise"
    mean: float | None = None
    deviation: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "mean", "deviation", least=0, most=255)

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """Noise (height, width, channels) from the seed."""
        channels = image.pixels.reshape(-1, image.pixels.shape[2])
        mean = channels.mean(axis=0) if self.mean is None else self.mean
        deviation = channels.std(axis=0) if self.deviation is None else self.deviation
        noise = np.random.default_rng(seed).normal(mean, deviation, image.pixels.shape)
        return replace(image, pixels=np.rint(noise).clip(0, 255).astype(np.uint8))


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [GaussianNoise]
