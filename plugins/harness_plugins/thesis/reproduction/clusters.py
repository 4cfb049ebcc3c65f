"""Clusters over their images: figures 4.7 to 4.13, A.6."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

import harness
from harness import Image, Integers
from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import (
    LOUVAIN,
    MissingRequirementError,
    Study,
    method,
)

if TYPE_CHECKING:
    import pandas


def images_shown(study: Study) -> Made:
    """The images that the other figures show."""
    import pandas

    from harness.command import gallery

    images = [(image.key, image.pixels) for image in study.shown]
    table = pandas.DataFrame({"image": [image.key for image in study.shown]})
    return Made({"figure-4.7": table}, {"figure-4.7": gallery(images, title="Images shown")})


def random_image(study: Study) -> Made:
    """A random image, as the controls are."""
    from harness.command import gallery

    control = harness.make("control", "uniform-noise")
    drawn = control.draw(study.shown[0], seed=0)
    return Made({}, {"figure-4.13": gallery([("", drawn.pixels)], title="A random image")})


def panels_of(place: int, name: str) -> Callable[[Study], Made]:
    """One panel a cluster that Louvain finds in the image shown at that place."""

    def make(study: Study) -> Made:
        from harness.command import panels

        image = _image(study, place)
        labels, accepted = _chosen(study, image, LOUVAIN)
        doubt = "" if accepted else " (no stable phase: the candidate)"
        figure = panels(
            image.pixels, _grid(study), labels, title=f"{image.key}: Louvain's clusters{doubt}"
        )
        return Made({name: _labels_table(study, labels)}, {name: figure})

    return make


def all_methods(study: Study) -> Made:
    """The clusters of every method in the first image shown."""
    from harness.command import side_by_side

    image = _image(study, 0)
    chosen = study.thesis_selections
    partitions = [
        (method(str(clusterer)), _chosen(study, image, str(clusterer))[0])
        for clusterer in chosen["clusterer"].unique()
    ]
    figure = side_by_side(image.pixels, _grid(study), partitions, title=image.key)
    table = _labels_table(study, partitions[0][1]).drop(columns="cluster")
    for name, labels in partitions:
        table[name] = labels
    return Made({"figure-A.6": table}, {"figure-A.6": figure})


def two_counts(study: Study) -> Made:
    """Louvain's clusters where it finds k and where it finds more, cluster against unions."""
    import pandas

    from harness.command import best_unions, side_by_side

    image, first, second = _image_of_two_counts(study)
    unions = best_unions(first, second)
    table = pandas.DataFrame(
        [
            {
                "cluster": union.label,
                "patches": union.size,
                "best union": " + ".join(map(str, union.union)) or "none",
                "its patches": union.union_size,
                "shared": union.shared,
                "Jaccard": union.jaccard,
            }
            for union in unions
        ]
    )
    thesis = pandas.DataFrame(
        [{"thesis": each.what, "value": each.value} for each in published("figure-4.12")]
    )
    names = [f"{_count(labels)} clusters" for labels in (first, second)]
    figure = side_by_side(
        image.pixels, _grid(study), list(zip(names, (first, second), strict=True)), title=image.key
    )
    return Made(
        {"figure-4.12": table, "figure-4.12-thesis": thesis},
        {"figure-4.12": figure},
        (
            "Of the images shown the first in which Louvain finds two numbers of clusters, k being "
            "the smaller; each at the first threshold at which it finds as many.",
        ),
    )


def _image_of_two_counts(study: Study) -> tuple[Image, Integers, Integers]:
    points = study.thesis_points
    observed = points[(points["role"] == "observed") & (points["clusterer"] == LOUVAIN)]
    for image in study.shown:
        of = observed[(observed["image"] == image.key) & (observed["n_clusters"] >= 2)]
        counts = sorted({int(count) for count in of["n_clusters"]})
        if len(counts) > 1:
            first, second = (
                np.asarray(of[of["n_clusters"] == count]["labels"].iloc[0], dtype=np.int64)
                for count in counts[:2]
            )
            return image, first, second
    raise MissingRequirementError(
        "no image shown has two numbers of clusters (at least two) under Louvain"
    )


def _count(labels: Integers) -> int:
    sizes = np.bincount(labels[labels >= 0])
    return int((sizes > 1).sum())


def _image(study: Study, place: int) -> Image:
    if place >= len(study.shown):
        raise MissingRequirementError(f"needs {place + 1} images; {len(study.shown)} are shown")
    return study.shown[place]


def _chosen(study: Study, image: Image, clusterer: str) -> tuple[Integers, bool]:
    """Labels where the thesis' rule chose, and whether it holds that they are clusters."""
    chosen = study.thesis_selections
    row = chosen[(chosen["image"] == image.key) & (chosen["clusterer"] == clusterer)].iloc[0]
    points = study.thesis_points
    at = points[(points["cell"] == row["cell"]) & (points["point"] == row["candidate"])].iloc[0]
    return np.asarray(at["labels"], dtype=np.int64), bool(row["accepted"])


def _grid(study: Study) -> tuple[int, int]:
    return study.one_head.model.settings.grid


def _labels_table(study: Study, labels: Integers) -> "pandas.DataFrame":
    import pandas

    _, columns = _grid(study)
    patches = np.arange(len(labels))
    return pandas.DataFrame(
        {"row": patches // columns, "column": patches % columns, "cluster": labels}
    )
