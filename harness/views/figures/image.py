"""One image of a run as figures, each with its numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.analysis.image import ImageReport, MethodReport, SelectorReport
from harness.errors import HarnessError
from harness.metrics.partition import by_size, in_order
from harness.metrics.salience import order_by_salience
from harness.views.figures import clusters, heatmaps, matrices
from harness.views.figures.files import file_name, file_names
from harness.views.figures.patched import Patched
from harness.views.figures.profiles import Curve, profile_figure
from harness.views.show import NamedPartition, ShowContext, method_name, partitions

Weights = NDArray[np.floating[Any]]
# The graph builder that the default axis of a profile describes.
BY_DENSITY = "threshold"
# The figures of a point in a profile's table.
FIGURES = ("level", "threshold", "density", "modularity")
# The name of its files, the figure, and its numbers by column.
Drawing = tuple[str, Figure, Mapping[str, Sequence[Any]]]


def drawings(
    context: ShowContext, heads: Mapping[int, Weights], query: int | None, width: float
) -> Iterator[Drawing]:
    """The profile, each partition over the image, all side by side, and what one patch attends to.

    heads: the weights (n, n) by head, empty if they cannot be loaded; query: the patch, or None for
    the patch with most incoming attention; width: the inches of a figure. Files are named
    IMAGE@NAME, or IMAGE@KEY=VALUE,…@NAME if the run has several maps of the image, so that no other
    map's files have the same names.
    """
    report = context.report
    apart = ",".join(f"{key}={file_name(value)}" for key, value in report.apart.items())
    place = "@".join(filter(None, (file_name(report.image), apart)))
    for name, figure, table in figures(context, heads, query, width):
        yield f"{place}@{name}", figure, table


def figures(
    context: ShowContext, heads: Mapping[int, Weights], query: int | None, width: float
) -> Iterator[Drawing]:
    """The drawings by NAME alone."""
    report = context.report
    if any(len(method.profile) for method in report.methods):
        yield _profiles(report, width)
    yield from partition_figures(context, partitions(report), width)
    if report.grid is not None and heads:
        yield _heatmaps(report, _patched(context, report.grid), heads, query, width)


def partition_figures(
    context: ShowContext, found: Sequence[NamedPartition], width: float
) -> Iterator[Drawing]:
    """Partitions on the grid of the map, or else its weights in their order."""
    report = context.report
    named = list(zip(file_names([each.name for each in found]), found, strict=True))
    if report.grid is not None:
        yield from _on_the_grid(context, _patched(context, report.grid), named, width)
    elif context.weights is not None:
        for file, each in named:
            title = _title(report, f"attention by the clusters of {each.title}")
            order = in_order(each.labels)
            numbers = each.labels[order].tolist()
            table = {"place": range(len(order)), "node": order.tolist(), "cluster": numbers}
            figure = matrices.ordered_matrix(context.weights, each.labels, title=title, width=width)
            yield f"matrix-{file}", figure, table


def _patched(context: ShowContext, grid: tuple[int, int]) -> Patched:
    pixels = None if context.image is None else context.image.pixels
    return Patched.of(pixels, grid, context.report.region)


def query_patch(text: str, grid: tuple[int, int] | None) -> int:
    """The number of the patch at "ROW,COLUMN"; raises HarnessError if there is none."""
    if grid is None:
        raise HarnessError(f"--query {text}: the map's patches lie on no grid")
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", text, re.ASCII)
    row, column = map(int, found.groups()) if found else (-1, -1)
    if not (0 <= row < grid[0] and 0 <= column < grid[1]):
        raise HarnessError(
            f"--query {text}: expected ROW,COLUMN of the grid, 0,0 to {grid[0] - 1},{grid[1] - 1}"
        )
    return row * grid[1] + column


def _profiles(report: ImageReport, width: float) -> Drawing:
    shown = [method for method in report.methods if len(method.profile)]
    curves, tables = [], []
    for method in shown:
        for selection in method.selections or (None,):
            name = method_name(report, method, selection) if selection else method.clusterer
            profile = method.profile
            figures = profile.levels, profile.modularity, profile.n_clusters
            curves.append(Curve(name, *figures, method.noise, selection))
            tables.append(_profile_table(name, method, selection))
    noise = next((method.noise for method in shown if method.noise is not None), None)
    control = f", with the control {noise.control}" if noise is not None else ""
    title = _title(report, f"profiles{control}")
    axis = {} if report.graph == BY_DENSITY else {"axis": f"level of {report.graph}"}
    figure = profile_figure(curves, title=title, width=width, **axis)
    columns = {name: [value for each in tables for value in each[name]] for name in tables[0]}
    return "profile", figure, columns


def _profile_table(
    name: str, method: MethodReport, selection: SelectorReport | None
) -> dict[str, list[Any]]:
    points, noise = method.profile.points, method.noise
    candidate = None if selection is None else selection.candidate
    first, last = (selection and selection.plateau) or (1, 0)
    accepted = selection is not None and selection.accepted
    levels = range(len(points))

    def of_control(name: str) -> list[Any]:
        return [""] * len(points) if noise is None else getattr(noise, name).tolist()

    return {
        "method": [name] * len(points),
        **{name: [getattr(point, name) for point in points] for name in FIGURES},
        "clusters": [point.n_clusters for point in points],
        "control_modularity": of_control("modularity"),
        "control_lowest": of_control("lowest"),
        "control_highest": of_control("highest"),
        "control_clusters": of_control("n_clusters"),
        "selected": [int(at == candidate) for at in levels],
        "accepted": [int(at == candidate and accepted) for at in levels],
        "in_phase": [int(first <= at <= last) for at in levels],
    }


def _on_the_grid(
    context: ShowContext, on: Patched, named: Sequence[tuple[str, NamedPartition]], width: float
) -> Iterator[Drawing]:
    report, places = context.report, _places(on.patches.grid)
    for file, each in named:
        title = _title(report, each.title)
        figure = clusters.side_by_side(on, [("", each.labels)], title=title, width=width)
        yield f"overlay-{file}", figure, {**places, "cluster": each.labels.tolist()}
        yield f"panels-{file}", *_panels(context, on, each, width)
    if len(named) > 1:
        partitions = [(each.title, each.labels) for _, each in named]
        title = _title(report, "the methods' clusters")
        figure = clusters.side_by_side(on, partitions, title=title, width=width)
        numbers = {each.name: each.labels.tolist() for _, each in named}
        yield "side-by-side", figure, {**places, **numbers}


def _panels(
    context: ShowContext, on: Patched, each: NamedPartition, width: float
) -> tuple[Figure, dict[str, list[Any]]]:
    """One panel a cluster: the most salient first if the map's weights could be loaded."""
    title, labels = _title(context.report, each.title), each.shared
    if context.weights is None:
        sizes = {label: int((labels == label).sum()) for label in by_size(labels)}
        return clusters.panels(on, labels, title=title, width=width), {
            "cluster": list(sizes),
            "patches": list(sizes.values()),
        }
    salient = order_by_salience(context.weights, labels)
    names = {
        found.label: f"cluster {found.label}: {found.patches} patches\n"
        f"salience {found.salience:.4f}"
        for found in salient
    }
    title += ", most salient first"
    return clusters.panels(on, labels, title=title, names=names, width=width), {
        "cluster": [found.label for found in salient],
        "patches": [found.patches for found in salient],
        "salience": [found.salience for found in salient],
    }


def _places(grid: tuple[int, int]) -> dict[str, list[int]]:
    rows, columns = np.indices(grid)
    return {"row": rows.ravel().tolist(), "column": columns.ravel().tolist()}


def _heatmaps(
    report: ImageReport,
    on: Patched,
    heads: Mapping[int, Weights],
    query: int | None,
    width: float,
) -> Drawing:
    grid, maps = on.patches.grid, np.stack(list(heads.values())).astype(np.float64)
    patch = int(maps.mean(axis=0).sum(axis=0).argmax()) if query is None else query
    row, column = divmod(patch, grid[1])
    most = ", most attended to" if query is None else ""
    title = f"{report.image}, layer {report.layer}: attention of patch {row},{column}{most}"
    names = [f"head {head}" for head in heads]
    figure = heatmaps.query_heatmaps(on, maps, patch, title=title, names=names, width=width)
    weights = dict(zip(names, maps[:, patch].tolist(), strict=True))
    return "query", figure, {**_places(grid), **weights}


def _title(report: ImageReport, what: str) -> str:
    return f"{report.image}, layer {report.layer}, head {report.head}: {what}"
