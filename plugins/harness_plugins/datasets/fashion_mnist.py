"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, MIT licence), read from a folder.

Checksums are of the decompressed bytes: Debian's package compresses the published images anew.
"""

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


def locate(folder: Path, name: str) -> Path:
    """The file called `name` in `folder`, plain or gzipped."""
    if not folder.is_dir():
        raise HarnessError(f"{folder}: no such folder; it should contain {', '.join(PUBLISHED)}")
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise HarnessError(f"{folder}: contains neither {name} nor {name}.gz")


def load(folder: Path, half: Half) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The grey images (count, height, width) of one half, and their labels (count,)."""
    images, labels = (
        idx.read(locate(folder, f"{PREFIXES[half]}-{kind}-ubyte"))
        for kind in ("images-idx3", "labels-idx1")
    )
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or not len(images):
        raise HarnessError(
            f"{folder}: {half} images {images.shape} and labels {labels.shape} do not match"
        )
    if labels.max() >= len(CLASSES):
        raise HarnessError(f"{folder}: label {labels.max()} is not among {len(CLASSES)} classes")
    return images, labels
