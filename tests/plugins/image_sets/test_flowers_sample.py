import csv

import numpy as np
import pytest

import harness
from harness_plugins.datasets.tf_flowers import CLASSES, THESIS_PICTURES
from harness_plugins.image_sets.flowers_sample import FOLDER


def test_every_five_in_a_row_hold_each_class_once() -> None:
    images = harness.make("image set", "flowers-sample")

    labels = [images.load(key).label for key in images.keys()]

    assert len(set(images.keys())) == 20
    assert np.sort(np.reshape(labels, (4, 5)), axis=1).tolist() == [list(range(5))] * 4


def test_the_pictures_of_the_thesis_are_among_the_first() -> None:
    images = harness.make("image set", "flowers-sample[count=8]")

    assert set(THESIS_PICTURES) <= set(images.keys())


def test_photos_are_in_colour_and_of_the_class_in_their_key() -> None:
    images = harness.make("image set", "flowers-sample")

    for key in images.keys():
        image = images.load(key)
        assert image.pixels.shape[2] == 3
        assert key.startswith(f"{CLASSES[image.label or 0]}/")
    # As the published archive has them.
    sizes = [images.load(key).pixels.shape[:2] for key in THESIS_PICTURES]
    assert sizes == [(240, 320), (240, 180), (334, 500), (240, 320)]


def test_every_photo_has_an_author_an_address_and_a_licence() -> None:
    with (FOLDER / "sample.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}

    assert rows.keys() == {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.jpg")}
    assert all(row["author"] and row["licence"] == "CC BY 2.0" for row in rows.values())
    assert all(row["address"].startswith("https://www.flickr.com/") for row in rows.values())


@pytest.mark.parametrize("count", [0, 21])
def test_more_photos_than_there_are_are_refused(count: int) -> None:
    with pytest.raises(harness.HarnessError, match="count must be 1 … 20"):
        harness.make("image set", f"flowers-sample[count={count}]")
