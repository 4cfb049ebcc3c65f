import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import harness
from harness_plugins.controls.scrambled_phase import scrambled


def amplitudes(pixels: harness.Floats) -> harness.Floats:
    return np.asarray(np.abs(np.fft.fft2(pixels, axes=(0, 1))))


@given(st.integers(0, 2**31 - 1), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))
def test_the_power_spectrum_is_the_images(
    seed: int, height: int, width: int, channels: int
) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (height, width, channels)).astype(float)

    assert amplitudes(scrambled(pixels, random)) == pytest.approx(amplitudes(pixels), abs=1e-8)


def test_correlations_between_channels_are_the_images() -> None:
    random = np.random.default_rng(0)
    pixels = random.normal(size=(16, 16, 3)) @ random.normal(size=(3, 3))

    drawn = scrambled(pixels, random)

    assert np.cov(drawn.reshape(-1, 3).T) == pytest.approx(np.cov(pixels.reshape(-1, 3).T))


def test_bytes_keep_the_spectrum_but_for_rounding_where_nothing_is_clipped() -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(64, 64, 1)), (3, 3, 0))
    pixels = np.rint(128 + 25 * smooth / smooth.std()).astype(np.uint8)

    drawn = harness.make("control", "scrambled-phase").draw(pixels, seed=1).pixels

    assert 0 < drawn.min() <= drawn.max() < 255
    # Rounding is noise of variance 1/12: of amplitude √(1/12)·64 in each frequency.
    difference = amplitudes(drawn.astype(float)) - amplitudes(pixels.astype(float))
    assert np.sqrt(np.mean(difference**2)) < 64 / np.sqrt(12) * 1.1


def test_shapes_are_gone() -> None:
    pixels = np.zeros((32, 32, 1))
    pixels[10:20, 5:25] = 200

    drawn = scrambled(pixels, np.random.default_rng(0))

    assert abs(np.corrcoef(drawn.ravel(), pixels.ravel())[0, 1]) < 0.5
    assert drawn.mean() == pytest.approx(pixels.mean())
