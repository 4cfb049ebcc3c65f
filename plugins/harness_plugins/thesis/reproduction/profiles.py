"""Modularity and number of clusters against the threshold: figures 4.14, A.1 to A.5; table 4.3."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas

from harness import Integers
from harness.command import Curve, Noise, SelectorReport, profile_figure
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, method

AXIS = "threshold (smallest weight that stays)"
COLUMNS = ["clusterer", "role", "draw", "level", "modularity", "n_clusters"]
BY_METHOD = ["image", "clusterer"]


def profiles_of_image(study: Study, number: int, name: str) -> Output:
    """The profiles of a clustered image by every method, beside those of its noise."""
    keys = study.clustered_keys
    if number >= len(keys):
        raise MissingRequirementError(
            f"needs {number + 1} images; {len(keys)} are clustered (--clustered)"
        )
    image, points, chosen = keys[number], study.thesis_points, study.thesis_selections
    points = points[points["image"] == image]
    chosen = chosen[chosen["image"] == image].drop_duplicates("clusterer").set_index("clusterer")
    curves = [
        _curve(method(str(clusterer)), rows, chosen.loc[clusterer].to_dict())
        for clusterer, rows in points.groupby("clusterer", sort=False)
    ]
    figure = profile_figure(curves, title=f"{image} and noise of its size", axis=AXIS)
    return Output({name: points[COLUMNS].reset_index(drop=True)}, {name: figure})


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
    """The profiles of one random image, and their largest modularity beside the thesis' value."""
    points, name = study.thesis_points, "figure-4.14"
    is_noise = (points["role"] == "control") & (points["draw"] == 0)
    noise = points[is_noise & (points["image"] == study.clustered_keys[0])]
    curves, largest = [], []
    for clusterer, rows in noise.groupby("clusterer", sort=False):
        levels, modularity = rows["level"].to_numpy(), rows["modularity"].to_numpy()
        curves.append(Curve(method(str(clusterer)), levels, modularity, _counts(rows)))
        best = int(np.nanargmax(modularity))
        largest.append((curves[-1].name, modularity[best], levels[best]))
    largest += [
        (f"thesis: {each.thesis} ({each.source})", each.value, np.nan)
        for each in published(name).itertuples()
    ]
    columns = ["method", "largest modularity", "at threshold"]
    return Output(
        {
            name: noise[COLUMNS].reset_index(drop=True),
            f"{name}-largest": pandas.DataFrame(largest, columns=columns),
        },
        {name: profile_figure(curves, title="a random image of the images' size", axis=AXIS)},
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
    one_by_one = chosen[chosen["image"].isin(keys)][
        ["image", "method", "accepted", "level", "n_clusters", "modularity", "noise"]
    ].rename(columns={"level": "threshold", "n_clusters": "clusters"})
    return Output(
        {
            name: over_images,
            f"{name}-images": one_by_one.reset_index(drop=True),
            f"{name}-thesis": published(name),
        },
        remarks=(
            "Over images: those in which a stable phase was found. noise is the modularity of the "
            "same method on noise at the same threshold, at which noise has another number of "
            "edges; for equal density see docs/evidence.md.",
        ),
    )


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
