"""One image of a run as figures, each with its numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.image import Choice, ImageReport, Method
from harness.errors import HarnessError
from harness.metrics.saliency import order_by_salience
from harness.plugin.values import Integers
from harness.views.blocks import cluster_names
from harness.views.figures import clusters, heatmaps, matrices
from harness.views.figures.profiles import Curve, profile_figure
from harness.views.figures.style import by_size, file_names
from harness.views.show import NamedPartition, ShowContext, method_name, partitions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Weights = NDArray[np.floating[Any]]
# The builder whose levels are what a profile's axis says unless told otherwise.
BY_DENSITY = "threshold"
PROFILE_COLUMNS = (
    "method", "level", "threshold", "density", "modularity", "clusters", "noise_modularity",
    "noise_lowest", "noise_highest", "noise_clusters", "chosen", "accepted", "in_phase",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, what its files are called, and its numbers as a table."""

    name: str
    figure: "Figure"
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def drawings(
    context: ShowContext, heads: Mapping[int, Weights], query: int | None
) -> Iterator[Drawing]:
    """The profile, each partition over the image, all side by side, and what one patch attends to.

    heads: the weights (n, n) by head, none where they cannot be had; query: the patch, or None for
    that with most incoming attention.
    """
    report = context.report
    found = partitions(report)
    if any(len(method.profile) for method in report.methods):
        yield _profiles(report)
    names = file_names([each.name for each in found])
    if report.grid is not None:
        yield from _on_the_grid(context, report.grid, dict(zip(names, found, strict=True)))
        if heads:
            yield _heatmaps(context, report.grid, heads, query)
    elif context.weights is not None:
        for file, each in zip(names, found, strict=True):
            title = _title(report, f"attention by the clusters of {_called(each)}")
            figure = matrices.ordered_matrix(context.weights, each.labels, title=title)
            order = matrices.in_order(each.labels)
            marks = cluster_names(each.labels)
            rows = [
                [place, int(node), marks[int(each.labels[node])]]
                for place, node in enumerate(order)
            ]
            yield Drawing(f"matrix-{file}", figure, ("place", "node", "cluster"), rows)


def query_patch(text: str, grid: tuple[int, int] | None) -> int:
    """The number of the patch that "ROW,COLUMN" names; raises HarnessError if it names none."""
    if grid is None:
        raise HarnessError(f"--query {text}: the map's patches lie on no grid")
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", text, re.ASCII)
    row, column = map(int, found.groups()) if found else (-1, -1)
    if not (0 <= row < grid[0] and 0 <= column < grid[1]):
        raise HarnessError(
            f"--query {text}: expected ROW,COLUMN of the grid, 0,0 to {grid[0] - 1},{grid[1] - 1}"
        )
    return row * grid[1] + column


def _profiles(report: ImageReport) -> Drawing:
    shown = [method for method in report.methods if len(method.profile)]
    pairs = [(method, choice) for method in shown for choice in method.choices or (None,)]
    curves = [_curve(report, method, choice) for method, choice in pairs]
    noise = next((method.noise for method in shown if method.noise is not None), None)
    beside = f", beside noise: {noise.control}" if noise is not None else ""
    axis = {} if report.graph == BY_DENSITY else {"axis": f"level of {report.graph}"}
    figure = profile_figure(curves, title=_title(report, f"profiles{beside}"), **axis)
    rows = [
        row
        for curve, (method, choice) in zip(curves, pairs, strict=True)
        for row in _profile_rows(curve, method, choice)
    ]
    return Drawing("profile", figure, PROFILE_COLUMNS, rows)


def _curve(report: ImageReport, method: Method, choice: Choice | None) -> Curve:
    profile, noise = method.profile, method.noise
    return Curve(
        method.clusterer if choice is None else method_name(report, method, choice),
        profile.levels,
        profile.modularity,
        profile.n_clusters,
        None if noise is None else noise.modularity,
        None if noise is None else noise.lowest,
        None if noise is None else noise.highest,
        None if noise is None else noise.n_clusters,
        None if choice is None else choice.plateau,
        None if choice is None else choice.candidate,
        choice is None or choice.accepted,
    )


def _profile_rows(curve: Curve, method: Method, choice: Choice | None) -> Iterator[list[Any]]:
    noise = method.noise
    first, last = curve.plateau or (1, 0)
    for at, point in enumerate(method.profile.points):
        beside: list[Any] = [""] * 4
        if noise is not None:
            columns = noise.modularity, noise.lowest, noise.highest, noise.n_clusters
            beside = [float(column[at]) for column in columns]
        is_chosen = at == curve.chosen
        accepted = is_chosen and choice is not None and choice.accepted
        yield [
            curve.name, point.level, point.threshold, point.density, point.modularity,
            point.n_clusters, *beside, int(is_chosen), int(accepted), int(first <= at <= last),
        ]  # fmt: skip


def _on_the_grid(
    context: ShowContext, grid: tuple[int, int], found: Mapping[str, NamedPartition]
) -> Iterator[Drawing]:
    report = context.report
    pixels = None if context.image is None else context.image.pixels
    for file, each in found.items():
        rows = _patch_rows(grid, [each.labels])
        columns = ("row", "column", "cluster")
        title = _title(report, _called(each))
        figure = clusters.overlay(pixels, grid, each.labels, title=title, region=report.region)
        yield Drawing(f"overlay-{file}", figure, columns, rows)
        yield _panels(context, grid, file, each)
    if len(found) > 1:
        pairs = [(_called(each), each.labels) for each in found.values()]
        figure = clusters.side_by_side(
            pixels,
            grid,
            pairs,
            title=_title(report, "the methods' clusters"),
            region=report.region,
        )
        rows = _patch_rows(grid, [each.labels for each in found.values()])
        places = ("row", "column", *(each.name for each in found.values()))
        yield Drawing("side-by-side", figure, places, rows)


def _panels(
    context: ShowContext, grid: tuple[int, int], file: str, each: NamedPartition
) -> Drawing:
    """One panel a cluster: the most salient first where the map's weights can be had."""
    report, marks = context.report, cluster_names(each.labels)
    pixels = None if context.image is None else context.image.pixels
    sizes = {label: int((each.labels == label).sum()) for label in by_size(each.labels)}
    if context.weights is None:
        figure = clusters.panels(
            pixels,
            grid,
            each.labels,
            title=_title(report, _called(each)),
            region=report.region,
        )
        rows = [[marks[label], size] for label, size in sizes.items()]
        return Drawing(f"panels-{file}", figure, ("cluster", "patches"), rows)
    salient = order_by_salience(context.weights, each.labels)
    figure = clusters.panels(
        pixels,
        grid,
        each.labels,
        title=_title(report, f"{_called(each)}, most salient first"),
        names={
            found.label: f"cluster {marks[found.label]}: {found.size} patches\n"
            f"attention from outside {found.incoming:.4f}"
            for found in salient
        },
        region=report.region,
    )
    figures = [[marks[found.label], found.size, found.incoming] for found in salient]
    return Drawing(f"panels-{file}", figure, ("cluster", "patches", "incoming"), figures)


def _patch_rows(grid: tuple[int, int], partitions: Sequence[Integers]) -> list[list[Any]]:
    """Every patch's place and the name of its cluster in each partition."""
    names = [cluster_names(labels) for labels in partitions]
    return [
        [
            *divmod(patch, grid[1]),
            *(of[int(each[patch])] for of, each in zip(names, partitions, strict=True)),
        ]
        for patch in range(grid[0] * grid[1])
    ]


def _heatmaps(
    context: ShowContext, grid: tuple[int, int], heads: Mapping[int, Weights], query: int | None
) -> Drawing:
    maps = np.stack(list(heads.values())).astype(np.float64)
    report = context.report
    patch = int(maps.mean(axis=0).sum(axis=0).argmax()) if query is None else query
    row, column = divmod(patch, grid[1])
    patch_name = f"patch {row},{column}" + (", most attended to" if query is None else "")
    figure = heatmaps.query_heatmaps(
        None if context.image is None else context.image.pixels,
        maps,
        grid,
        patch,
        title=f"{report.image}, layer {report.layer}: attention of {patch_name}",
        names=[f"head {head}" for head in heads],
        region=report.region,
    )
    rows = [
        [*divmod(other, grid[1]), *(float(weights[patch, other]) for weights in maps)]
        for other in range(grid[0] * grid[1])
    ]
    return Drawing("query", figure, ("row", "column", *(f"head {head}" for head in heads)), rows)


def _title(report: ImageReport, what: str) -> str:
    return f"{report.image}, layer {report.layer}, head {report.head}: {what}"


def _called(each: NamedPartition) -> str:
    return each.name if each.accepted else f"{each.name} (not accepted)"
