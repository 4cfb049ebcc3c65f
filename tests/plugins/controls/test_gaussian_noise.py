import numpy as np
import pytest
from scipy import stats

import harness


def of(pixels: "np.typing.ArrayLike", spec: str = "gaussian-noise") -> harness.Floats:
    image = harness.Image("a", np.asarray(pixels, dtype=np.uint8))
    drawn: harness.Image = harness.make("control", spec).draw(image, seed=0)
    return drawn.pixels.astype(np.float64)


def test_every_channel_has_the_mean_and_deviation_of_the_images() -> None:
    random = np.random.default_rng(1)
    pixels = random.normal([80, 120, 160], [10, 20, 25], (100, 100, 3)).clip(0, 255)

    drawn = of(pixels)

    assert drawn.mean(axis=(0, 1)) == pytest.approx([80, 120, 160], abs=1.5)
    assert drawn.std(axis=(0, 1)) == pytest.approx([10, 20, 25], rel=0.05)


def test_pixels_are_normal_and_independent() -> None:
    drawn = of(np.zeros((100, 100, 3)), "gaussian-noise[mean=128,deviation=30]")

    assert stats.kstest((drawn.ravel() - 128) / 30, "norm").statistic < 0.02
    assert np.abs(np.corrcoef(drawn.reshape(-1, 3).T) - np.eye(3)).max() < 0.06


def test_a_mean_and_a_deviation_of_the_users_are_those_of_every_channel() -> None:
    drawn = of(np.zeros((100, 100, 3)), "gaussian-noise[mean=100,deviation=5]")

    assert drawn.mean(axis=(0, 1)) == pytest.approx([100] * 3, abs=0.5)
    assert drawn.std(axis=(0, 1)) == pytest.approx([5] * 3, rel=0.1)


def test_what_leaves_the_range_of_bytes_is_clipped_and_does_not_wrap_around() -> None:
    drawn = of(np.zeros((50, 50, 1)), "gaussian-noise[mean=255,deviation=10]")

    assert drawn.min() > 150
    assert np.mean(drawn == 255) > 0.4


@pytest.mark.parametrize("parameter", ["mean=-1", "mean=256", "deviation=-1", "deviation=nan"])
def test_parameters_out_of_range_are_refused(parameter: str) -> None:
    with pytest.raises(harness.HarnessError, match=f"{parameter.partition('=')[0]} must be"):
        harness.make("control", f"gaussian-noise[{parameter}]")
