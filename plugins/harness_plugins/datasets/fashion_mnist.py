"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, MIT licence), read from a folder the user has.

Files are checked by the bytes they unpack to: Debian's package holds the published images,
compressed anew.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import HarnessError
from harness_plugins.datasets import idx
from harness_plugins.datasets.splits import Half

CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

# SHA-256 of the decompressed files, as published at
# https://github.com/zalandoresearch/fashion-mnist
PUBLISHED = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# Where Debian's package dataset-fashion-mnist installs them.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
PREFIXES = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Grey images (count, height, width) of bytes, their labels (count,), and checksums.

    `checksums` maps each file's name to the SHA-256 of its decompressed bytes.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    checksums: dict[str, str]


def locate(folder: Path, name: str) -> Path:
    """The file called `name` in `folder`, plain or gzipped.

    Raises HarnessError if the folder or the file is missing.
    """
    if not folder.is_dir():
        raise HarnessError(f"{folder}: no such folder; it should hold {', '.join(PUBLISHED)}")
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise HarnessError(f"{folder}: neither {name} nor {name}.gz is there")


def checksum(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def load(folder: Path, half: Half) -> LabelledImages:
    """One half's images and labels.

    Any IDX pair under Fashion-MNIST's file names is read; `is_published` tells whether it is
    Fashion-MNIST. Raises HarnessError if a file is missing, broken, or does not fit its pair.
    """
    arrays, checksums = [], {}
    for kind in ("images-idx3", "labels-idx1"):
        name = f"{PREFIXES[half]}-{kind}-ubyte"
        path = locate(folder, name)
        content = idx.read_bytes(path)
        arrays.append(idx.parse(content, str(path)))
        checksums[name] = checksum(content)
    images, labels = arrays
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or not len(images):
        raise HarnessError(
            f"{folder}: {half} images {images.shape} and labels {labels.shape} are no pair"
        )
    if labels.max() >= len(CLASSES):
        raise HarnessError(f"{folder}: label {labels.max()} is none of {len(CLASSES)} classes")
    return LabelledImages(images, labels, checksums)


def is_published(checksums: dict[str, str]) -> bool:
    """Whether files with these checksums are the published ones."""
    return all(PUBLISHED.get(name) == found for name, found in checksums.items())
