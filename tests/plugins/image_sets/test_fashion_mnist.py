from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harness
from harness_plugins.datasets import fashion_mnist

DEBIAN = fashion_mnist.DEBIAN


def made(folder: Path, more: str = "") -> harness.LabelledImageSet:
    images: harness.LabelledImageSet = harness.make(
        "image set", f"fashion-mnist[path={folder}{more}]"
    )
    return images


def test_each_image_is_that_of_its_index_in_the_files(striped_images: Path) -> None:
    for split, half, prefix in (
        ("test", "test", ""),
        ("train", "train", "train/"),
        ("validation", "train", "train/"),
    ):
        images = made(striped_images, f",split={split}")
        pixels, labels = fashion_mnist.load(striped_images, "test" if half == "test" else "train")
        for key in images.keys():
            image = images.load(key)
            index = int(key.removeprefix(prefix)[:5])
            np.testing.assert_array_equal(image.pixels[:, :, 0], pixels[index])
            assert image.label == labels[index]
            name = images.classes()[image.label].replace(" ", "-")
            assert key == f"{prefix}{index:05d}-{name}"


def test_train_and_validation_share_the_training_images(striped_images: Path) -> None:
    training = set(made(striped_images, ",split=train").keys())
    validation = set(made(striped_images, ",split=validation").keys())

    assert not training & validation
    assert len(training | validation) == 96


def test_a_split_is_had_from_another(striped_images: Path) -> None:
    test = made(striped_images)

    assert replace(test, split="train").keys() == made(striped_images, ",split=train").keys()


def test_a_count_takes_the_classes_in_turn(striped_images: Path) -> None:
    whole = made(striped_images)
    few = made(striped_images, ",count=8")

    assert set(few.keys()) < set(whole.keys())
    assert Counter(few.load(key).label for key in few.keys()) == dict.fromkeys(range(4), 2)


def test_only_the_named_images_are_there_in_that_order(striped_images: Path) -> None:
    wanted = list(made(striped_images).keys()[5:2:-1])

    images = made(striped_images, f",only=[{','.join(wanted)}]")

    assert images.keys() == wanted
    with pytest.raises(harness.HarnessError, match="there is no image '00000-"):
        images.load(min(made(striped_images).keys()))


def test_an_image_of_another_split_is_refused_by_its_split(striped_images: Path) -> None:
    key = made(striped_images, ",split=train").keys()[0]

    with pytest.raises(harness.HarnessError, match="is in split train, not in validation"):
        made(striped_images, f",split=validation,only=[{key}]").keys()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (",count=0", "count must be at least 1, not 0"),
        (",count=33", "count must be 1 … 32, not 33"),
        (",only=[nothing]", "there is no image 'nothing'"),
        (",only=[a,a]", "only must name images, each once"),
        (",split=dev", "split takes one of train, validation, test"),
    ],
)
def test_what_is_not_there_is_refused(striped_images: Path, more: str, message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        made(striped_images, more).keys()


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_published_set_has_500_validation_images_of_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images: harness.LabelledImageSet = harness.make("image set", "fashion-mnist")

    counted = {
        split: Counter(
            key.removeprefix("train/")[6:] for key in replace(images, split=split).keys()
        ).values()
        for split in ("train", "validation", "test")
    }

    assert {split: set(counts) for split, counts in counted.items()} == {
        "train": {5500},
        "validation": {500},
        "test": {1000},
    }


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_shipped_sample_is_its_first_hundred() -> None:
    sample = harness.make("image set", "fashion-mnist-sample[count=100]")
    images = made(DEBIAN, ",count=100")

    assert images.keys() == sample.keys()
    for key in images.keys():
        assert images.load(key).digest == sample.load(key).digest
        assert images.load(key).label == sample.load(key).label
