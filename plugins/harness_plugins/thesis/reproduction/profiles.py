"""Modularity and number of clusters against the threshold: figures 4.14, A.1 to A.5; table 4.3."""

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import Integers
from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, method

if TYPE_CHECKING:
    import pandas

    from harness.command import Curve

AXIS = "threshold (smallest weight kept)"
COLUMNS = ["clusterer", "role", "draw", "level", "modularity", "n_clusters"]


def profiles_of(place: int, name: str) -> Callable[[Study], Made]:
    """The profiles of the image shown at that place, by every method, beside its noise."""

    def make(study: Study) -> Made:
        from harness.command import profile_figure

        if place >= len(study.clustered_keys):
            raise MissingRequirementError(
                f"needs {place + 1} images; {len(study.clustered_keys)} are clustered (--clustered)"
            )
        image = study.clustered_keys[place]
        points = study.thesis_points
        points = points[points["image"] == image]
        chosen = study.thesis_selections
        chosen = chosen[chosen["image"] == image]
        curves = [
            _curve(
                method(str(clusterer)),
                of,
                chosen[chosen["clusterer"] == clusterer].to_dict("records")[0],
            )
            for clusterer, of in points.groupby("clusterer", sort=False)
        ]
        figure = profile_figure(curves, title=f"{image} and noise of its size", axis=AXIS)
        return Made({name: points[COLUMNS].reset_index(drop=True)}, {name: figure})

    return make


def _curve(name: str, points: "pandas.DataFrame", chosen: Mapping[Hashable, Any]) -> "Curve":
    import pandas

    from harness.command import Curve

    observed = points[points["role"] == "observed"]
    noise = points[points["role"] == "control"].groupby("point")
    first, last = chosen["plateau_first"], chosen["plateau_last"]
    has_phase = not (pandas.isna(first) or pandas.isna(last))
    return Curve(
        name,
        observed["level"].to_numpy(),
        observed["modularity"].to_numpy(),
        _counts(observed),
        noise["modularity"].mean().to_numpy(),
        noise["modularity"].min().to_numpy(),
        noise["modularity"].max().to_numpy(),
        noise["n_clusters"].mean().to_numpy(dtype=np.float64),
        (int(first), int(last)) if has_phase else None,
        int(chosen["candidate"]),
        bool(chosen["accepted"]),
    )


def _counts(points: "pandas.DataFrame") -> Integers:
    return np.asarray(points["n_clusters"].to_numpy(dtype=np.int64))


def noise_alone(study: Study) -> Made:
    """The profiles of one random image, and what they reach at most, as the thesis gives it."""
    import pandas

    from harness.command import Curve, profile_figure

    image = study.clustered_keys[0]
    points = study.thesis_points
    of_noise = points[
        (points["image"] == image) & (points["role"] == "control") & (points["draw"] == 0)
    ]
    curves, rows = [], []
    for clusterer, of in of_noise.groupby("clusterer", sort=False):
        name, modularity = method(str(clusterer)), of["modularity"].to_numpy()
        curves.append(Curve(name, of["level"].to_numpy(), modularity, _counts(of)))
        rows.append(
            {
                "method": name,
                "largest modularity": np.nanmax(modularity),
                "at threshold": of["level"].to_numpy()[np.nanargmax(modularity)],
            }
        )
    rows += [
        {"method": f"thesis: {each.what} ({each.place})", "largest modularity": each.value}
        for each in published("figure-4.14")
    ]
    figure = profile_figure(curves, title="a random image of the size of the others", axis=AXIS)
    return Made(
        {
            "figure-4.14": of_noise[COLUMNS].reset_index(drop=True),
            "figure-4.14-largest": pandas.DataFrame(rows),
        },
        {"figure-4.14": figure},
    )


def chosen_thresholds(study: Study) -> Made:
    """Threshold, clusters and modularity: over all images, and image by image; the thesis' own."""
    import pandas

    chosen = with_noise(study)
    chosen = chosen.assign(excess=chosen["modularity"] - chosen["noise"])
    found = chosen[chosen["accepted"]]
    over_images = (
        found.groupby("method", sort=False)
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
    thesis = pandas.DataFrame(
        [
            {"thesis": each.what, "value": each.value, "place": each.place}
            for each in published("table-4.3")
        ]
    )
    return Made(
        {
            "table-4.3": over_images,
            "table-4.3-images": one_by_one.reset_index(drop=True),
            "table-4.3-thesis": thesis,
        },
        remarks=(
            "Over images: those on which a stable phase was found. noise is the modularity of the "
            "same method on noise at the same threshold, where noise keeps other numbers of edges: "
            "at equal density see docs/evidence.md.",
        ),
    )


def with_noise(study: Study) -> "pandas.DataFrame":
    """Every choice with `noise`, the control's modularity at the same level; `reached` and
    `beside` are modularity and noise, 0 where nothing was accepted.
    """
    chosen = study.thesis_selections.merge(_noise_at_choice(study), on=["image", "clusterer"])
    return chosen.assign(
        method=chosen["clusterer"].map(method),
        reached=chosen["modularity"].where(chosen["accepted"], 0.0),
        beside=chosen["noise"].where(chosen["accepted"], 0.0),
    )


def _noise_at_choice(study: Study) -> "pandas.DataFrame":
    """The controls' mean modularity at the level chosen, by image and method."""
    points = study.thesis_points
    noise = points[points["role"] == "control"]
    chosen = study.thesis_selections[["image", "clusterer", "candidate"]]
    at = noise.merge(chosen, on=["image", "clusterer"])
    at = at[at["point"] == at["candidate"]]
    return (
        at.groupby(["image", "clusterer"], sort=False)["modularity"]
        .mean()
        .rename("noise")
        .reset_index()
    )
