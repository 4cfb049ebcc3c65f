"""One image of a run as figures, each with its numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.image import ImageReport, MethodReport, SelectorReport
from harness.errors import HarnessError
from harness.metrics.salience import order_by_salience
from harness.plugin.values import Integers
from harness.views.blocks import cluster_names
from harness.views.figures import clusters, heatmaps, matrices
from harness.views.figures.profiles import Curve, profile_figure
from harness.views.figures.style import by_size, file_names
from harness.views.show import NamedPartition, ShowContext, method_name, partitions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Weights = NDArray[np.floating[Any]]
# The graph builder that the default axis of a profile describes.
BY_DENSITY = "threshold"
# The name of its files, the figure, and its numbers by column.
Drawing = tuple[str, "Figure", Mapping[str, Sequence[Any]]]


def drawings(
    context: ShowContext, heads: Mapping[int, Weights], query: int | None
) -> Iterator[Drawing]:
    """The profile, each partition over the image, all side by side, and what one patch attends to.

    heads: the weights (n, n) by head, empty if they cannot be loaded; query: the patch, or None for
    the patch with most incoming attention.
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
            table = {
                "place": range(len(order)),
                "node": order.tolist(),
                "cluster": _marks(each.labels[order]),
            }
            yield f"matrix-{file}", figure, table


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


def _profiles(report: ImageReport) -> Drawing:
    shown = [method for method in report.methods if len(method.profile)]
    pairs = [(method, selection) for method in shown for selection in method.selections or (None,)]
    curves = [_curve(report, method, selection) for method, selection in pairs]
    noise = next((method.noise for method in shown if method.noise is not None), None)
    control = f", with the control {noise.control}" if noise is not None else ""
    axis = {} if report.graph == BY_DENSITY else {"axis": f"level of {report.graph}"}
    figure = profile_figure(curves, title=_title(report, f"profiles{control}"), **axis)
    tables = [
        _profile_table(curve, method, selection)
        for curve, (method, selection) in zip(curves, pairs, strict=True)
    ]
    columns = {name: [value for each in tables for value in each[name]] for name in tables[0]}
    return "profile", figure, columns


def _curve(report: ImageReport, method: MethodReport, selection: SelectorReport | None) -> Curve:
    profile, noise = method.profile, method.noise
    return Curve(
        method.clusterer if selection is None else method_name(report, method, selection),
        profile.levels,
        profile.modularity,
        profile.n_clusters,
        None if noise is None else noise.modularity,
        None if noise is None else noise.lowest,
        None if noise is None else noise.highest,
        None if noise is None else noise.n_clusters,
        None if selection is None else selection.plateau,
        None if selection is None else selection.candidate,
        selection is None or selection.accepted,
    )


def _profile_table(
    curve: Curve, method: MethodReport, selection: SelectorReport | None
) -> dict[str, list[Any]]:
    points, noise = method.profile.points, method.noise
    first, last = curve.plateau or (1, 0)
    accepted = selection is not None and selection.accepted
    levels = range(len(points))

    def of_control(name: str) -> list[Any]:
        return [""] * len(points) if noise is None else getattr(noise, name).tolist()

    return {
        "method": [curve.name] * len(points),
        "level": [point.level for point in points],
        "threshold": [point.threshold for point in points],
        "density": [point.density for point in points],
        "modularity": [point.modularity for point in points],
        "clusters": [point.n_clusters for point in points],
        "control_modularity": of_control("modularity"),
        "control_lowest": of_control("lowest"),
        "control_highest": of_control("highest"),
        "control_clusters": of_control("n_clusters"),
        "selected": [int(at == curve.chosen) for at in levels],
        "accepted": [int(at == curve.chosen and accepted) for at in levels],
        "in_phase": [int(first <= at <= last) for at in levels],
    }


def _on_the_grid(
    context: ShowContext, grid: tuple[int, int], found: Mapping[str, NamedPartition]
) -> Iterator[Drawing]:
    report, pixels = context.report, _pixels(context)
    for file, each in found.items():
        title = _title(report, _called(each))
        figure = clusters.overlay(pixels, grid, each.labels, title=title, region=report.region)
        yield f"overlay-{file}", figure, {**_places(grid), "cluster": _marks(each.labels)}
        yield _panels(context, grid, file, each)
    if len(found) > 1:
        figure = clusters.side_by_side(
            pixels,
            grid,
            [(_called(each), each.labels) for each in found.values()],
            title=_title(report, "the methods' clusters"),
            region=report.region,
        )
        marks = {each.name: _marks(each.labels) for each in found.values()}
        yield "side-by-side", figure, {**_places(grid), **marks}


def _panels(
    context: ShowContext, grid: tuple[int, int], file: str, each: NamedPartition
) -> Drawing:
    """One panel a cluster: the most salient first if the map's weights could be loaded."""
    marks, title = cluster_names(each.labels), _called(each)
    names: dict[int, str] | None = None
    table: dict[str, list[Any]]
    if context.weights is None:
        sizes = {label: int((each.labels == label).sum()) for label in by_size(each.labels)}
        table = {"cluster": [marks[label] for label in sizes], "patches": list(sizes.values())}
    else:
        salient = order_by_salience(context.weights, each.labels)
        title += ", most salient first"
        names = {
            found.label: f"cluster {marks[found.label]}: {found.patches} patches\n"
            f"attention from outside {found.salience:.4f}"
            for found in salient
        }
        table = {
            "cluster": [marks[found.label] for found in salient],
            "patches": [found.patches for found in salient],
            "incoming": [found.salience for found in salient],
        }
    figure = clusters.panels(
        _pixels(context),
        grid,
        each.labels,
        title=_title(context.report, title),
        names=names,
        region=context.report.region,
    )
    return f"panels-{file}", figure, table


def _places(grid: tuple[int, int]) -> dict[str, list[int]]:
    """Every patch's row and column."""
    rows, columns = np.indices(grid)
    return {"row": rows.ravel().tolist(), "column": columns.ravel().tolist()}


def _marks(labels: Integers) -> list[str]:
    """The name of every patch's cluster."""
    names = cluster_names(labels)
    return [names[label] for label in labels.tolist()]


def _pixels(context: ShowContext) -> NDArray[np.uint8] | None:
    return None if context.image is None else context.image.pixels


def _heatmaps(
    context: ShowContext, grid: tuple[int, int], heads: Mapping[int, Weights], query: int | None
) -> Drawing:
    maps = np.stack(list(heads.values())).astype(np.float64)
    report = context.report
    patch = int(maps.mean(axis=0).sum(axis=0).argmax()) if query is None else query
    row, column = divmod(patch, grid[1])
    patch_name = f"patch {row},{column}" + (", most attended to" if query is None else "")
    figure = heatmaps.query_heatmaps(
        _pixels(context),
        maps,
        grid,
        patch,
        title=f"{report.image}, layer {report.layer}: attention of {patch_name}",
        names=[f"head {head}" for head in heads],
        region=report.region,
    )
    weights = {
        f"head {head}": of_head[patch].tolist() for head, of_head in zip(heads, maps, strict=True)
    }
    return "query", figure, {**_places(grid), **weights}


def _title(report: ImageReport, what: str) -> str:
    return f"{report.image}, layer {report.layer}, head {report.head}: {what}"


def _called(each: NamedPartition) -> str:
    return each.name if each.accepted else f"{each.name} (not accepted)"
