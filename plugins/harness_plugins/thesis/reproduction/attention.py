"""The attention of one patch, head by head: figures 4.2 to 4.5; and which heads cluster."""

from collections.abc import Callable

import numpy as np

import harness
from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, extractor_of


def heatmaps(place: int) -> Callable[[Study], Made]:
    """What one patch of the image shown at that place attends to, in every head."""

    def make(study: Study) -> Made:
        import pandas

        from harness.command import query_heatmaps

        if place >= len(study.shown):
            raise MissingRequirementError(
                f"needs {place + 1} images; {study.images} has {len(study.shown)}"
            )
        image = study.shown[place]
        extractor = harness.make("extractor", extractor_of(study.many_heads), study.plugins)
        found = list(extractor.extract([image]))
        maps, grid = np.stack([each.weights for each in found]), found[0].grid
        # What the model looks at most: no patch is picked by eye.
        query = int(maps.mean(axis=0).sum(axis=0).argmax())
        row, column = divmod(query, grid[1])
        name = f"figure-4.{place + 2}"
        figure = query_heatmaps(
            image.pixels,
            maps,
            grid,
            query,
            title=f"{image.key}: what patch ({row}, {column}) attends to, by head",
            region=found[0].region,
        )
        patches = np.arange(maps.shape[1])
        table = pandas.DataFrame(
            {
                "row": patches // grid[1],
                "column": patches % grid[1],
                **{f"head {head}": weights[query] for head, weights in enumerate(maps)},
            }
        )
        return Made(
            {name: table},
            {name: figure},
            ("The query is the patch with most incoming attention over all heads.",),
        )

    return make


def heads_that_cluster(study: Study) -> Made:
    """Excess modularity and significance of every head by itself."""
    frame = study.heads_run.selections()
    frame = frame[(frame["role"] == "observed") & (frame["status"] == "ok")]
    tests = study.heads_run.tests()
    joined = frame.merge(tests[["cell", "selector", "p", "q", "z"]], on=["cell", "selector"])
    table = (
        joined.assign(significant=joined["q"] <= 0.05)
        .groupby("head", sort=True)
        .agg(
            images=("image", "nunique"),
            modularity=("modularity", "mean"),
            clusters=("n_clusters", "mean"),
            z=("z", "mean"),
            median_p=("p", "median"),
            significant=("significant", "sum"),
        )
        .reset_index()
    )
    return Made(
        {"heads": table},
        remarks=(
            f"{study.many_heads}; Louvain, `excess-modularity`, beside uniform noise; modularity "
            "at the candidate level whether it was accepted or not.",
        ),
    )
