"""The attention of one patch, head by head: figures 4.2 to 4.5; and which heads cluster."""

import numpy as np

import harness
from harness.command import Patched, query_heatmaps
from harness_plugins.thesis.reproduction.exhibit import Output, patch_table
from harness_plugins.thesis.reproduction.study import Study, extractor_of


def heatmaps(study: Study, number: int, name: str) -> Output:
    """The attention of one patch of a shown image, in every head."""
    image = study.image(number)
    extractor = harness.extractor(extractor_of(study.many_heads), plugins=study.plugins)
    found = list(extractor.extract([image]))
    maps, grid = np.stack([each.weights for each in found]), found[0].grid
    assert grid is not None
    # The patch that receives most attention: none is picked by eye.
    query = int(maps.mean(axis=0).sum(axis=0).argmax())
    row, column = divmod(query, grid[1])
    on = Patched.of(image.pixels, grid, found[0].region)
    title = f"{image.key}: what patch ({row}, {column}) attends to, by head"
    figure = query_heatmaps(on, maps, query, title=title)
    weights = {f"head {head}": weights[query] for head, weights in enumerate(maps)}
    return Output(
        {name: patch_table(grid, weights)},
        {name: figure},
        ("The query is the patch with most incoming attention over all heads.",),
    )


def heads_that_cluster(study: Study) -> Output:
    """Excess modularity and significance of every head on its own."""
    frame = study.heads_run.selections()
    frame = frame[(frame["role"] == "observed") & (frame["status"] == "ok")]
    tests = study.heads_run.tests()
    joined = frame.merge(tests[["cell", "selector", "p", "q", "z"]], on=["cell", "selector"])
    table = (
        joined.assign(significant=~harness.exceeds(joined["q"], 0.05))
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
    return Output(
        {"heads": table},
        remarks=(
            f"{study.many_heads}; Louvain, `excess-modularity`, compared with uniform noise; "
            "modularity at the candidate level, accepted or not.",
        ),
    )
