"""One's own images: whatever Pillow reads below a folder."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# Pillow's modes of 16-bit grey; some formats come as "I", which has room for 32 bits.
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I")
DEEPEST_GREY = 65535


@dataclass(frozen=True)
class Folder(harness.ImageSet):
    """The images below a folder: JPEG, PNG, WebP, GIF, TIFF, BMP.

    Turned upright by their EXIF tag; transparency laid over white; the first frame of animated
    ones; 16-bit grey scaled to 8 bits; grey stays grey, everything else becomes RGB. An image
    that is broken or too large is refused by name, and so is a link that leads out of the folder.

    path: the folder; hidden files and folders in it are passed over.
    max_pixels: images of more pixels are refused before they are decoded.
    """

    name: ClassVar[str] = "folder"
    path: Path
    max_pixels: int = 50_000_000

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise harness.HarnessError(
                f"folder: max_pixels must be at least 1, not {self.max_pixels}"
            )

    def keys(self) -> Sequence[str]:
        """Paths relative to the folder, sorted; bytes that are not UTF-8 are written \\xff."""
        return sorted(self._paths)

    def load(self, key: str) -> harness.Image:
        """One image, grey or RGB."""
        from PIL import Image, ImageOps, UnidentifiedImageError

        if key not in self._paths:
            raise harness.HarnessError(f"{self.path}: there is no image {key!r}")
        path = self._paths[key]
        if _leads_out(path, self._folder):
            raise harness.HarnessError(f"{key}: links to a place outside {self.path}")
        if not path.is_file():
            raise harness.HarnessError(f"{key}: neither a regular file nor a link to one")
        try:
            with warnings.catch_warnings():
                # The size is checked here, and by a limit of our own.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(path, formats=FORMATS) as picture:
                    self._check_size(key, picture)
                    upright = ImageOps.exif_transpose(picture)
                    pixels = _pixels(upright)
        except UnidentifiedImageError as error:
            raise harness.HarnessError(f"{key}: not an image of a known format") from error
        except Image.DecompressionBombError as error:
            raise harness.HarnessError(f"{key}: {error}") from error
        # Pillow's decoders raise nearly anything on damaged files.
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
            raise harness.HarnessError(f"{key}: broken image: {error}") from error
        return harness.Image(key, pixels)

    @property
    def _folder(self) -> Path:
        return Path(os.path.expanduser(self.path))

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        folder = self._folder
        if not folder.is_dir():
            what = "a file, not a folder" if folder.exists() else "no such folder"
            raise harness.HarnessError(f"{self.path}: {what}")
        found = {_key(path.relative_to(folder)): path for path in _candidates(folder)}
        if not found:
            raise harness.HarnessError(
                f"{self.path}: no image is there; looked for {' '.join(SUFFIXES)}"
            )
        return found

    def _check_size(self, key: str, picture: "Image.Image") -> None:
        width, height = picture.size
        if width * height > self.max_pixels:
            raise harness.HarnessError(
                f"{key}: {height}×{width} pixels are more than max_pixels, {self.max_pixels}"
            )


def _candidates(folder: Path) -> Iterator[Path]:
    """What is named like an image below the folder, and linked folders that lead out of it."""

    def refuse(error: OSError) -> None:
        raise harness.HarnessError(f"{error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # The walk does not follow linked folders; what lies inside is listed at its own place.
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink() and _leads_out(path, folder):
                yield path
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES:
                yield path


def _leads_out(path: Path, folder: Path) -> bool:
    # Unlike Path.resolve, realpath takes links that go round in circles.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _key(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _pixels(picture: "Image.Image") -> NDArray[np.uint8]:
    """Bytes (height, width, 1 or 3)."""
    from PIL import Image

    if picture.mode in DEEP_GREY:
        grey = np.asarray(picture)
        # Of such depth only PNG has transparency: one level of grey.
        return _scaled(np.where(grey == picture.info.get("transparency"), DEEPEST_GREY, grey))
    if picture.mode == "F":
        raise ValueError("grey levels are fractions without a known range")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        is_grey = picture.mode in ("LA", "La", "L", "1")
        picture = Image.alpha_composite(white, opaque).convert("L" if is_grey else "RGB")
    elif picture.mode in ("1", "L"):
        picture = picture.convert("L")
    else:
        picture = picture.convert("RGB")
    array = np.asarray(picture, dtype=np.uint8)
    return array[:, :, None] if array.ndim == 2 else array


def _scaled(grey: NDArray[Any]) -> NDArray[np.uint8]:
    if grey.min() < 0 or grey.max() > DEEPEST_GREY:
        raise ValueError(f"grey levels {grey.min()} … {grey.max()} are outside 0 … {DEEPEST_GREY}")
    return np.round(grey * (255 / DEEPEST_GREY)).astype(np.uint8)[:, :, None]


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    """The image set of this module."""
    return [Folder]
