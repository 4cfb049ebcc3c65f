"""Makes the shipped sample: the first ten test images of each class of Fashion-MNIST.

    python benchmarks/make_fashion_mnist_sample.py DATA_FOLDER OUTPUT_FOLDER

They are ordered so that every ten in a row hold each class once. `sample.csv` keeps each
image's index in the test set and its label.
"""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

from harness_plugins.datasets import fashion_mnist
from harness_plugins.datasets.verification import verify

PER_CLASS = 10


def main() -> None:
    """Read the test set and write the sample."""
    data, output = map(Path, sys.argv[1:])
    if any(problem for _, problem in verify("fashion-mnist", data)):
        sys.exit(f"{data}: not the published Fashion-MNIST")
    images, labels = fashion_mnist.load(data, "test")
    classes = range(len(fashion_mnist.CLASSES))
    by_class = [np.flatnonzero(labels == label)[:PER_CLASS] for label in classes]
    chosen = np.array(by_class).T.ravel()
    images = images[chosen]
    header = bytes([0, 0, 8, images.ndim]) + b"".join(
        size.to_bytes(4, "big") for size in images.shape
    )
    output.mkdir(parents=True, exist_ok=True)
    # Without a time of its own, so that the same input gives the same bytes.
    content = gzip.compress(header + images.tobytes(), mtime=0)
    (output / "images-idx3-ubyte.gz").write_bytes(content)
    with (output / "sample.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["index", "label"])
        writer.writerows(zip(chosen.tolist(), labels[chosen].tolist(), strict=True))


if __name__ == "__main__":
    main()
