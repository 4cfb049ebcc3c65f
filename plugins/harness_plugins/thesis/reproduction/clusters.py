"""Clusters over their images: figures 4.8 to 4.13, A.6."""

import numpy as np
import pandas

import harness
from harness import Image, Integers
from harness.command import Patched, best_unions, gallery, numbered, panels, side_by_side
from harness_plugins.thesis.reproduction.deviations import differs
from harness_plugins.thesis.reproduction.exhibit import Output, patch_table
from harness_plugins.thesis.reproduction.published import PICTURES, printed, published
from harness_plugins.thesis.reproduction.study import (
    LOUVAIN,
    MissingRequirementError,
    Study,
    method,
)

# The position of Tulips among the thesis' pictures.
TULIPS = list(PICTURES.values()).index("Tulips")
SUNFLOWER = "The thesis' three clusters are ray florets, disk florets and background."
ROSE_2 = "The thesis finds no useful clusters here."


def images_shown(study: Study) -> Output:
    """The images that the other figures show."""
    images = [(study.called(image.key), image.pixels) for image in study.shown]
    table = pandas.DataFrame(
        [{"image": study.called(image.key), "key": image.key} for image in study.shown]
    )
    return Output(
        {"images": table},
        {"images-shown": gallery(images, title="Images shown", width=study.width)},
    )


def random_image(study: Study) -> Output:
    """A random image, as the controls draw it."""
    drawn = harness.image_control("uniform-noise").draw(study.image(0), seed=0)
    return Output(
        {},
        {"figure-4.13": gallery([("", drawn.pixels)], title="A random image", width=study.width)},
    )


def louvain_panels(study: Study, number: int, name: str) -> Output:
    """One panel per cluster that Louvain finds in a shown image."""
    image = study.image(number)
    labels, accepted = _chosen(study, image, LOUVAIN)
    doubt = "" if accepted else " (no stable phase: the candidate)"
    on = Patched.of(image.pixels, study.grid)
    called = study.called(image.key)
    figure = panels(on, labels, title=f"{called}: Louvain's clusters{doubt}", width=study.width)
    table = patch_table(study.grid, {"cluster": labels})
    return Output({name: table}, {name: figure}, _beside(study, called, labels), called)


def _beside(study: Study, called: str, labels: Integers) -> tuple[str, ...]:
    """How many clusters there are, and how many the thesis found; nothing for other images."""
    given = printed("table-4.3", called, "Louvain") if study.pictures else {}
    if not given:
        return ()
    return (
        f"Clusters here: {_count(labels)}; the thesis: {given['clusters']}. {differs(study)}",
        *((SUNFLOWER,) if called == "Sunflower" else ()),
        *((ROSE_2,) if called == "Rose 2" else ()),
    )


def all_methods(study: Study) -> Output:
    """The clusters of every method in one image: Tulips, or else the first image shown."""
    image, name = study.image(TULIPS if study.pictures else 0), "figure-A.6"
    called = study.called(image.key)
    partitions = {
        method(clusterer): _chosen(study, image, clusterer)[0]
        for clusterer in map(str, study.thesis_selections["clusterer"].unique())
    }
    on = Patched.of(image.pixels, study.grid)
    figure = side_by_side(on, list(partitions.items()), title=called, width=study.width)
    remarks = (
        (f"The thesis' figure shows Infomap's clusters alone. {differs(study)}",)
        if study.pictures
        else ()
    )
    return Output({name: patch_table(study.grid, partitions)}, {name: figure}, remarks, called)


def two_counts(study: Study) -> Output:
    """Louvain's clusters where it finds k and where it finds more, clusters against unions."""
    image, first, second = _image_of_two_counts(study)
    called, unions = study.called(image.key), best_unions(first, second)
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
            for union in unions
        ]
    )
    partitions = [(f"{_count(labels)} clusters", labels) for labels in (first, second)]
    on = Patched.of(image.pixels, study.grid)
    figure = side_by_side(on, partitions, title=called, width=study.width)
    indices = [union.jaccard for union in unions]
    chosen = (
        "Tulips, as in the thesis, with 3 and 4 clusters, or else the two smallest numbers"
        if called == "Tulips"
        else "The first image shown with two numbers of clusters; the smaller two are compared"
    )
    return Output(
        {"figure-4.12-unions": table, "figure-4.12-thesis": published("figure-4.12")},
        {"figure-4.12": figure},
        (
            f"{chosen}. Each partition is that of the first threshold with its number.",
            f"Jaccard indices here: {min(indices):.3f} to {max(indices):.3f}; the thesis': .962 "
            "to .983. Clusters are numbered by size here, so numbers do not correspond. "
            f"{differs(study)}",
        ),
        called,
    )


def _image_of_two_counts(study: Study) -> tuple[Image, Integers, Integers]:
    shown = study.shown
    if study.pictures:
        shown = [shown[TULIPS], *shown[:TULIPS], *shown[TULIPS + 1 :]]
    for image in shown:
        if found := partitions_of_two_counts(study, image.key):
            return image, *found
    raise MissingRequirementError(
        "needs an image with two numbers of clusters (at least two) under Louvain"
    )


def partitions_of_two_counts(study: Study, key: str) -> tuple[Integers, Integers] | None:
    """Louvain's numbered labels in an image at the two smallest numbers of clusters.

    In the thesis' pictures at 3 and 4 clusters, the thesis' numbers, if Louvain finds both.
    """
    points = study.thesis_points
    is_observed = (points["role"] == "observed") & (points["clusterer"] == LOUVAIN)
    found = points[is_observed & (points["image"] == key) & (points["n_clusters"] >= 2)]
    counts = sorted({int(count) for count in found["n_clusters"]})
    if len(counts) < 2:
        return None
    chosen = (3, 4) if study.pictures and {3, 4} <= set(counts) else counts[:2]
    first, second = (
        numbered(found[found["n_clusters"] == count]["labels"].iloc[0]) for count in chosen
    )
    return first, second


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
