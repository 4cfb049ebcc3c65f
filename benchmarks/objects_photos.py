"""Folders of ECSSD's photos that the runs of the object study read.

    python benchmarks/objects_photos.py ECSSD OUT

ECSSD has the photos (images/0001.jpg …) and their masks (ground_truth_mask/0001.png …). Photos
are chosen by the number in their name. OUT gets copies: modulo-0 … modulo-4, two hundred photos
each, by the remainder of the number by five; modulo-0 is the first to be run. 150 and 30, both of
modulo-0: the numbers whose remainder by twenty is 0, 5 or 10, and those that end in 00, 40 or 80.
shuffled and shuffled-masks have the 150 photos and their masks with the 16×16 patches of a model
in random order, the same for a photo and its mask.
"""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import harness
from harness import Patches

GRID = (16, 16)


def folders(photos: Mapping[int, Path]) -> dict[str, list[Path]]:
    """The photos of each folder of copies."""
    chosen = {f"modulo-{rest}": [each for each in photos if each % 5 == rest] for rest in range(5)}
    chosen["150"] = [each for each in photos if each % 20 in (0, 5, 10)]
    chosen["30"] = [each for each in photos if each % 100 in (0, 40, 80)]
    return {name: [photos[each] for each in numbers] for name, numbers in chosen.items()}


def shuffled(image: harness.Image, seed: int) -> harness.Image:
    """An image with its patches in a random order that depends on its size and the seed."""
    on_grid = replace(image, patches=Patches.on(image.pixels.shape[:2], GRID, None))
    control: harness.ImageControl = harness.make("control", "shuffled-patches")
    return control.draw(on_grid, seed=seed)


def main() -> None:
    """Write the folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ecssd", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    photos = {int(each.stem): each for each in sorted((arguments.ecssd / "images").glob("*.jpg"))}
    chosen = folders(photos)
    for name, paths in chosen.items():
        (arguments.out / name).mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(path, arguments.out / name / path.name)
    masks = arguments.ecssd / "ground_truth_mask"
    for name, source, ending in (
        ("shuffled", chosen["150"][0].parent, ".jpg"),
        ("shuffled-masks", masks, ".png"),
    ):
        files = harness.make("image set", f"folder[path={source}]")
        (arguments.out / name).mkdir(exist_ok=True)
        for path in chosen["150"]:
            drawn = shuffled(files.load(path.stem + ending), seed=int(path.stem))
            Image.fromarray(np.squeeze(drawn.pixels)).save(
                arguments.out / name / f"{path.stem}.png"
            )


if __name__ == "__main__":
    main()
