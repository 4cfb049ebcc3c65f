"""Modularity and number of clusters by threshold: figures 4.7, 4.14, A.1 to A.5; table 4.3."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas

from harness import Integers
from harness.command import Curve, Noise, SelectorReport, profile_figure
from harness_plugins.thesis.reproduction.deviations import differs
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import printed, published, subjects
from harness_plugins.thesis.reproduction.study import (
    ALGORITHMS,
    HIGHEST,
    LOUVAIN,
    MissingRequirementError,
    Study,
    method,
)

AXIS = "threshold (smallest weight that stays)"
COLUMNS = ["clusterer", "role", "draw", "level", "modularity", "n_clusters"]
BY_METHOD = ["image", "clusterer"]
# What the thesis gives of a selection, by its columns.
SELECTED = {"threshold": "level", "clusters": "n_clusters", "modularity": "modularity"}
# The pictures and algorithms of the figures in the thesis' appendix.
APPENDIX = {
    "figure-A.1": ("Tulips", "SDP"),
    "figure-A.2": ("Tulips", "Infomap"),
    "figure-A.3": ("Tulips", "Louvain"),
    "figure-A.4": ("Rose 1", "Louvain"),
    "figure-A.5": ("Rose 2", "Louvain"),
}


def first_profile(study: Study, name: str) -> Output:
    """Louvain's profile of the Sunflower, or else of the first image shown."""
    return _profiles(study, study.image(0).key, [LOUVAIN], name)


def profiles_of_image(study: Study, number: int, name: str) -> Output:
    """The profile that the thesis shows, or else those of a clustered image by every method."""
    if study.pictures:
        picture, algorithm = APPENDIX[name]
        return _profiles(study, study.pictures[picture], [ALGORITHMS[algorithm]], name)
    keys = study.clustered_keys
    if number >= len(keys):
        raise MissingRequirementError(
            f"needs {number + 1} images; {len(keys)} are clustered (--clustered)"
        )
    return _profiles(study, keys[number], list(ALGORITHMS.values()), name)


def _profiles(study: Study, image: str, clusterers: Sequence[str], name: str) -> Output:
    """Profiles of an image beside those of its noise."""
    points, chosen = study.thesis_points, study.thesis_selections
    points = points[(points["image"] == image) & points["clusterer"].isin(clusterers)]
    chosen = chosen[chosen["image"] == image].drop_duplicates("clusterer").set_index("clusterer")
    curves = [
        _curve(method(str(clusterer)), rows, chosen.loc[clusterer].to_dict())
        for clusterer, rows in points.groupby("clusterer", sort=False)
    ]
    called = study.called(image)
    figure = profile_figure(
        curves, title=f"{called} and noise of its size", axis=AXIS, width=study.width
    )
    algorithms = ", ".join(name for name, of in ALGORITHMS.items() if of in clusterers)
    tables = {name: points[COLUMNS].reset_index(drop=True)}
    remarks: tuple[str, ...] = ()
    if study.pictures:
        compared = selections_beside(study)
        is_here = (compared["image"] == called) & compared["clusterer"].isin(clusterers)
        tables[f"{name}-selected"] = compared[is_here].drop(columns="clusterer")
        remarks = (f"The thesis chose its threshold by eye on its own curve. {differs(study)}",)
    subject = f"{called}, {algorithms}" if len(clusterers) < len(ALGORITHMS) else called
    return Output(tables, {name: figure}, remarks, subject)


def _curve(name: str, points: pandas.DataFrame, chosen: Mapping[Hashable, Any]) -> Curve:
    observed = points[points["role"] == "observed"]
    control = points[points["role"] == "control"]
    drawn = control.groupby("point")
    noise = Noise(
        str(control["control"].iloc[0]),
        control["draw"].nunique(),
        drawn["modularity"].mean().to_numpy(),
        drawn["modularity"].min().to_numpy(),
        drawn["modularity"].max().to_numpy(),
        drawn["n_clusters"].mean().to_numpy(dtype=np.float64),
    )
    first, last = chosen["plateau_first"], chosen["plateau_last"]
    has_phase = not (pandas.isna(first) or pandas.isna(last))
    selection = SelectorReport(
        str(chosen["selector"]),
        int(chosen["candidate"]),
        bool(chosen["accepted"]),
        (int(first), int(last)) if has_phase else None,
        str(chosen["reason"]),
    )
    levels, modularity = observed["level"].to_numpy(), observed["modularity"].to_numpy()
    return Curve(name, levels, modularity, _counts(observed), noise, selection)


def _counts(points: pandas.DataFrame) -> Integers:
    return np.asarray(points["n_clusters"].to_numpy(dtype=np.int64))


def noise_alone(study: Study) -> Output:
    """The profiles of one random image, and what they reach beside the thesis' values."""
    points, name = study.thesis_points, "figure-4.14"
    image = study.image(0).key
    is_noise = (points["role"] == "control") & (points["draw"] == 0)
    noise = points[is_noise & (points["image"] == image)]
    (subject,) = subjects(name)
    given = {"method": "thesis, Louvain", **printed(name, subject, "Louvain")}
    curves, reached = [], [given]
    for clusterer, rows in noise.groupby("clusterer", sort=False):
        levels, modularity = rows["level"].to_numpy(), rows["modularity"].to_numpy()
        curves.append(Curve(method(str(clusterer)), levels, modularity, _counts(rows)))
        best = int(np.nanargmax(modularity))
        near = int(np.abs(levels - float(given["threshold"])).argmin())
        reached.append(
            {
                "method": curves[-1].name,
                "threshold": levels[near],
                "modularity": modularity[near],
                "clusters": _counts(rows)[near],
                "highest modularity": modularity[best],
                "clusters at the highest modularity": _counts(rows)[best],
                "threshold of the highest modularity": levels[best],
            }
        )
    return Output(
        {
            name: noise[COLUMNS].reset_index(drop=True),
            f"{name}-reached": pandas.DataFrame(reached),
        },
        {
            name: profile_figure(
                curves, title="a random image of the images' size", axis=AXIS, width=study.width
            )
        },
        (
            "At the threshold nearest to the thesis', and at the highest modularity. The random "
            f"pixels, the weights and the thresholds, from 0 to {HIGHEST}/n, are others than the "
            "thesis'.",
        ),
    )


def chosen_thresholds(study: Study) -> Output:
    """Threshold, clusters and modularity: over all images, by image, and the thesis' values."""
    chosen, name = with_noise(study), "table-4.3"
    chosen = chosen.assign(excess=chosen["modularity"] - chosen["noise"])
    over_images = (
        chosen[chosen["accepted"]]
        .groupby("method", sort=False)
        .agg(
            images=("image", "count"),
            threshold=("level", "mean"),
            threshold_deviation=("level", "std"),
            clusters=("n_clusters", "mean"),
            clusters_deviation=("n_clusters", "std"),
            modularity=("modularity", "mean"),
            modularity_deviation=("modularity", "std"),
            noise=("noise", "mean"),
            excess=("excess", "mean"),
        )
        .reset_index()
    )
    keys = [image.key for image in study.shown]
    if study.pictures:
        by_image = {f"{name}-images": selections_beside(study).drop(columns="clusterer")}
    else:
        one_by_one = chosen[chosen["image"].isin(keys)][
            ["image", "method", "accepted", "level", "n_clusters", "modularity", "noise"]
        ].rename(columns={"level": "threshold", "n_clusters": "clusters"})
        by_image = {
            f"{name}-images": one_by_one.reset_index(drop=True),
            f"{name}-thesis": published(name),
        }
    return Output(
        {
            name: over_images,
            **by_image,
        },
        remarks=(
            "Over images: those in which a stable phase was found. noise is the modularity of the "
            "same method on noise at the same threshold, at which noise has another number of "
            "edges; for equal density see docs/evidence.md.",
            f"The thesis chose its thresholds by eye. {differs(study)}",
        ),
    )


def selections_beside(study: Study) -> pandas.DataFrame:
    """What is selected in the thesis' pictures by its algorithms, beside its own values."""
    chosen = with_noise(study).set_index(BY_METHOD).to_dict("index")
    rows = []
    for called, image in study.pictures.items():
        for algorithm, clusterer in ALGORITHMS.items():
            given = printed("table-4.3", called, algorithm)
            # A method that failed has no selection.
            here = chosen.get((image, clusterer), {})
            row: dict[str, Any] = {"image": called, "algorithm": algorithm, "clusterer": clusterer}
            for quantity, column in SELECTED.items():
                row |= {quantity: here.get(column), f"thesis' {quantity}": given.get(quantity)}
            rows.append({**row, "accepted": here.get("accepted"), "noise": here.get("noise")})
    return pandas.DataFrame(rows)


def with_noise(study: Study) -> pandas.DataFrame:
    """Every selection with `noise`, the control's mean modularity at the same level.

    `accepted_modularity` and `accepted_noise` are modularity and noise, 0 where no level was
    accepted.
    """
    points, chosen = study.thesis_points, study.thesis_selections
    noise = points[points["role"] == "control"].merge(
        chosen[[*BY_METHOD, "candidate"]], on=BY_METHOD
    )
    noise = noise[noise["point"] == noise["candidate"]]
    means = noise.groupby(BY_METHOD, sort=False)["modularity"].mean().rename("noise")
    chosen = chosen.merge(means.reset_index(), on=BY_METHOD)
    return chosen.assign(
        method=chosen["clusterer"].map(method),
        accepted_modularity=chosen["modularity"].where(chosen["accepted"], 0.0),
        accepted_noise=chosen["noise"].where(chosen["accepted"], 0.0),
    )
