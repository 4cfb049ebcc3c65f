"""Six photos that scikit-learn and scikit-image bring, as files that `harness run` reads.

    pip install scikit-image
    python benchmarks/photos.py OUT

Writes OUT/NAME.png: two of scikit-learn's samples, four of scikit-image's, each at its own size.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_images

OF_SCIKIT_IMAGE = ("astronaut", "chelsea", "coffee", "rocket")


def photos() -> Iterator[tuple[str, Image.Image]]:
    """Each photo by name."""
    samples = load_sample_images()
    for path, pixels in zip(samples.filenames, samples.images, strict=True):
        yield Path(path).stem, Image.fromarray(pixels)
    for name in OF_SCIKIT_IMAGE:
        yield name, Image.fromarray(getattr(skimage.data, name)())


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, photo in photos():
        photo.save(out / f"{name}.png")


if __name__ == "__main__":
    main()
