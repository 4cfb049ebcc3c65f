"""One's own images: whatever Pillow reads below a folder."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# Pillow's modes of one channel of more than eight bits, with their largest value.
DEEP_GREY = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535}


@dataclass(frozen=True)
class Folder(harness.ImageSet):
    """The images below a folder: JPEG, PNG, WebP, GIF, TIFF, BMP.

    Turned upright by their EXIF tag; transparency laid over white; the first frame of animated
    ones; 16-bit grey scaled to 8 bits; grey stays grey, everything else becomes RGB. An image
    that is broken, too large, or linked from outside the folder is refused by name.

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
        """Paths relative to the folder, sorted."""
        folder = self._folder
        if not folder.is_dir():
            raise harness.HarnessError(f"{self.path}: no such folder")
        found = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and not path.is_dir()
        )
        if not found:
            raise harness.HarnessError(
                f"{self.path}: no image is there; looked for {' '.join(SUFFIXES)}"
            )
        return found

    def load(self, key: str) -> harness.Image:
        """One image, grey or RGB."""
        from PIL import Image, ImageOps, UnidentifiedImageError

        path = self._folder / key
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise harness.HarnessError(f"{key}: links to a file outside {self.path}")
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
        return self.path.expanduser()

    def _check_size(self, key: str, picture: "Image.Image") -> None:
        width, height = picture.size
        if width * height > self.max_pixels:
            raise harness.HarnessError(
                f"{key}: {height}×{width} pixels are more than max_pixels, {self.max_pixels}"
            )


def _pixels(picture: "Image.Image") -> NDArray[np.uint8]:
    """Bytes (height, width, 1 or 3)."""
    from PIL import Image

    if picture.mode in DEEP_GREY:
        return _scaled(np.asarray(picture), DEEP_GREY[picture.mode])
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


def _scaled(grey: NDArray[Any], largest: int) -> NDArray[np.uint8]:
    if grey.min() < 0 or grey.max() > largest:
        raise ValueError(f"grey levels {grey.min()} … {grey.max()} are outside 0 … {largest}")
    return np.round(grey * (255 / largest)).astype(np.uint8)[:, :, None]


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    """The image set of this module."""
    return [Folder]
