"""The image sets that are known by name: what they are and how to have them."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.data.fashion_mnist import PUBLISHED

PUBLISHER = "https://github.com/zalandoresearch/fashion-mnist"


@dataclass(frozen=True)
class KnownImageSet:
    """An image set's facts for a reader; `size` is that of its files as they are published."""

    name: str
    summary: str
    files: Sequence[str]
    size: str
    licence: str
    published: str
    obtain: str


CATALOGUE = (
    KnownImageSet(
        name="fashion-mnist",
        summary="70,000 grey 28×28 images of clothes in ten classes, 10,000 of them for tests.",
        files=tuple(f"{name}.gz" for name in PUBLISHED),
        size="31 MB, 55 MB unpacked",
        licence="MIT, © Zalando SE",
        published=PUBLISHER,
        obtain="Debian's package dataset-fashion-mnist installs it under "
        "/usr/share/datasets/fashion-mnist",
    ),
    KnownImageSet(
        name="fashion-mnist-sample",
        summary="100 of Fashion-MNIST's test images, ten of each class.",
        files=("images-idx3-ubyte.gz", "sample.csv"),
        size="44 kB",
        licence="MIT, © Zalando SE",
        published=PUBLISHER,
        obtain="comes with the harness: --images fashion-mnist-sample",
    ),
)
