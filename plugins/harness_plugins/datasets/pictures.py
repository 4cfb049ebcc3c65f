"""Picture files below a folder: found without leaving the folder, decoded within bounds."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness import HarnessError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
MAX_PIXELS = 50_000_000
# Pillow's modes of 16-bit grey; some formats are read as "I", which has 32 bits.
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I")
DEEPEST_GREY = 65535
GREY = ("1", "L", "LA", "La")
# Pillow decodes PNG's 16-bit grey with alpha as RGBA.
DEEP_GREY_WITH_ALPHA = "LA;16B"
# Pillow's limit of pixels belongs to the process.
_limit_of_pixels = threading.Lock()


def find(folder: Path) -> dict[str, Path]:
    """The files below a folder with a picture's suffix, by key.

    Keys are paths relative to the folder; bytes that are not UTF-8 are written \\xff. Hidden
    files and folders are skipped, and linked folders are not followed; a link that leads out of
    the folder is listed, and `read` refuses it.
    """
    return {_key(path.relative_to(folder)): path for path in _candidates(folder)}


def read(path: Path, key: str, folder: Path, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """A picture's pixels (height, width, 1 or 3): upright, on white, its first frame.

    16-bit grey is scaled to 8 bits; everything but grey becomes RGB. Raises HarnessError, naming
    `key`, if the picture is broken, has more than `max_pixels`, or is a link that leads out of
    `folder`.
    """
    from PIL import Image, UnidentifiedImageError

    if _leads_out(path, folder):
        raise HarnessError(f"{key}: a link that leads out of {folder}")
    if not path.is_file():
        raise HarnessError(f"{key}: neither a regular file nor a link to one")
    try:
        with _at_most(max_pixels), Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise HarnessError(
                    f"{key}: {height}×{width} pixels are more than max_pixels, {max_pixels}"
                )
            return _pixels(picture)
    except UnidentifiedImageError as error:
        raise HarnessError(f"{key}: not an image of a known format") from error
    except Image.DecompressionBombError as error:
        raise HarnessError(f"{key}: more pixels than max_pixels, {max_pixels}") from error
    except MemoryError as error:
        raise HarnessError(f"{key}: its pixels do not fit into memory") from error
    # Pillow's decoders raise nearly anything on damaged files.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise HarnessError(f"{key}: broken image: {error}") from error


@contextmanager
def _at_most(max_pixels: int) -> Iterator[None]:
    """Puts `max_pixels` in place of Pillow's own limit, which raises at twice as many pixels."""
    from PIL import Image

    with _limit_of_pixels, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _candidates(folder: Path) -> Iterator[Path]:
    """Files with a picture's suffix below the folder, and linked folders that lead out of it."""

    def refuse(error: OSError) -> None:
        raise HarnessError(f"{error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # The walk does not follow linked folders; those inside are listed under their own path.
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink() and _leads_out(path, folder):
                yield path
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES:
                yield path


def _leads_out(path: Path, folder: Path) -> bool:
    # Unlike Path.resolve, realpath accepts circular links.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _key(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _pixels(opened: "ImageFile") -> NDArray[np.uint8]:
    """The pixels (height, width, 1 or 3) of an opened picture."""
    from PIL import Image, ImageOps

    is_grey = opened.mode in GREY or any(tile[3] == DEEP_GREY_WITH_ALPHA for tile in opened.tile)
    picture = ImageOps.exif_transpose(opened)
    if picture.mode in DEEP_GREY:
        grey = np.asarray(picture)
        # At this depth only PNG has transparency: one level of grey.
        return _scaled(np.where(grey == picture.info.get("transparency"), DEEPEST_GREY, grey))
    if picture.mode == "F":
        raise ValueError("grey levels are fractions without a known range")
    if picture.has_transparency_data:
        # Grey multiplied by its alpha, La, converts to LA only.
        layer = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    array = np.asarray(picture.convert("L" if is_grey else "RGB"), dtype=np.uint8)
    return array[:, :, None] if array.ndim == 2 else array


def _scaled(grey: NDArray[Any]) -> NDArray[np.uint8]:
    if grey.min() < 0 or grey.max() > DEEPEST_GREY:
        raise ValueError(f"grey levels {grey.min()} … {grey.max()} are outside 0 … {DEEPEST_GREY}")
    return np.round(grey * (255 / DEEPEST_GREY)).astype(np.uint8)[:, :, None]
