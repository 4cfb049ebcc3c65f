"""The attention of one patch, head by head: figures 4.2 to 4.5; and which heads cluster."""

import numpy as np

import harness
from harness import Floats
from harness.command import Patched, query_heatmaps
from harness_plugins.thesis.reproduction.exhibit import Output, patch_table
from harness_plugins.thesis.reproduction.published import printed
from harness_plugins.thesis.reproduction.study import Study, extractor_of

# The thesis' rows and columns of patches.
THESIS_GRID = (14, 14)
SHOWN = (
    "The heads are numbered by training, which differs, so only kinds of heads can be compared "
    "with the thesis' figure."
)
UNNAMED = (
    "The thesis shows a tulips image that is taken for a dandelion and does not name it; this is "
    "the picture that it names. Heads are numbered by training, which differs."
)


def heatmaps(study: Study, number: int, name: str) -> Output:
    """The attention of one patch of a shown image, in every head."""
    image = study.image(number)
    extractor = harness.extractor(extractor_of(study.many_heads), plugins=study.plugins)
    found = list(extractor.extract([image]))
    maps, grid = np.stack([each.weights for each in found]), found[0].grid
    assert grid is not None
    called = study.called(image.key)
    query, why = _query(maps, grid, called if study.pictures else "", name)
    row, column = divmod(query, grid[1])
    on = Patched.of(image.pixels, grid, found[0].region)
    title = f"{called}: what patch ({row}, {column}) attends to, by head"
    figure = query_heatmaps(on, maps, query, title=title, width=study.width)
    weights = {f"head {head}": weights[query] for head, weights in enumerate(maps)}
    return Output({name: patch_table(grid, weights)}, {name: figure}, (why,), called)


def _query(maps: Floats, grid: tuple[int, int], picture: str, name: str) -> tuple[int, str]:
    """The query patch, and why it is this one; maps are (heads, n, n)."""
    given = printed(name, picture).get("query patch")
    if given is None:
        # None is picked by eye.
        most = int(maps.mean(axis=0).sum(axis=0).argmax())
        return most, "The query is the patch with most incoming attention over all heads."
    row, column = divmod(int(given), THESIS_GRID[1])
    scaled = zip((row, column), grid, THESIS_GRID, strict=True)
    rows, columns = (int((place + 0.5) * ours / theirs) for place, ours, theirs in scaled)
    where = f"The query is the thesis' patch {given}, counted from 0 in rows"
    if grid != THESIS_GRID:
        where += f" of {THESIS_GRID[0]}×{THESIS_GRID[1]} patches, at its place in this grid"
    return rows * grid[1] + columns, f"{where}. {UNNAMED if picture == 'Tulips' else SHOWN}"


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
