"""Picture files below a folder: found without leaving the folder, decoded within bounds."""

import os
import struct
import threading
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness import HarnessError
from harness_plugins.names import text_of

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Pillow's names of the formats that a picture of any suffix may have; others go by the suffix.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# Pillow only recognises these, or runs another program.
UNREADABLE = ("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks of a PNG with texts or a colour profile, which no pixel needs.
PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
MAX_PIXELS = 50_000_000
# Pillow's modes of 16-bit grey; some formats are read as "I", which has 32 bits.
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I")
DEEPEST_GREY = 65535
GREY = ("1", "L", "LA", "La")
# Pillow decodes PNG's 16-bit grey with alpha as RGBA.
DEEP_GREY_WITH_ALPHA = "LA;16B"
# Pillow's limit of pixels belongs to the process.
_limit_of_pixels = threading.Lock()


@cache
def suffixes() -> Mapping[str, str]:
    """The suffixes of pictures that can be read, each with Pillow's name of its format."""
    from PIL import Image

    # A camera's file of several pictures is a JPEG.
    formats = {
        suffix: "JPEG" if name == "MPO" else name
        for suffix, name in Image.registered_extensions().items()
    }
    return {
        suffix: name
        for suffix, name in sorted(formats.items())
        if name in Image.OPEN and name not in UNREADABLE
    }


def find(folder: Path) -> dict[str, Path]:
    """The files below a folder with a picture's suffix, by key.

    Keys are the texts of paths relative to the folder, as `text_of` writes them. Hidden files and
    folders are skipped, and linked folders are not followed; a link that leads out of the folder
    is listed, and `read` refuses it.
    """
    candidates = filter(_is_candidate, _listed(folder))
    return {text_of(path.relative_to(folder)): path for path in candidates}


def passed_over(folder: Path) -> str:
    """Count the files below a folder that have other suffixes, by suffix; "" if there are none."""
    others = (path for path in _listed(folder) if not _is_candidate(path))
    counts = Counter(path.suffix.lower() or "without a suffix" for path in others)
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))


def read(
    path: Path,
    key: str,
    folder: Path,
    max_pixels: int = MAX_PIXELS,
    *,
    as_labels: bool = False,
) -> NDArray[np.uint8]:
    """A picture's pixels (height, width, 1 or 3): upright, on white, its first frame.

    16-bit grey is scaled to 8 bits; everything but grey becomes RGB. With `as_labels`, the pixels
    (height, width, 1) are the indices of an indexed picture or the levels of a grey one, as they
    are. Raises HarnessError, naming `key`, if the picture is broken, has more than `max_pixels`, is
    a link that leads out of `folder`, or has no labels or one above 255.
    """
    if _leads_out(path, folder):
        raise HarnessError(f"{key}: a link that leads out of {folder}")
    if not path.is_file():
        raise HarnessError(f"{key}: neither a regular file nor a link to one")
    formats = {*FORMATS, suffixes().get(path.suffix.lower(), FORMATS[0])}
    try:
        with path.open("rb") as file:
            return decode(file, key, max_pixels, formats=formats, as_labels=as_labels)
    except OSError as error:
        raise HarnessError(f"{key}: broken image: {error}") from error


def decode(
    file: BinaryIO,
    key: str,
    max_pixels: int = MAX_PIXELS,
    *,
    formats: Collection[str] = FORMATS,
    as_labels: bool = False,
) -> NDArray[np.uint8]:
    """The pixels of a picture in an open file, as `read` gives them."""
    from PIL import Image, UnidentifiedImageError

    try:
        with _at_most(max_pixels):
            try:
                return _decoded(file, formats, key, max_pixels, as_labels)
            except ValueError:
                # Pillow refuses a PNG with long texts, which might fill the memory.
                without_texts = _without_texts(file)
                if without_texts is None:
                    raise
                return _decoded(without_texts, formats, key, max_pixels, as_labels)
    except UnidentifiedImageError as error:
        raise HarnessError(f"{key}: not an image of a known format") from error
    except Image.DecompressionBombError as error:
        raise HarnessError(f"{key}: more pixels than max_pixels, {max_pixels}") from error
    except MemoryError as error:
        raise HarnessError(f"{key}: its pixels do not fit into memory") from error
    except HarnessError:
        raise
    # Pillow's decoders raise nearly anything on damaged files.
    except Exception as error:
        raise HarnessError(f"{key}: broken image: {error}") from error


def _decoded(
    file: BinaryIO, formats: Collection[str], key: str, max_pixels: int, as_labels: bool
) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(file, formats=sorted(formats)) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise HarnessError(
                f"{key}: {height}×{width} pixels are more than max_pixels, {max_pixels}"
            )
        return _labels(picture, key) if as_labels else _pixels(picture)


def _without_texts(file: BinaryIO) -> BytesIO | None:
    """A PNG without its texts, None for other files; nothing is decompressed."""
    kept = BytesIO()
    file.seek(0)
    if kept.write(file.read(len(PNG_SIGNATURE))) and kept.getvalue() != PNG_SIGNATURE:
        return None
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        # With its checksum.
        if kind in PNG_TEXTS:
            file.seek(size + 4, os.SEEK_CUR)
        else:
            kept.write(head + file.read(size + 4))
    kept.seek(0)
    return kept


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


def _listed(folder: Path) -> Iterator[Path]:
    """Files below the folder, and linked folders that lead out of it, but nothing hidden."""

    def refuse(error: OSError) -> None:
        raise HarnessError(f"{error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # The walk does not follow linked folders; those inside are listed under their own path.
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink() and _leads_out(path, folder):
                yield path
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _is_candidate(path: Path) -> bool:
    # A linked folder is refused by name.
    return path.suffix.lower() in suffixes() or path.is_dir()


def _leads_out(path: Path, folder: Path) -> bool:
    # Unlike Path.resolve, realpath accepts circular links.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _labels(opened: "ImageFile", key: str) -> NDArray[np.uint8]:
    """The indices or grey levels (height, width, 1) of an opened picture."""
    from PIL import ImageOps

    if opened.mode not in ("1", "L", "P", *DEEP_GREY):
        raise HarnessError(
            f"{key}: a picture of mode {opened.mode} has no labels; indexed and grey ones have"
        )
    labels = np.asarray(ImageOps.exif_transpose(opened)).astype(np.int64)
    most = np.iinfo(np.uint8).max
    if labels.min() < 0 or labels.max() > most:
        raise HarnessError(f"{key}: labels {labels.min()} … {labels.max()} are outside 0 … {most}")
    return labels.astype(np.uint8)[:, :, None]


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
