"""Clusters over their images: figures 4.7 to 4.13, A.6."""

import numpy as np
import pandas

import harness
from harness import Image, Integers
from harness.command import Patched, best_unions, gallery, numbered, panels, side_by_side
from harness_plugins.thesis.reproduction.exhibit import Output, patch_table
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import (
    LOUVAIN,
    MissingRequirementError,
    Study,
    method,
)


def images_shown(study: Study) -> Output:
    """The images that the other figures show."""
    images = [(image.key, image.pixels) for image in study.shown]
    table = pandas.DataFrame({"image": [image.key for image in study.shown]})
    return Output({"figure-4.7": table}, {"figure-4.7": gallery(images, title="Images shown")})


def random_image(study: Study) -> Output:
    """A random image, as the controls draw it."""
    drawn = harness.image_control("uniform-noise").draw(study.image(0), seed=0)
    return Output({}, {"figure-4.13": gallery([("", drawn.pixels)], title="A random image")})


def louvain_panels(study: Study, number: int, name: str) -> Output:
    """One panel per cluster that Louvain finds in a shown image."""
    image = study.image(number)
    labels, accepted = _chosen(study, image, LOUVAIN)
    doubt = "" if accepted else " (no stable phase: the candidate)"
    on = Patched.of(image.pixels, study.grid)
    figure = panels(on, labels, title=f"{image.key}: Louvain's clusters{doubt}")
    return Output({name: patch_table(study.grid, {"cluster": labels})}, {name: figure})


def all_methods(study: Study) -> Output:
    """The clusters of every method in the first image shown."""
    image, name = study.image(0), "figure-A.6"
    partitions = {
        method(clusterer): _chosen(study, image, clusterer)[0]
        for clusterer in map(str, study.thesis_selections["clusterer"].unique())
    }
    on = Patched.of(image.pixels, study.grid)
    figure = side_by_side(on, list(partitions.items()), title=image.key)
    return Output({name: patch_table(study.grid, partitions)}, {name: figure})


def two_counts(study: Study) -> Output:
    """Louvain's clusters where it finds k and where it finds more, clusters against unions."""
    image, first, second = _image_of_two_counts(study)
    table = pandas.DataFrame(
        [
            {
                "cluster": union.label,
                "patches": union.size,
                "best union": " + ".join(map(str, union.union)) or "none",
                "union patches": union.union_size,
                "shared": union.shared,
                "Jaccard": union.jaccard,
            }
            for union in best_unions(first, second)
        ]
    )
    partitions = [(f"{_count(labels)} clusters", labels) for labels in (first, second)]
    on = Patched.of(image.pixels, study.grid)
    figure = side_by_side(on, partitions, title=image.key)
    return Output(
        {"figure-4.12": table, "figure-4.12-thesis": published("figure-4.12")},
        {"figure-4.12": figure},
        (
            "The first image shown in which Louvain finds two numbers of clusters; k is the "
            "smaller number. Each partition is that of the first threshold with its number.",
        ),
    )


def _image_of_two_counts(study: Study) -> tuple[Image, Integers, Integers]:
    points = study.thesis_points
    observed = points[(points["role"] == "observed") & (points["clusterer"] == LOUVAIN)]
    for image in study.shown:
        found = observed[(observed["image"] == image.key) & (observed["n_clusters"] >= 2)]
        counts = sorted({int(count) for count in found["n_clusters"]})
        if len(counts) > 1:
            first, second = (
                numbered(found[found["n_clusters"] == count]["labels"].iloc[0])
                for count in counts[:2]
            )
            return image, first, second
    raise MissingRequirementError(
        "needs an image with two numbers of clusters (at least two) under Louvain"
    )


def _count(labels: Integers) -> int:
    sizes = np.bincount(labels[labels >= 0])
    return int((sizes > 1).sum())


def _chosen(study: Study, image: Image, clusterer: str) -> tuple[Integers, bool]:
    """The numbered labels at the level that the thesis' rule selects, and whether it accepts it."""
    chosen = study.thesis_selections
    row = chosen[(chosen["image"] == image.key) & (chosen["clusterer"] == clusterer)].iloc[0]
    points = study.thesis_points
    at = points[(points["cell"] == row["cell"]) & (points["point"] == row["candidate"])].iloc[0]
    return numbered(at["labels"]), bool(row["accepted"])
