"""Pictures of any format and mode as 8-bit grey or RGB."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from harness import HarnessError
from harness_plugins.datasets import pictures


def read(path: Path) -> NDArray[np.uint8]:
    return pictures.read(path, path.name, path.parent)


@pytest.fixture
def red() -> Image.Image:
    return Image.new("RGB", (6, 4), (255, 0, 0))


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

    assert list(pictures.find(tmp_path)) == [name]
    pixels = read(tmp_path / name)
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

    assert (read(tmp_path / "a.png") == [255, 0, 0]).all()


def test_a_png_with_a_large_colour_profile_is_read(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png", icc_profile=bytes(3 << 20))

    assert (read(tmp_path / "a.png") == [255, 0, 0]).all()


def test_a_truncated_png_with_long_texts_is_still_broken(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("text", "x" * (2 << 20), zip=True)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png", pnginfo=texts)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[:-1000])

    with pytest.raises(HarnessError, match=r"a\.png: broken image"):
        read(tmp_path / "a.png")


def test_rgb_pixels_come_as_they_are(tmp_path: Path, red: Image.Image) -> None:
    red.save(tmp_path / "a.png")

    pixels = read(tmp_path / "a.png")

    assert pixels.shape == (4, 6, 3)
    assert (pixels == [255, 0, 0]).all()


@pytest.mark.parametrize("suffix", ["jpg", "webp", "gif", "tif", "bmp"])
def test_every_format_is_read(tmp_path: Path, red: Image.Image, suffix: str) -> None:
    red.save(tmp_path / f"a.{suffix}")

    pixels = read(tmp_path / f"a.{suffix}").astype(int)

    assert pixels.shape == (4, 6, 3)
    assert np.abs(pixels - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_have_one_channel(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (3, 2), 1 if mode == "1" else 77).save(tmp_path / "a.png")

    pixels = read(tmp_path / "a.png")

    assert pixels.shape == (2, 3, 1)
    assert (pixels == (255 if mode == "1" else 77)).all()


def test_deep_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 65535, 32768]], dtype=np.uint16)).save(tmp_path / "a.png")

    assert read(tmp_path / "a.png")[0, :, 0].tolist() == [0, 255, 128]


def test_the_transparent_level_of_deep_grey_becomes_white(tmp_path: Path) -> None:
    levels = Image.fromarray(np.array([[0, 257]], dtype=np.uint16))
    levels.save(tmp_path / "a.png", transparency=0)

    assert read(tmp_path / "a.png")[0, :, 0].tolist() == [255, 1]


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


@pytest.mark.parametrize(("mode", "suffix", "written", "expected"), MODES)
def test_every_mode_becomes_grey_or_rgb_on_white(
    tmp_path: Path, mode: str, suffix: str, written: int | tuple[int, ...], expected: list[int]
) -> None:
    made = Image.new(mode, (3, 2), written)
    if mode.startswith("P"):
        made.putpalette([9, 8, 7])
    made.save(tmp_path / f"a.{suffix}")

    pixels = read(tmp_path / f"a.{suffix}").astype(int)

    assert pixels.shape == (2, 3, len(expected))
    assert np.abs(pixels - expected).max() <= 1


def test_deep_grey_with_alpha_is_grey(tmp_path: Path) -> None:
    for name, level, alpha in (("half", 0, 32768), ("clear", 0, 0), ("solid", 25700, 65535)):
        png(tmp_path / f"{name}.png", 2, 16, 4, 2 * (b"\0" + 2 * struct.pack(">HH", level, alpha)))

    for name, level in (("half", 127), ("clear", 255), ("solid", 100)):
        pixels = read(tmp_path / f"{name}.png")
        assert pixels.shape == (2, 2, 1)
        assert (pixels == level).all()


def test_grey_multiplied_by_its_alpha_is_grey(tmp_path: Path) -> None:
    # Pillow reads this mode, La, but does not write it: only the field of extra samples differs.
    Image.new("LA", (3, 2), (64, 128)).save(tmp_path / "a.tif")
    field = struct.pack("<HHIH", 338, 3, 1, 2)
    content = (tmp_path / "a.tif").read_bytes()
    assert field in content
    (tmp_path / "a.tif").write_bytes(content.replace(field, struct.pack("<HHIH", 338, 3, 1, 1)))

    pixels = read(tmp_path / "a.tif")

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

    pixels = read(tmp_path / "a.png")

    assert pixels.shape == (2, 3, channels)
    assert (pixels == 255).all()


def test_grey_in_fractions_is_refused_by_name(tmp_path: Path) -> None:
    Image.new("F", (3, 2), 0.5).save(tmp_path / "a.tif")

    with pytest.raises(HarnessError, match=r"a\.tif: .* without a known range"):
        read(tmp_path / "a.tif")


def test_cmyk_and_palettes_become_rgb(tmp_path: Path, red: Image.Image) -> None:
    red.convert("CMYK").save(tmp_path / "a.jpg")
    red.convert("P").save(tmp_path / "b.png")

    for key in ("a.jpg", "b.png"):
        pixels = read(tmp_path / key).astype(int)
        assert pixels.shape == (4, 6, 3)
        assert np.abs(pixels - [255, 0, 0]).max() <= 8


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (3, 2), (0, 0, 0, 128)).save(tmp_path / "half.png")
    Image.new("LA", (3, 2), (0, 0)).save(tmp_path / "grey.png")

    assert (read(tmp_path / "clear.png") == 255).all()
    assert np.abs(read(tmp_path / "half.png").astype(int) - 127).max() <= 1
    assert read(tmp_path / "grey.png").shape == (2, 3, 1)


def test_an_image_is_turned_upright_by_its_exif_tag(tmp_path: Path) -> None:
    sideways = Image.new("L", (8, 2), 0)
    sideways.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways.save(tmp_path / "a.png", exif=exif)

    pixels = read(tmp_path / "a.png")

    assert pixels.shape == (8, 2, 1)
    assert pixels[0, 1, 0] == 255


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, red: Image.Image) -> None:
    blue = Image.new("RGB", red.size, (0, 0, 255))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])

    assert (read(tmp_path / "a.gif") == [255, 0, 0]).all()


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

    assert list(pictures.find(tmp_path)) == [name]
    with pytest.raises(HarnessError, match=reason):
        read(tmp_path / name)
