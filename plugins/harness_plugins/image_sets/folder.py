"""Your own images: the image files below a folder."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

import harness
from harness import HarnessError, Split
from harness_plugins.datasets import pictures, splits
from harness_plugins.image_sets.labelled import OwnSet
from harness_plugins.parameters import check_bounds

# Names that a message shows.
SHOWN = 3


class Found(NamedTuple):
    """An image's file, its split and its class, "" if the folder says none of them."""

    path: Path
    split: Split | None
    class_name: str


@dataclass(frozen=True)
class Folder(OwnSet):
    """The images below a folder: JPEG, PNG, WebP, GIF, TIFF, BMP and all other formats of Pillow.

    Images are turned upright by their EXIF tag, transparency is composited on white, animations
    give their first frame, 16-bit grey is scaled to 8 bits, and everything but grey becomes RGB.
    An image that is broken or too large, or a link that leads out of the folder, is refused by
    name.

    Parameters
    ----------
    path
        the folder; hidden files and folders in it are skipped.
    split
        train, validation or test, by the names of its sub-folders, else made by the harness;
        none: all images.
    count
        number of images, taking the classes in turn; none: all.
    only
        just the images with these keys, in this order.
    max_pixels
        images of more pixels are refused before they are decoded.
    as_labels
        for masks: whether pixels are the indices of indexed images, or the unscaled levels of grey
        ones, up to 255; colours are refused.
    labels
        whether its sub-folders, or those of its folders train, validation and test, are classes,
        each with all images below it.
    """

    name: ClassVar[str] = "folder"
    # Has no default here.
    path: Path = field()
    max_pixels: int = pictures.MAX_PIXELS
    as_labels: bool = False
    labels: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, "max_pixels", least=1)

    def keys(self) -> Sequence[str]:
        """Paths relative to the folder as text, sorted; a byte that is no UTF-8 is `\\xff`.

        Warns of files whose ending is not that of an image, and of images in no class.
        """
        chosen = super().keys()
        if others := pictures.passed_over(self._folder):
            warnings.warn(f"files passed over, as they are no images: {others}", stacklevel=2)
        outside = sorted(self._found.keys() - self.all_labels().keys())
        if outside:
            more = f" and {len(outside) - SHOWN} more" if len(outside) > SHOWN else ""
            listed = ", ".join(outside[:SHOWN]) + more
            warnings.warn(f"images passed over, as they are in no class: {listed}", stacklevel=2)
        return chosen

    def classes(self) -> Sequence[str]:
        """The names of the sub-folders with images, sorted; none without `labels`."""
        return self._classes

    def all_labels(self) -> Mapping[str, int]:
        """Sorted by key."""
        label_of = {name: label for label, name in enumerate(self._classes)} or {"": -1}
        return {
            key: label_of[found.class_name]
            for key, found in sorted(self._found.items())
            if found.class_name in label_of
        }

    def named_splits(self) -> Mapping[str, Split]:
        """By the first sub-folder, if all are named after splits."""
        return {key: found.split for key, found in self._found.items() if found.split}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """Grey or RGB."""
        path = self._found[key].path
        return pictures.read(path, key, self._folder, self.max_pixels, as_labels=self.as_labels)

    @property
    def _owner(self) -> str:
        return str(self.path)

    @property
    def _folder(self) -> Path:
        return Path(os.path.expanduser(self.path))

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        if not self.labels:
            return ()
        names = {found.class_name for found in self._found.values()} - {""}
        if not names:
            raise HarnessError(
                f"{self.path}: labels=true takes classes from sub-folders, and no image is in one"
            )
        return tuple(sorted(names))

    @cached_property
    def _found(self) -> Mapping[str, Found]:
        if not self._folder.is_dir():
            what = "a file, not a folder" if self._folder.exists() else "no such folder"
            raise HarnessError(f"{self.path}: {what}")
        paths = pictures.find(self._folder)
        if not paths:
            raise HarnessError(
                f"{self.path}: contains no image"
                f" ({pictures.passed_over(self._folder) or 'it is empty'}); looked for "
                f"{' '.join(pictures.suffixes())}"
            )
        folders = {key: key.split("/")[:-1] for key in paths}
        split_of = {of[0]: splits.named(of[0]) for of in folders.values() if of}
        named = bool(split_of) and all(split_of.values())
        return {
            key: Found(
                path,
                split_of[folders[key][0]] if named and folders[key] else None,
                next(iter(folders[key][named:]), "") if self.labels else "",
            )
            for key, path in paths.items()
        }


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Folder]
