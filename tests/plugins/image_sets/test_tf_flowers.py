from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import harness
from harness_plugins.datasets.tf_flowers import COPIES, THESIS_PICTURES

CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like that of the flower photos, twenty a class."""
    for label, name in enumerate(CLASSES):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (number + 1, 5), (50 * label, 0, 0)).save(
                tmp_path / name / f"{number:02d}.png"
            )
    return tmp_path


def made(folder: Path, more: str = "") -> harness.LabelledImageSet:
    images: harness.LabelledImageSet = harness.make("image set", f"tf-flowers[path={folder}{more}]")
    return images


def test_each_class_is_split_eight_to_one_to_one(folder: Path) -> None:
    for split, share in (("train", 16), ("validation", 2), ("test", 2)):
        images = made(folder, f",split={split}")
        labels = [images.load(key).label for key in images.keys()]
        assert Counter(labels) == dict.fromkeys(range(5), share)


def test_a_count_takes_the_classes_in_turn(folder: Path) -> None:
    images = made(folder, ",count=7")

    assert [images.load(key).label for key in images.keys()] == [0, 1, 2, 3, 4, 0, 1]


def test_images_keep_their_size_and_are_of_their_folders_class(folder: Path) -> None:
    images = made(folder, ",split=train")

    for key in images.keys():
        image = images.load(key)
        name, number = key.removesuffix(".png").split("/")
        assert images.classes()[image.label or 0] == name
        assert image.pixels.shape == (5, int(number) + 1, 3)


def test_an_image_is_found_in_its_split_only(folder: Path) -> None:
    key = made(folder, ",split=validation").keys()[0]

    assert made(folder, f",split=validation,only=[{key}]").keys() == [key]
    with pytest.raises(harness.HarnessError, match="is in split validation, not in test"):
        made(folder, f",only=[{key}]").keys()


def test_the_pictures_of_the_thesis_are_in_the_test_split(folder: Path) -> None:
    for key in THESIS_PICTURES:
        Image.new("RGB", (5, 5)).save(folder / key)

    assert set(THESIS_PICTURES) <= set(made(folder).keys())


def test_copies_of_a_picture_are_in_one_split(folder: Path) -> None:
    for key in {*COPIES, *COPIES.values()}:
        Image.new("RGB", (5, 5)).save(folder / key)

    found = {
        key: split
        for split in ("train", "validation", "test")
        for key in replace(made(folder), split=split).keys()
    }

    assert len(found) == 106
    assert all(found[copy] == found[original] for copy, original in COPIES.items())


def test_a_broken_image_costs_itself_only(folder: Path) -> None:
    images = made(folder)
    broken, *others = images.keys()
    (folder / broken).write_bytes(b"no image")

    assert images.keys() == [broken, *others]
    with pytest.raises(harness.HarnessError, match=f"{broken}: not an image of a known format"):
        images.load(broken)
    assert all(images.load(key) for key in others)


def test_a_link_out_of_the_folder_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.png"
    Image.new("L", (2, 2)).save(outside)
    key = made(folder).keys()[0]
    (folder / key).unlink()
    (folder / key).symlink_to(outside)

    with pytest.raises(harness.HarnessError, match=f"{key}: a link that leads out of"):
        made(folder).load(key)


def test_a_class_that_is_a_linked_folder_is_refused_as_what_it_is(folder: Path) -> None:
    (folder / "roses").rename(folder / "elsewhere")
    (folder / "roses").symlink_to("elsewhere")

    with pytest.raises(harness.HarnessError, match="roses: a link to a folder, and linked folders"):
        made(folder).keys()


def test_a_count_beyond_the_split_names_the_split(folder: Path) -> None:
    with pytest.raises(harness.HarnessError, match="split validation: count must be 1 … 10, not 1"):
        made(folder, ",split=validation,count=11").keys()


def test_other_files_are_passed_over(folder: Path) -> None:
    Image.new("L", (2, 2)).save(folder / "plot.png")
    (folder / "roses" / "sub").mkdir()
    Image.new("L", (2, 2)).save(folder / "roses" / "sub" / "a.png")
    (folder / "LICENSE.txt").touch()

    keys = [key for split in ("train", "validation", "test")
            for key in replace(made(folder), split=split).keys()]  # fmt: skip

    assert len(keys) == len(set(keys)) == 100


def test_a_wrong_folder_is_refused_with_its_expected_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()

    with pytest.raises(
        harness.HarnessError,
        match="expected the folders daisy, dandelion, roses, sunflowers, tulips with pictures",
    ):
        made(tmp_path).keys()
    with pytest.raises(harness.HarnessError, match="no such folder; it should contain daisy, "):
        made(tmp_path / "nowhere").keys()
    with pytest.raises(harness.HarnessError, match="a file, not a folder"):
        made(tmp_path / "a.txt").keys()
