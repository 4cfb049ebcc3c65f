"""The image sets that are known by name: what they are and how to have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data import fashion_mnist
from harness.errors import HarnessError

ZALANDO = "https://github.com/zalandoresearch/fashion-mnist"
ZALANDO_FILES = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"


@dataclass(frozen=True)
class Download:
    """A published file: where it is, its bytes, and its checksum as `sha256:…` or `md5:…`."""

    name: str
    url: str
    size: int
    checksum: str


@dataclass(frozen=True)
class Archive:
    """What the one tar file of a set unpacks to.

    `root` is the folder in it that becomes the set's ("" for the whole); an archive of more
    members or more unpacked bytes than said here is refused.
    """

    root: str
    most_members: int
    most_bytes: int


@dataclass(frozen=True)
class KnownImageSet:
    """An image set's facts for a reader, and for those who fetch it.

    `size` is that of its files as they are published, `layout` what its folder holds,
    `installed` where else it may be found, `downloads` what it is fetched from.
    """

    name: str
    summary: str
    files: Sequence[str]
    size: str
    licence: str
    published: str
    obtain: str
    layout: str
    installed: tuple[Path, ...] = ()
    downloads: tuple[Download, ...] = ()
    archive: Archive | None = None


def known(name: str) -> KnownImageSet:
    """The set of that name; raises HarnessError if there is none."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in CATALOGUE)
    raise HarnessError(f"there is no image set {name!r}; there are {names}")


FASHION_MNIST_FILES = (
    ("train-images-idx3-ubyte.gz", 26_421_880,
     "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    ("train-labels-idx1-ubyte.gz", 29_515,
     "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    ("t10k-images-idx3-ubyte.gz", 4_422_102,
     "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    ("t10k-labels-idx1-ubyte.gz", 5_148,
     "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)  # fmt: skip

CATALOGUE = (
    KnownImageSet(
        name="fashion-mnist",
        summary="70,000 grey 28×28 images of clothes in ten classes, 10,000 of them for tests.",
        files=tuple(name for name, _, _ in FASHION_MNIST_FILES),
        size="31 MB, 55 MB unpacked",
        licence="MIT, © Zalando SE",
        published=ZALANDO,
        obtain="`harness data fetch fashion-mnist`; Debian's package dataset-fashion-mnist "
        f"installs it under {fashion_mnist.DEBIAN}",
        layout=", ".join(fashion_mnist.PUBLISHED),
        installed=(fashion_mnist.DEBIAN,),
        downloads=tuple(
            Download(name, f"{ZALANDO_FILES}/{name}", size, f"sha256:{checksum}")
            for name, size, checksum in FASHION_MNIST_FILES
        ),
    ),
    KnownImageSet(
        name="fashion-mnist-sample",
        summary="100 of Fashion-MNIST's test images, ten of each class.",
        files=("images-idx3-ubyte.gz", "sample.csv"),
        size="44 kB",
        licence="MIT, © Zalando SE",
        published=ZALANDO,
        obtain="comes with the harness: --images fashion-mnist-sample",
        layout="images-idx3-ubyte.gz, sample.csv",
    ),
)
