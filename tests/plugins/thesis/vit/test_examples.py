from pathlib import Path

import numpy as np
import pytest
import torch

import harness
from harness.command import Progress
from harness_plugins.thesis.vit.examples import Examples, gather
from harness_plugins.thesis.vit.preprocessing import fitted
from support import PLUGINS

STRIPES = PLUGINS / "stripes.py"


def stripes(parameters: str = "") -> harness.LabelledImageSet:
    made = harness.make(
        "image set", f"stripes[{parameters}]" if parameters else "stripes", [STRIPES]
    )
    assert isinstance(made, harness.LabelledImageSet)
    return made


def test_images_and_labels_are_the_sets_in_its_order() -> None:
    images = stripes()
    found = gather(images, "abcd")

    assert found.keys == tuple(images.keys())
    assert found.shape == (8, 8, 1)
    for index, key in enumerate(images.keys()):
        image = images.load(key)
        assert int(found.labels[index]) == image.label
        assert np.array_equal(found.images[index].numpy().transpose(1, 2, 0), image.pixels)


def test_the_digest_is_reproducible_and_differs_between_splits() -> None:
    digests = [
        gather(stripes(f"split={split}"), "abcd").digest for split in ("train", "test", "test")
    ]

    assert digests[0] != digests[1] == digests[2]


def test_images_are_made_to_fit_size_and_channels() -> None:
    found = gather(stripes("taller=97"), "abcd", (4, 6), 3)

    assert tuple(found.images.shape) == (32, 3, 4, 6)
    expected = fitted(stripes().load("stripes-96"), 4, 6, 3)
    assert np.array_equal(found.images[0].numpy().transpose(1, 2, 0), expected)


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ("taller=99", "stripes-99 is 9×8×1 and stripes-96 8×8×1; give a common --size"),
        ("unlabelled=101", "stripes-101: its label None is not among 4 classes"),
    ],
)
def test_an_image_that_cannot_be_used_is_named(parameters: str, line: str) -> None:
    with pytest.raises(harness.HarnessError, match=line):
        gather(stripes(parameters), "abcd")


def test_an_image_that_cannot_be_read_costs_itself_only() -> None:
    whole, found = gather(stripes(), "abcd"), gather(stripes("broken=100"), "abcd")

    kept = [index for index, key in enumerate(whole.keys) if key != "stripes-100"]
    assert found.left_out == {"stripes-100": "broken image"}
    assert found.keys == tuple(whole.keys[index] for index in kept)
    assert torch.equal(found.images, whole.images[kept])
    assert torch.equal(found.labels, whole.labels[kept])
    assert found.digest != whole.digest


def test_the_first_image_that_can_be_read_gives_the_shape() -> None:
    assert gather(stripes("broken=96"), "abcd").shape == (8, 8, 1)


def test_a_set_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    images = harness.make("image set", f"folder[path={tmp_path}]")

    with pytest.raises(harness.HarnessError, match=r"none of its images can be read.*b\.png: not"):
        gather(images, "abcd")


def test_images_that_no_memory_can_hold_are_refused_before_they_are_made() -> None:
    with pytest.raises(harness.HarnessError, match="32 images of 1000000×1000000×1 take at least"):
        gather(stripes(), "abcd", (1_000_000, 1_000_000))


def test_an_image_of_its_own_size_is_fitted_unchanged() -> None:
    image = stripes().load("stripes-96")

    assert np.array_equal(fitted(image, 8, 8, 1), image.pixels)


def test_a_fitted_grey_image_has_three_equal_channels_as_rgb() -> None:
    pixels = fitted(stripes().load("stripes-96"), 8, 8, 3)

    assert np.array_equal(pixels, np.repeat(pixels[:, :, :1], 3, axis=2))


def test_examples_count_their_images() -> None:
    found: Examples = gather(stripes("split=train"), "abcd")

    assert len(found) == 64


def test_every_image_is_a_step_of_the_progress() -> None:
    left: list[int] = []

    class Counting(Progress):
        def begin(self, phase: str, total: int, seconds_left: object = None) -> None:
            left.append(total)

        def advance(self, steps: int = 1) -> None:
            left[0] -= steps

    gather(stripes("broken=97"), "abcd", progress=Counting())

    assert left == [0]
