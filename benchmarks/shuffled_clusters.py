"""Do clusters follow patches when the patches of an image change places?

    python benchmarks/shuffled_clusters.py RUN OUT IMAGE [IMAGE …]

The patches of every image of a run are shuffled, as the model sees them. The shuffled image is
clustered by the run's first method at the level that the thesis' rule chose on the image itself.
Then each patch's cluster is put back where the patch came from. OUT/shuffled-clusters.csv has, for
each image, the adjusted mutual information of the image's clusters with others: `content`, those of
the shuffled image, put back; `position`, these, left in their places; `seed`, the image's own with
another seed, the most that can be expected. `attention` is the correlation of the logits of the
shuffled image's attention, put back, with the image's. The named images are drawn to
OUT/shuffled-clusters.png.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas
from all_flowers_figures import THESIS
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from PIL import Image as Pictures
from plots import PAGE, SETTINGS

import harness
from harness.metrics.inference import bootstrap_interval
from harness.metrics.information import adjusted_mutual_information
from harness.metrics.matching import match
from harness.views.colours import UNASSIGNED_COLOUR, colour

OTHER_SEED = 1
DOTS = 110
FIGURES = ("content", "position", "seed", "attention")
TITLES = ("photo", "its clusters", "patches shuffled", "clusters of these", "put back")


@dataclass(frozen=True, eq=False)
class Shuffled:
    """An image of the model's size, its patches in another order, and the clusters of both.

    order: which patch of the image lies at each place of the shuffled one; clusters, moved: labels
    (patches,) of the image, and of the shuffled one in its own places; figures: by their names.
    """

    image: harness.Image
    shuffled: harness.Image
    order: NDArray[np.intp]
    grid: tuple[int, int]
    clusters: harness.Integers
    moved: harness.Integers
    figures: dict[str, float]

    @property
    def back(self) -> harness.Integers:
        """The shuffled image's clusters, where their patches came from."""
        return _put_back(self.moved, self.order)


def shuffled(run: harness.Run) -> Iterator[Shuffled]:
    """Shuffle and cluster every image of the run."""
    settings = run.settings()
    extractor, spec = harness.extractor(settings["extractors"][0]), settings["images"][0]
    method, builder = (settings[name][0] for name in ("clusterers", "graphs"))
    images = harness.image_set(spec)
    selections = run.selections().dropna(subset="level")
    by_thesis = (selections["clusterer"] == method) & (selections["selector"] == THESIS)
    for row in selections[by_thesis].itertuples():
        photo = images.load(row.image)
        grid = extractor.patches(photo).grid
        image = _resized(photo, _size(extractor))
        order = np.random.default_rng(row.seed).permutation(grid[0] * grid[1])
        moved = harness.Image(image.key, _rearranged(image.pixels, order, grid), image.label)
        one, other = extractor.extract([image, moved])
        first, again = (
            _clusters(one, row.level, builder, method, seed) for seed in (row.seed, OTHER_SEED)
        )
        second = _clusters(other, row.level, builder, method, row.seed)
        figures = {
            "content": adjusted_mutual_information(first, _put_back(second, order)),
            "position": adjusted_mutual_information(first, second),
            "seed": adjusted_mutual_information(first, again),
            "attention": _correlation(one.weights, other.weights, order),
        }
        yield Shuffled(image, moved, order, grid, first, second, figures)


def _size(extractor: harness.Extractor) -> tuple[int, int]:
    """The pixels that the model sees, (height, width): those whose patches are whole pixels."""
    from harness_plugins.thesis.vit.checkpoint import load
    from harness_plugins.thesis.vit.files import checkpoint_file

    settings = load(checkpoint_file(extractor.checkpoint)).model.settings
    return settings.height, settings.width


def _resized(image: harness.Image, size: tuple[int, int]) -> harness.Image:
    picture = Pictures.fromarray(image.pixels).resize(size[::-1], Pictures.Resampling.LANCZOS)
    return harness.Image(image.key, np.array(picture), image.label)


def _rearranged(
    pixels: NDArray[np.uint8], order: NDArray[np.intp], grid: tuple[int, int]
) -> NDArray[np.uint8]:
    (rows, columns), (height, width, channels) = grid, pixels.shape
    high, wide = height // rows, width // columns
    patches = pixels.reshape(rows, high, columns, wide, channels).swapaxes(1, 2)
    moved = patches.reshape(rows * columns, high, wide, channels)[order]
    laid = moved.reshape(rows, columns, high, wide, channels).swapaxes(1, 2)
    return np.ascontiguousarray(laid.reshape(pixels.shape))


def _put_back(values: harness.Integers, order: NDArray[np.intp]) -> harness.Integers:
    back = np.empty_like(values)
    back[order] = values
    return back


def _clusters(
    attention: harness.AttentionMap, level: float, builder: str, method: str, seed: int
) -> harness.Integers:
    (graph,) = harness.graph_builder(builder).build(attention, np.array([level]))
    return np.asarray(harness.clusterer(method).cluster(graph.at_safe_scale(), seed=seed))


def _correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], order: NDArray[np.intp]
) -> float:
    """Pearson's, of the logits of all pairs of two patches."""
    back = np.empty_like(second)
    back[np.ix_(order, order)] = second
    pairs = ~np.eye(len(first), dtype=bool)
    return float(np.corrcoef(np.log(first[pairs]), np.log(back[pairs]))[0, 1])


def draw(found: Sequence[Shuffled]) -> plt.Figure:
    """A row an image; a cluster that follows its patches keeps its colour."""
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(
            len(found),
            len(TITLES),
            squeeze=False,
            figsize=(PAGE, 1.42 * len(found) + 0.3),
            layout="constrained",
        )
        for row, each in zip(axes, found, strict=True):
            names = _matched(each.clusters, each.back)
            renamed = np.array([names.get(label, label) for label in each.moved.tolist()])
            back = _put_back(renamed, each.order)
            pictures = (
                each.image.pixels,
                _painted(each.image, each.clusters, each.grid),
                each.shuffled.pixels,
                _painted(each.shuffled, renamed, each.grid),
                _painted(each.image, back, each.grid),
            )
            for panel, picture in zip(row, pictures, strict=True):
                panel.imshow(picture)
                panel.set_xticks([])
                panel.set_yticks([])
            row[0].set_ylabel(each.image.key.partition("/")[0])
            row[-1].set_xlabel(f"AMI {each.figures['content']:.2f}")
        for panel, title in zip(axes[0], TITLES, strict=True):
            panel.set_title(title)
    return figure


def _matched(first: harness.Integers, second: harness.Integers) -> dict[int, int]:
    """New labels of the second partition: those of the first's clusters that correspond to them."""
    spare = int(first.max()) + 1
    names = {label: spare + label for label in np.unique(second[second >= 0]).tolist()}
    for each in match(first, second).correspondences:
        if each.first:
            names |= dict.fromkeys(each.second, each.first[0])
    return names


def _painted(
    image: harness.Image, labels: harness.Integers, grid: tuple[int, int]
) -> NDArray[np.float64]:
    """The image in grey, each patch in the colour of its cluster."""
    sizes = np.bincount(labels[labels >= 0])
    colours = np.array(
        [
            colour(label) if label >= 0 and sizes[label] > 1 else UNASSIGNED_COLOUR
            for label in labels.tolist()
        ]
    )
    high, wide = image.pixels.shape[0] // grid[0], image.pixels.shape[1] // grid[1]
    laid = colours.reshape(*grid, 3).repeat(high, axis=0).repeat(wide, axis=1)
    grey = image.pixels.mean(axis=2, keepdims=True) / 255
    return np.asarray(0.4 * grey + 0.6 * laid)


def main() -> None:
    """Shuffle the images of the run and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    arguments = parser.parse_args()
    found = {each.image.key: each for each in shuffled(harness.open_run(arguments.run))}
    table = pandas.DataFrame([{"image": name} | each.figures for name, each in found.items()])
    arguments.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.out / "shuffled-clusters.csv", index=False, float_format="%.4g")
    figure = draw([found[name] for name in arguments.images])
    figure.savefig(arguments.out / "shuffled-clusters.png", dpi=DOTS)
    for name in FIGURES:
        values = table[name].to_numpy()
        low, high = bootstrap_interval(values)
        print(f"{name}: {values.mean():.3f} ({low:.3f}…{high:.3f}), {len(values)} images")


if __name__ == "__main__":
    main()
