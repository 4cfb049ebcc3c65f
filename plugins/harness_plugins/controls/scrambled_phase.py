"""The image's power spectrum with random phases."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class ScrambledPhase(harness.ImageControl):
    """An image with the same power spectrum and random phases.

    Preserves each channel's mean, variance and autocorrelation and, as all channels get the same
    random phases, the correlations between channels; destroys shapes. The phases are those of
    white noise, whose symmetry makes the image real. Surrogate data of Theiler et al., Physica D
    58 (1992) 77–94; for several channels, Prichard and Theiler, Physical Review Letters 73 (1994)
    951–954.

    Pixels are rounded and clipped to 0 … 255. Clipping changes the spectrum, most on black or
    white backgrounds: in Fashion-MNIST a tenth to a third of the pixels are clipped, which changes
    amplitudes by 10 to 40 % of their norm; in two photographs 12 to 15 % are, which changes them
    by 7 to 35 %.
    """

    name: ClassVar[str] = "scrambled-phase"

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """An image (height, width, channels) with the same spectrum, except for clipping."""
        pixels = scrambled(image.pixels.astype(np.float64), np.random.default_rng(seed))
        return replace(image, pixels=np.rint(pixels).clip(0, 255).astype(np.uint8))


def scrambled(pixels: harness.Floats, random: np.random.Generator) -> harness.Floats:
    """Pixels (height, width, channels) with the same spectrum, not yet rounded or clipped."""
    size = pixels.shape[:2]
    phases = np.angle(np.fft.rfft2(random.normal(size=size)))
    phases[0, 0] = 0  # the mean keeps its sign
    spectrum = np.fft.rfft2(pixels, axes=(0, 1)) * np.exp(1j * phases)[:, :, None]
    return np.asarray(np.fft.irfft2(spectrum, s=size, axes=(0, 1)))


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [ScrambledPhase]
