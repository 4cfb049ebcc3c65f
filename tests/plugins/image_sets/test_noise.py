import pytest

import harness


def test_images_have_the_size_asked_for_and_fill_the_range_of_bytes() -> None:
    images = harness.make("image set", "noise[count=2,height=40,width=30,channels=3]")

    image = images.load("noise-0001")

    assert list(images.keys()) == ["noise-0000", "noise-0001"]
    assert image.pixels.shape == (40, 30, 3)
    assert image.pixels.min() == 0
    assert image.pixels.max() == 255
    assert abs(float(image.pixels.mean()) - 127.5) < 4


def test_an_image_depends_on_its_number_and_the_seed_only() -> None:
    few, many = harness.make("image set", "noise[count=2]"), harness.make("image set", "noise")

    assert few.load("noise-0001").digest == many.load("noise-0001").digest
    assert few.load("noise-0000").digest != few.load("noise-0001").digest
    other = harness.make("image set", "noise[seed=1]")
    assert other.load("noise-0000").digest != few.load("noise-0000").digest


def test_an_unknown_image_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="there is no image 'noise-0016'"):
        harness.make("image set", "noise").load("noise-0016")


@pytest.mark.parametrize("parameter", ["count=0", "height=0", "width=-1", "channels=2", "seed=-1"])
def test_parameters_out_of_range_are_refused(parameter: str) -> None:
    with pytest.raises(harness.HarnessError, match=parameter.partition("=")[0]):
        harness.make("image set", f"noise[{parameter}]")
