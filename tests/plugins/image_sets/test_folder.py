import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

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


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.jfif", "JPEG"), ("a.JPE", "JPEG"), ("a.apng", "PNG"), ("a.dib", "DIB"),
        ("a.ppm", "PPM"), ("a.tga", "TGA"), ("a.ico", "ICO"), ("a.jp2", "JPEG2000"),
        ("a.sgi", "SGI"), ("a.pcx", "PCX"), ("a.mpo", "MPO"), ("a.tga", "PNG"),
    ],
)  # fmt: skip
def test_every_format_that_pillow_decodes_is_read_by_its_usual_endings(
    tmp_path: Path, name: str, written: str
) -> None:
    Image.new("RGB", (16, 16), (255, 0, 0)).save(tmp_path / name, written)

    images = folder(tmp_path)

    assert list(images.keys()) == [name]
    pixels = images.load(name).pixels
    assert pixels.shape == (16, 16, 3)
    assert (abs(pixels.astype(int) - [255, 0, 0]) <= 2).all()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("mega_bytes", [2, 70])
def test_a_png_with_long_texts_is_read(
    tmp_path: Path, red: Image.Image, compressed: bool, mega_bytes: int
) -> None:
    texts = PngImagePlugin.PngInfo()
    for number in range(mega_bytes // 2):
        texts.add_text(f"text {number}", "x" * (2 << 20), zip=compressed)
    red.save(tmp_path / "a.png", pnginfo=texts)

    assert (folder(tmp_path).load("a.png").pixels == [255, 0, 0]).all()


def test_a_png_with_a_large_colour_profile_is_read(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png", icc_profile=bytes(3 << 20))

    assert (folder(tmp_path).load("a.png").pixels == [255, 0, 0]).all()


def test_a_truncated_png_with_long_texts_is_still_broken(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("text", "x" * (2 << 20), zip=True)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png", pnginfo=texts)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[:-1000])

    with pytest.raises(harness.HarnessError, match=r"a\.png: broken image"):
        folder(tmp_path).load("a.png")


def test_rgb_pixels_come_as_they_are(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png")

    pixels = folder(tmp_path).load("a.png").pixels

    assert pixels.shape == (4, 6, 3)
    assert (pixels == [255, 0, 0]).all()


@pytest.mark.parametrize("suffix", ["jpg", "webp", "gif", "tif", "bmp"])
def test_every_format_is_read(tmp_path: Path, red: Image.Image, suffix: str) -> None:
    red.save(tmp_path / f"a.{suffix}")

    pixels = folder(tmp_path).load(f"a.{suffix}").pixels.astype(int)

    assert pixels.shape == (4, 6, 3)
    assert np.abs(pixels - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_have_one_channel(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (3, 2), 1 if mode == "1" else 77).save(tmp_path / "a.png")

    pixels = folder(tmp_path).load("a.png").pixels

    assert pixels.shape == (2, 3, 1)
    assert (pixels == (255 if mode == "1" else 77)).all()


def test_deep_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 65535, 32768]], dtype=np.uint16)).save(tmp_path / "a.png")

    assert folder(tmp_path).load("a.png").pixels[0, :, 0].tolist() == [0, 255, 128]


def test_the_transparent_level_of_deep_grey_becomes_white(tmp_path: Path) -> None:
    levels = Image.fromarray(np.array([[0, 257]], dtype=np.uint16))
    levels.save(tmp_path / "a.png", transparency=0)

    assert folder(tmp_path).load("a.png").pixels[0, :, 0].tolist() == [255, 1]


# A pixel as Pillow writes it in a mode, and as it is read: over white, 8 bits, grey or RGB.
MODES = [
    ("1", "png", 1, [255]),
    ("1", "tif", 0, [0]),
    ("L", "png", 77, [77]),
    ("LA", "png", (0, 128), [127]),
    ("LA", "tif", (100, 255), [100]),
    ("I;16", "png", 65535, [255]),
    ("I;16", "tif", 257, [1]),
    ("I;16B", "tif", 257, [1]),
    ("I", "tif", 65535, [255]),
    ("P", "png", 0, [9, 8, 7]),
    ("P", "gif", 0, [9, 8, 7]),
    ("PA", "tif", (0, 0), [255, 255, 255]),
    ("RGB", "png", (1, 2, 3), [1, 2, 3]),
    ("RGBX", "tif", (1, 2, 3, 9), [1, 2, 3]),
    ("RGBA", "png", (0, 0, 0, 128), [127, 127, 127]),
    ("RGBA", "tif", (1, 2, 3, 255), [1, 2, 3]),
    ("CMYK", "tif", (0, 255, 255, 0), [255, 0, 0]),
    ("YCbCr", "tif", (76, 85, 255), [254, 0, 0]),
    ("LAB", "tif", (255, 128, 128), [255, 255, 255]),
]


@pytest.mark.parametrize(("mode", "suffix", "written", "read"), MODES)
def test_every_mode_becomes_grey_or_rgb_on_white(
    tmp_path: Path, mode: str, suffix: str, written: int | tuple[int, ...], read: list[int]
) -> None:
    made = Image.new(mode, (3, 2), written)
    if mode.startswith("P"):
        made.putpalette([9, 8, 7])
    made.save(tmp_path / f"a.{suffix}")

    pixels = folder(tmp_path).load(f"a.{suffix}").pixels.astype(int)

    assert pixels.shape == (2, 3, len(read))
    assert np.abs(pixels - read).max() <= 1


def test_deep_grey_with_alpha_is_grey(tmp_path: Path) -> None:
    for name, level, alpha in (("half", 0, 32768), ("clear", 0, 0), ("solid", 25700, 65535)):
        png(tmp_path / f"{name}.png", 2, 16, 4, 2 * (b"\0" + 2 * struct.pack(">HH", level, alpha)))

    for name, level in (("half", 127), ("clear", 255), ("solid", 100)):
        pixels = folder(tmp_path).load(f"{name}.png").pixels
        assert pixels.shape == (2, 2, 1)
        assert (pixels == level).all()


def test_grey_multiplied_by_its_alpha_is_grey(tmp_path: Path) -> None:
    # Pillow reads this mode, La, but does not write it: only the field of extra samples differs.
    Image.new("LA", (3, 2), (64, 128)).save(tmp_path / "a.tif")
    field = struct.pack("<HHIH", 338, 3, 1, 2)
    content = (tmp_path / "a.tif").read_bytes()
    assert field in content
    (tmp_path / "a.tif").write_bytes(content.replace(field, struct.pack("<HHIH", 338, 3, 1, 1)))

    pixels = folder(tmp_path).load("a.tif").pixels

    assert pixels.shape == (2, 3, 1)
    assert np.abs(pixels.astype(int) - 191).max() <= 1


@pytest.mark.parametrize(
    ("mode", "transparent", "channels"),
    [("1", 0, 1), ("L", 9, 1), ("P", 0, 3), ("RGB", (9,) * 3, 3)],
)
def test_a_transparent_colour_becomes_white(
    tmp_path: Path, mode: str, transparent: int | tuple[int, ...], channels: int
) -> None:
    Image.new(mode, (3, 2), transparent).save(tmp_path / "a.png", transparency=transparent)

    pixels = folder(tmp_path).load("a.png").pixels

    assert pixels.shape == (2, 3, channels)
    assert (pixels == 255).all()


def test_grey_in_fractions_is_refused_by_name(tmp_path: Path) -> None:
    Image.new("F", (3, 2), 0.5).save(tmp_path / "a.tif")

    with pytest.raises(harness.HarnessError, match=r"a\.tif: .* without a known range"):
        folder(tmp_path).load("a.tif")


def test_cmyk_and_palettes_become_rgb(tmp_path: Path, red: Image.Image) -> None:
    red.convert("CMYK").save(tmp_path / "a.jpg")
    red.convert("P").save(tmp_path / "b.png")

    for key in ("a.jpg", "b.png"):
        pixels = folder(tmp_path).load(key).pixels.astype(int)
        assert pixels.shape == (4, 6, 3)
        assert np.abs(pixels - [255, 0, 0]).max() <= 8


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (3, 2), (0, 0, 0, 128)).save(tmp_path / "half.png")
    Image.new("LA", (3, 2), (0, 0)).save(tmp_path / "grey.png")

    assert (folder(tmp_path).load("clear.png").pixels == 255).all()
    assert np.abs(folder(tmp_path).load("half.png").pixels.astype(int) - 127).max() <= 1
    assert folder(tmp_path).load("grey.png").pixels.shape == (2, 3, 1)


def test_an_image_is_turned_upright_by_its_exif_tag(tmp_path: Path) -> None:
    sideways = Image.new("L", (8, 2), 0)
    sideways.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways.save(tmp_path / "a.png", exif=exif)

    pixels = folder(tmp_path).load("a.png").pixels

    assert pixels.shape == (8, 2, 1)
    assert pixels[0, 1, 0] == 255


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, red: Image.Image) -> None:
    blue = Image.new("RGB", red.size, (0, 0, 255))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])

    assert (folder(tmp_path).load("a.gif").pixels == [255, 0, 0]).all()


def truncated_jpeg(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1000])


def text(path: Path) -> None:
    path.write_text("these are no pixels")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def png(path: Path, side: int, depth: int, colours: int, rows: bytes) -> None:
    """Write a square PNG as its specification defines it, which Pillow cannot in every mode."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", side, side, depth, colours, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def bomb(path: Path) -> None:
    png(path, 60_000, 8, 2, b"")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing.png")


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (truncated_jpeg, "a.jpg", "a.jpg: broken image"),
        (text, "a.png", "a.png: not an image of a known format"),
        (nothing, "a.png", "a.png: not an image of a known format"),
        (bomb, "a.png", "a.png: .*pixels"),
        (pipe, "a.png", "a.png: neither a regular file nor a link to one"),
        (link_to_itself, "a.png", "a.png: neither a regular file nor a link to one"),
        (link_to_nothing, "a.png", "a.png: neither a regular file nor a link to one"),
    ],
)
def test_what_cannot_be_decoded_is_listed_and_refused_by_name(
    tmp_path: Path, make: Callable[[Path], None], name: str, reason: str
) -> None:
    make(tmp_path / name)
    images = folder(tmp_path)

    assert list(images.keys()) == [name]
    with pytest.raises(harness.HarnessError, match=reason):
        images.load(name)


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
