"""The image sets known by name: what they are and how to get them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import HarnessError
from harness_plugins.datasets import cifar10, cinic10, fashion_mnist, tf_flowers

ZALANDO = "https://github.com/zalandoresearch/fashion-mnist"
ZALANDO_FILES = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"


@dataclass(frozen=True)
class Download:
    """A published file: its address, size in bytes, and checksum as `sha256:…` or `md5:…`."""

    name: str
    url: str
    size: int
    checksum: str


@dataclass(frozen=True)
class Archive:
    """The contents of a set's tar file.

    `root` is the folder in it that becomes the set's folder, "" for the whole archive. An archive
    with more members or more unpacked bytes than given here is refused.
    """

    root: str
    most_members: int
    most_bytes: int


@dataclass(frozen=True)
class KnownImageSet:
    """What is known about an image set.

    `size` is the size of the published files; `parts` are the files and folders that its folder
    must contain; `installed` are other folders to look in; `downloads` are the files to fetch.
    """

    name: str
    summary: str
    files: Sequence[str]
    size: str
    licence: str
    published: str
    obtain: str
    parts: tuple[str, ...]
    installed: tuple[Path, ...] = ()
    downloads: tuple[Download, ...] = ()
    archive: Archive | None = None

    def missing(self, folder: Path) -> list[str]:
        """The parts that a folder does not contain, neither as named nor gzipped."""
        return [
            part
            for part in self.parts
            if not (folder / part).exists() and not (folder / f"{part}.gz").exists()
        ]


def known(name: str) -> KnownImageSet:
    """The set of this name; raises HarnessError if there is none."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in CATALOGUE)
    raise HarnessError(f"there is no image set {name!r}; there are {names}")


def fetched() -> tuple[str, ...]:
    """The names of the sets that can be fetched."""
    return tuple(entry.name for entry in CATALOGUE if entry.downloads)


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
        parts=tuple(fashion_mnist.PUBLISHED),
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
        parts=("images-idx3-ubyte.gz", "sample.csv"),
    ),
    KnownImageSet(
        name="cifar10",
        summary="60,000 colour images of 32×32 in ten classes, 10,000 of them for tests; the "
        "binary version.",
        files=tuple(name for names in cifar10.FILES.values() for name in names),
        size="170 MB, 184 MB unpacked",
        licence="none stated; cite Krizhevsky 2009",
        published="https://www.cs.toronto.edu/~kriz/cifar.html",
        obtain="`harness data fetch cifar10`",
        parts=tuple(name for names in cifar10.FILES.values() for name in names),
        downloads=(
            Download(
                "cifar-10-binary.tar.gz",
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                170_052_171,
                "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        archive=Archive("cifar-10-batches-bin", most_members=100, most_bytes=200_000_000),
    ),
    KnownImageSet(
        name="cinic10",
        summary="270,000 colour images of 32×32 in CIFAR-10's ten classes, 90,000 per split. "
        "It contains all of CIFAR-10, spread over its splits: do not test on one a "
        "model trained on the other.",
        files=tuple(f"{part}/CLASS/*.png" for part in cinic10.FOLDERS.values()),
        size="688 MB",
        licence="CC BY 4.0; the images are CIFAR-10's and ImageNet's, with their terms",
        published="https://datashare.ed.ac.uk/handle/10283/3192",
        obtain="`harness data fetch cinic10`",
        parts=tuple(cinic10.FOLDERS.values()),
        downloads=(
            Download(
                "CINIC-10.tar.gz",
                "https://datashare.is.ed.ac.uk/bitstream/handle/10283/3192/CINIC-10.tar.gz",
                687_544_992,
                "md5:6ee4d0c996905fe93221de577967a372",
            ),
        ),
        archive=Archive("", most_members=300_000, most_bytes=1_500_000_000),
    ),
    KnownImageSet(
        name="tf-flowers",
        summary="3,670 photos of flowers in five classes, of many sizes; no official split.",
        files=tuple(f"{name}/*.jpg" for name in tf_flowers.CLASSES),
        size="229 MB",
        licence="CC BY 2.0, by the authors that LICENSE.txt names",
        published="https://www.tensorflow.org/datasets/catalog/tf_flowers",
        obtain="`harness data fetch tf-flowers`",
        parts=tf_flowers.CLASSES,
        downloads=(
            Download(
                "flower_photos.tgz",
                "http://download.tensorflow.org/example_images/flower_photos.tgz",
                228_813_984,
                "sha256:4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
            ),
        ),
        archive=Archive("flower_photos", most_members=5_000, most_bytes=500_000_000),
    ),
    KnownImageSet(
        name="flowers-sample",
        summary="20 of tf-flowers' test photos, four of each class, the thesis' pictures included.",
        files=(*(f"{name}/*.jpg" for name in tf_flowers.CLASSES), "sample.csv"),
        size="0.7 MB",
        licence="CC BY 2.0, by the authors that sample.csv names",
        published="https://www.tensorflow.org/datasets/catalog/tf_flowers",
        obtain="comes with the harness: --images flowers-sample",
        parts=(*tf_flowers.CLASSES, "sample.csv"),
    ),
)
