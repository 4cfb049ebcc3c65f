"""Your own images: the image files below a folder."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import harness
from harness_plugins.datasets import pictures
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class Folder(harness.ImageSet):
    """The images below a folder: JPEG, PNG, WebP, GIF, TIFF, BMP and all else that Pillow decodes.

    Images are turned upright by their EXIF tag, transparency is composited on white, animations
    give their first frame, 16-bit grey is scaled to 8 bits, and everything but grey becomes RGB.
    An image that is broken or too large, or a link that leads out of the folder, is refused by
    name.

    path: the folder; hidden files and folders in it are skipped.
    max_pixels: images of more pixels are refused before they are decoded.
    as_labels: pixels are the indices of indexed images and the unscaled levels of grey ones, up to
    255, and colours are refused: for masks.
    """

    name: ClassVar[str] = "folder"
    path: Path
    max_pixels: int = pictures.MAX_PIXELS
    as_labels: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, "max_pixels", least=1)

    def keys(self) -> Sequence[str]:
        """Paths relative to the folder as text, sorted; a byte that is no UTF-8 is `\\xff`.

        Warns of files whose ending is not that of an image.
        """
        found = sorted(self._paths)
        if others := pictures.passed_over(self._folder):
            warnings.warn(f"files passed over, as they are no images: {others}", stacklevel=2)
        return found

    def load(self, key: str) -> harness.Image:
        """One image, grey or RGB."""
        if key not in self._paths:
            raise harness.HarnessError(f"{self.path}: there is no image {key!r}")
        pixels = pictures.read(
            self._paths[key], key, self._folder, self.max_pixels, as_labels=self.as_labels
        )
        return harness.Image(key, pixels)

    @property
    def _folder(self) -> Path:
        return Path(os.path.expanduser(self.path))

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        if not self._folder.is_dir():
            what = "a file, not a folder" if self._folder.exists() else "no such folder"
            raise harness.HarnessError(f"{self.path}: {what}")
        found = pictures.find(self._folder)
        if not found:
            raise harness.HarnessError(
                f"{self.path}: contains no image"
                f" ({pictures.passed_over(self._folder) or 'it is empty'}); looked for "
                f"{' '.join(pictures.suffixes())}"
            )
        return found


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Folder]
