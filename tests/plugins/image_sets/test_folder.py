import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness


def folder(path: Path, more: str = "") -> harness.ImageSet:
    made: harness.ImageSet = harness.make("image set", f"folder[path={path}{more}]")
    return made


@pytest.fixture
def red() -> Image.Image:
    return Image.new("RGB", (6, 4), (255, 0, 0))


def test_images_of_every_suffix_in_any_case_are_listed_by_relative_path(
    tmp_path: Path, red: Image.Image
) -> None:
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    for name in ("b.JPG", "a.png", "sub/c.webp", ".d.png", "sub/.hidden/e.png"):
        red.save(tmp_path / name)

    assert list(folder(tmp_path).keys()) == ["a.png", "b.JPG", "sub/c.webp"]


def test_files_that_are_no_pictures_are_counted_by_their_ending(
    tmp_path: Path, red: Image.Image
) -> None:
    red.save(tmp_path / "a.png")
    for name in ("notes.txt", "more.TXT", "scan.eps", "README", ".hidden"):
        (tmp_path / name).write_text("no image")

    with pytest.warns(UserWarning, match=r"passed over, .*: 1 \.eps, 2 \.txt, 1 without a suffix$"):
        assert list(folder(tmp_path).keys()) == ["a.png"]


def test_more_pixels_than_allowed_are_refused(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png")

    assert folder(tmp_path, ",max_pixels=24").load("a.png").pixels.size == 72
    with pytest.raises(harness.HarnessError, match="4×6 pixels are more than max_pixels, 23"):
        folder(tmp_path, ",max_pixels=23").load("a.png")


@pytest.mark.parametrize("limit", [1, 23, None])
def test_the_number_of_pixels_is_not_limited_by_pillow(
    tmp_path: Path, red: Image.Image, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    red.save(tmp_path / "a.png")

    assert folder(tmp_path, ",max_pixels=24").load("a.png").pixels.size == 72
    for most in (1, 11, 23):
        with pytest.raises(harness.HarnessError, match=f"more .*max_pixels, {most}"):
            folder(tmp_path, f",max_pixels={most}").load("a.png")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, red: Image.Image) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    red.save(tmp_path / "outside.png")
    os.symlink(tmp_path / "outside.png", inside / "link.png")

    with pytest.raises(harness.HarnessError, match=r"link\.png: a link that leads out of"):
        folder(inside).load("link.png")


def test_a_linked_folder_is_refused_if_it_leads_out_and_else_listed_once(
    tmp_path: Path, red: Image.Image
) -> None:
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    red.save(inside / "sub" / "a.png")
    (inside / "again").symlink_to("sub")
    (inside / "sub" / "up").symlink_to("..")
    (inside / "out").symlink_to(tmp_path)

    assert list(folder(inside).keys()) == ["out", "sub/a.png"]
    with pytest.raises(harness.HarnessError, match="out: a link that leads out of"):
        folder(inside).load("out")


def test_a_name_that_is_not_utf_8_is_escaped_so_that_it_can_be_stored(
    tmp_path: Path, red: Image.Image
) -> None:
    red.save(tmp_path / "a.png")
    os.rename(os.fsencode(tmp_path / "a.png"), os.fsencode(tmp_path) + b"/caf\xe9.png")

    assert list(folder(tmp_path).keys()) == ["caf\\xe9.png"]
    assert folder(tmp_path).load("caf\\xe9.png").pixels.shape == (4, 6, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads every folder")
def test_a_folder_inside_that_may_not_be_read_is_no_silent_gap(
    tmp_path: Path, red: Image.Image
) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    red.save(tmp_path / "a.png")

    with pytest.raises(harness.HarnessError, match="closed: Permission denied"):
        folder(tmp_path).keys()


def test_only_what_is_listed_is_loaded(tmp_path: Path, red: Image.Image) -> None:
    (tmp_path / "inside").mkdir()
    red.save(tmp_path / "a.png")
    red.save(tmp_path / "inside" / "b.png")

    with pytest.raises(harness.HarnessError, match=r"there is no image '\.\./a\.png'"):
        folder(tmp_path / "inside").load("../a.png")


def test_a_folder_without_images_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match=r"contains no image \(it is empty\)"):
        folder(tmp_path).keys()
    with pytest.raises(harness.HarnessError, match="no such folder"):
        folder(tmp_path / "nowhere").keys()
    with pytest.raises(harness.HarnessError, match="no such folder"):
        folder(Path("~nobody-of-that-name/images")).keys()
    (tmp_path / "a.txt").write_text("a file")
    with pytest.raises(harness.HarnessError, match=r"a\.txt: a file, not a folder"):
        folder(tmp_path / "a.txt").keys()


@pytest.mark.parametrize("deep", [False, True])
def test_as_labels_grey_levels_come_as_they_are(tmp_path: Path, deep: bool) -> None:
    levels = np.array([[0, 1, 2], [3, 200, 255]], dtype=np.uint16 if deep else np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")

    pixels = folder(tmp_path, ",as_labels=true").load("a.png").pixels

    assert np.array_equal(pixels[:, :, 0], levels)


def test_as_labels_indices_come_without_their_palette(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([9, 9, 9, 0, 0, 0, 9, 9, 9])
    picture.save(tmp_path / "a.png", transparency=0)

    assert np.array_equal(
        folder(tmp_path, ",as_labels=true").load("a.png").pixels[:, :, 0], indices
    )


def test_as_labels_colours_and_large_labels_are_refused_by_name(
    tmp_path: Path, red: Image.Image
) -> None:
    red.save(tmp_path / "a.png")
    Image.fromarray(np.array([[0, 256]], dtype=np.uint16)).save(tmp_path / "b.png")
    labels = folder(tmp_path, ",as_labels=true")

    with pytest.raises(harness.HarnessError, match=r"^a\.png: a picture of mode RGB has no labels"):
        labels.load("a.png")
    with pytest.raises(harness.HarnessError, match=r"^b\.png: labels 0 … 256 are outside 0 … 255$"):
        labels.load("b.png")


@pytest.fixture
def classes(tmp_path: Path, red: Image.Image) -> Path:
    """A folder of three classes, one of them nested, and a picture outside of them."""
    for name in ("dog/b.png", "cat/old/a.png", "cat/c.png", "ant/d.png", "stray.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        red.save(tmp_path / name)
    return tmp_path


def labels_of(images: harness.ImageSet) -> dict[str, int | None]:
    return {key: images.load(key).label for key in images.keys()}


@pytest.mark.filterwarnings("ignore:images passed over")
def test_sub_folders_are_classes_in_the_order_of_their_names(classes: Path) -> None:
    images = folder(classes, ",labels=true")

    assert isinstance(images, harness.LabelledImageSet)
    assert list(images.classes()) == ["ant", "cat", "dog"]
    assert labels_of(images) == {"ant/d.png": 0, "cat/c.png": 1, "cat/old/a.png": 1, "dog/b.png": 2}


def test_a_picture_in_no_class_is_named(classes: Path) -> None:
    with pytest.warns(UserWarning, match=r"they are in no class: stray\.png$"):
        folder(classes, ",labels=true").keys()


def test_without_labels_there_are_neither_labels_nor_classes(classes: Path) -> None:
    images = folder(classes)

    assert isinstance(images, harness.LabelledImageSet)
    assert not images.classes()
    assert set(labels_of(images).values()) == {None}


def test_labels_without_a_sub_folder_are_refused(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png")

    with pytest.raises(harness.HarnessError, match="labels=true takes classes from sub-folders"):
        folder(tmp_path, ",labels=true").keys()


@pytest.mark.filterwarnings("ignore:images passed over")
def test_a_count_takes_the_classes_in_turn(classes: Path) -> None:
    assert list(folder(classes, ",labels=true,count=3").keys()) == [
        "ant/d.png", "cat/c.png", "dog/b.png",
    ]  # fmt: skip


def test_folders_that_are_named_after_splits_are_splits(tmp_path: Path, red: Image.Image) -> None:
    for name in ("train/cat/a.png", "train/dog/b.png", "val/dog/c.png", "test/cat/d.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        red.save(tmp_path / name)
    images = folder(tmp_path, ",labels=true,split=validation")

    assert isinstance(images, harness.LabelledImageSet)
    assert list(images.classes()) == ["cat", "dog"]
    assert labels_of(images) == {"val/dog/c.png": 1}
    assert len(folder(tmp_path, ",labels=true").keys()) == 4


def test_splits_that_no_folder_names_are_tenths_of_each_class(
    tmp_path: Path, red: Image.Image
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(10):
            red.save(tmp_path / name / f"{number}.png")

    keys = {
        split: list(folder(tmp_path, f",labels=true,split={split}").keys())
        for split in ("train", "validation", "test")
    }

    assert {split: len(found) for split, found in keys.items()} == {
        "train": 16, "validation": 2, "test": 2,
    }  # fmt: skip
    assert len(set().union(*keys.values())) == 20
    assert {key.split("/")[0] for key in keys["test"]} == {"cat", "dog"}


def test_an_image_of_another_split_is_refused_with_its_split(
    tmp_path: Path, red: Image.Image
) -> None:
    for name in ("train/a.png", "test/b.png"):
        (tmp_path / name).parent.mkdir()
        red.save(tmp_path / name)

    with pytest.raises(harness.HarnessError, match=r"'test/b\.png' is in split test, not in train"):
        folder(tmp_path, ",split=train,only=[test/b.png]").keys()
