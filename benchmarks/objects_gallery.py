"""The clusters of the photos that `objects.py` shows: best, median and worst by name.

None of the photos' pixels is in them: clusters are numbers of patches, and the mask is the share of
each patch that is foreground.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas

import harness
from harness.analysis.masks import Masks
from harness.metrics.baselines import PatchPixels
from harness.metrics.foreground import Objects

GRID = (16, 16)
EACH = 3


class Shown(NamedTuple):
    """A column of the gallery: the method's title, and what names it in a run."""

    title: str
    maps: str
    graph: str
    method: str
    selector: str


UNPRUNED = "fixed[level=0.0]"
CHOSEN_BY = Shown("attention, Louvain", "attention", "threshold", "louvain", UNPRUNED)
INFOMAP = Shown("attention, Infomap", "attention", "threshold", "infomap", UNPRUNED)
COLUMNS = (
    CHOSEN_BY,
    INFOMAP,
    Shown("attention, SDP at .8", "attention", "threshold", "sdp", "fixed[level=0.8]"),
    Shown(
        "attention, two-way cut", "attention", "symmetrised[by=coupling]", "ncut[clusters=2]",
        UNPRUNED,
    ),
    Shown("keys, Louvain", "keys", "threshold", "louvain", UNPRUNED),
    Shown(
        "tokens, TokenCut's rule", "tokens", "threshold[self_loops=true]",
        "ncut[clusters=2,split=mean,threshold=0.2]", UNPRUNED,
    ),
)  # fmt: skip


def chosen_photos(table: pandas.DataFrame) -> dict[str, list[str]]:
    """The photos with the best, median and worst ARI of Louvain, of those that Infomap had too."""
    of_it = _rows(table, CHOSEN_BY)
    of_it = of_it[of_it.photo.isin(_rows(table, INFOMAP).photo)]
    in_order = of_it.sort_values(["ari", "photo"]).photo.tolist()
    middle = (len(in_order) - EACH) // 2
    return {
        "best": in_order[::-1][:EACH],
        "median": in_order[middle : middle + EACH],
        "worst": in_order[:EACH],
    }


def gallery(folders: Sequence[Path], ecssd: Path, table: pandas.DataFrame) -> list[dict[str, Any]]:
    """The mask and the clusters of each photo that is shown, as values of JSON."""
    chosen = chosen_photos(table)
    labels = _labels(folders, [photo for photos in chosen.values() for photo in photos])
    masks = Masks(harness.make("image set", f"folder[path={ecssd / 'ground_truth_mask'}]"), "")
    images = harness.make("image set", f"folder[path={ecssd / 'images'}]")
    shown = []
    for rank, photos in chosen.items():
        for photo in photos:
            image = images.load(f"{photo}.jpg")
            objects = Objects.on(masks.mask(image), GRID)
            clusters = {
                column.title: labels[photo, column].tolist()
                for column in COLUMNS
                if (photo, column) in labels
            }
            k = len(np.unique(clusters[CHOSEN_BY.title]))
            clusters["pixels, k-means"] = (
                PatchPixels.on(image.pixels, GRID).kmeans(k, seed=0).tolist()
            )
            of_it = table[table.photo == photo]
            ari = {column.title: _ari(of_it, column) for column in COLUMNS}
            shown.append(
                {
                    "rank": rank,
                    "photo": f"{photo}.jpg",
                    "mask": objects.foreground.round(3).tolist(),
                    "clusters": clusters,
                    "ari": ari,
                }
            )
    return shown


def _rows(table: pandas.DataFrame, column: Shown) -> pandas.DataFrame:
    key = ["maps", "graph", "method", "selector"]
    return table[~table.shuffled & (table[key] == list(column[1:])).all(axis=1)]


def _ari(table: pandas.DataFrame, column: Shown) -> float | None:
    found = _rows(table, column).ari
    return round(float(found.iloc[0]), 3) if len(found) else None


def _labels(folders: Sequence[Path], photos: Sequence[str]) -> dict[tuple[str, Shown], np.ndarray]:
    """The labels that each column's method has on each of the photos, where a run has them."""
    found = {}
    for folder in folders:
        run = harness.open_run(folder)
        if "shuffled" in run.settings()["images"][0]:
            continue
        chosen = run.selections().query("role == 'observed'")
        chosen = chosen[chosen.image.str.split(".").str[0].isin(photos)]
        for column in COLUMNS:
            wanted = chosen[
                (chosen.graph == column.graph)
                & (chosen.clusterer == column.method)
                & (chosen.selector == column.selector)
                & chosen.extractor.map(lambda each, maps=column.maps: _shows(each, maps))
            ]
            if wanted.empty:
                continue
            points = run.points().merge(
                wanted[["cell", "candidate"]],
                left_on=["cell", "point"],
                right_on=["cell", "candidate"],
            )
            for image, labels in zip(points.image, points.labels, strict=True):
                found[image.split(".")[0], column] = np.asarray(labels)
    return found


def _shows(extractor: str, maps: str) -> bool:
    return ("heads=[mean]" if maps == "attention" else f"of={maps}") in extractor
