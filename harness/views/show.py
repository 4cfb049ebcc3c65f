"""One image of a run in the terminal: what was chosen, profiles, cluster maps, methods compared."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.analysis.image import Choice, ImageReport, Method
from harness.analysis.outcomes import least_stability
from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.matching import match
from harness.plugin.patches import crop
from harness.plugin.values import UNASSIGNED, Floats, Integers
from harness.views.blocks import bars, cluster_map, cluster_names, shaded
from harness.views.figures.matrices import in_order
from harness.views.figures.style import CHOSEN, COLOURS, NOISE
from harness.views.show_context import Chosen, ShowContext, has_several_selectors, name, partitions
from harness.views.tables import NOTHING, p_text

# Lines of a plot, and its columns at least; levels get as many as there is room for.
MODULARITY_ROWS = 5
COUNT_ROWS = 3
PLOT_WIDTH = 32
# Of numbers beside a plot.
AXIS_WIDTH = 6
PICTURE_COLUMNS = 28
MATRIX_COLUMNS = 40
MOST_OTHERS = 8
MATRICES = "The matrices: what each patch (a row) attends to, in the order of the clusters."


def show(context: ShowContext, console: Console) -> None:
    """Print all of it."""
    report = context.report
    console.print(Text("\n".join(_heading(context))))
    for remark in context.remarks:
        console.print(Text(remark, "yellow"))
    console.print()
    console.print(_choices(report))
    for line in _reasons(report):
        console.print(Text(line, "italic dim"))
    for method in report.methods:
        if len(method.profile):
            console.print()
            console.print(_profile(method))
    found = partitions(report)
    pictures = list(_pictures(context, found))
    if pictures:
        console.print()
        console.print(Columns(pictures, padding=(1, 2)))
        if context.report.grid is None:
            console.print(Text(MATRICES, "italic dim"))
    if len(found) > 1:
        console.print()
        console.print(_alike(found))


def _heading(context: ShowContext) -> Iterator[str]:
    report = context.report
    facts = [report.image]
    if report.label is not None:
        named = f" ({context.class_name})" if context.class_name else ""
        facts.append(f"label {report.label}{named}")
    if report.size is not None:
        height, width, channels = report.size
        facts.append(f"{height}×{width} pixels, {'grey' if channels == 1 else 'colour'}")
    if report.images:
        facts.append(report.images)
    yield "; ".join(facts)
    patches = f"{report.nodes} patches"
    if report.grid is not None:
        patches += f" on a grid of {report.grid[0]}×{report.grid[1]}"
    if report.region is not None:
        top, left, high, wide = report.region
        patches += f" over {high:.0f}×{wide:.0f} pixels from ({top:.0f}, {left:.0f})"
    yield (
        f"{report.extractor}, layer {report.layer}, head {report.head}; "
        f"{patches if report.nodes else 'no map'}; graph {report.graph}"
    )
    if report.unreadable:
        yield f"cannot be had: {report.unreadable}"
    for key, others in report.others.items():
        yield f"There are also {key} {_listed(others)} (--{key})."


def _listed(others: Sequence[str]) -> str:
    """Names one after the other, numbers that follow each other as `0 … 11`; the first eight."""
    shown = list(others)
    if all(other.isdecimal() for other in others):
        # Numbers that follow each other differ from their places by the same.
        runs = itertools.groupby(
            enumerate(sorted(map(int, others))), lambda pair: pair[1] - pair[0]
        )
        shown = [_run([number for _, number in run]) for _, run in runs]
    return ", ".join(shown[:MOST_OTHERS]) + (" …" if len(shown) > MOST_OTHERS else "")


def _run(numbers: Sequence[int]) -> str:
    if len(numbers) < 3:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]} … {numbers[-1]}"


def _choices(report: ImageReport) -> Table:
    """The choices, one a row."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    several = has_several_selectors(report)
    table.add_column("method", overflow="fold")
    if several:
        table.add_column("selector", overflow="fold")
    table.add_column("accepted")
    for header in ("level", "weights ≥", "clusters", "Q", "noise", "p", "Jaccard"):
        table.add_column(header, justify="right", no_wrap=True)
    for method in report.methods:
        for choice in method.choices or (None,):
            names = [Text(method.clusterer)]
            if several:
                names.append(Text(choice.selector if choice else NOTHING))
            table.add_row(*names, *_figures(method, choice))
    return table


def _figures(method: Method, choice: Choice | None) -> list[RenderableType]:
    if method.status != "ok":
        return [Text(method.status, "red")]
    if choice is None or choice.candidate is None:
        return [Text("failed" if choice else NOTHING, "red")]
    point = method.profile.points[choice.candidate]
    noise = None if method.noise is None else method.noise.modularity[choice.candidate]
    return [
        Text("yes", "green") if choice.accepted else Text("no", "yellow"),
        f"{point.level:.3f}",
        f"{point.threshold:.4f}",
        str(point.n_clusters),
        _number(point.modularity),
        _number(noise),
        p_text(next(iter(choice.p.values()), None)),
        _number(least_stability(choice.jaccards)),
    ]


def _number(value: float | None) -> str:
    # Adding 0 makes a rounded −0 a 0.
    return NOTHING if value is None or math.isnan(value) else f"{round(value, 3) + 0:.3f}"


def _reasons(report: ImageReport) -> Iterator[str]:
    """Why each choice was made, or why there is none."""
    for method in report.methods:
        if method.status != "ok":
            yield f"{method.clusterer}: {method.status}: {method.reason}".rstrip(": ")
        elif not method.choices:
            yield f"{method.clusterer}: no selector was applied yet (harness select)"
        for choice in method.choices:
            yield f"{name(report, method, choice)}: {choice.reason}"
    noise = next((method.noise for method in report.methods if method.noise), None)
    beside = (
        f"noise: mean Q of {noise.draws} draws of {noise.control} at that level; " if noise else ""
    )
    yield (
        f"Q: modularity; {beside}p: of the choice among those of noise; Jaccard: the least of how "
        "well the clusters are found again, 0 is chance. Clusters have two patches or more."
    )


def _profile(method: Method) -> RenderableType:
    """Modularity and number of clusters over the levels, noise beside it on the same scale."""
    profile, noise = method.profile, method.noise
    counts = profile.n_clusters.astype(np.float64)
    figures = (
        (profile.modularity, None if noise is None else noise.modularity, MODULARITY_ROWS, ".2f"),
        (counts, None if noise is None else noise.n_clusters, COUNT_ROWS, ".0f"),
    )
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        Text(f"{method.clusterer}: modularity, clusters below", "bold"),
        Text(f"noise: {noise.control}, mean of {noise.draws}" if noise else "", "bold"),
    )
    for observed, control, rows, form in figures:
        drawn = observed if control is None else np.concatenate([observed, control])
        top = max(float(np.nanmax(drawn, initial=0.0)), 0.0)
        axes = [_plot(observed, top, rows, form, COLOURS[0])]
        if control is not None:
            axes.append(_plot(control, top, rows, form, NOISE))
        grid.add_row(*axes)
    marks = Group(*(_marks(profile.levels, choice) for choice in method.choices))
    grid.add_row(marks, _marks(profile.levels, None) if noise else "")
    return grid


def _plot(values: Floats, top: float, rows: int, form: str, colour: str) -> Text:
    lines = []
    for row, line in enumerate(bars(values, top, rows, _bar_width(len(values)))):
        number = format(top, form) if not row else ("0" if row == rows - 1 else "")
        lines.append(Text.assemble((f"{number:>{AXIS_WIDTH - 2}} ▏", "dim"), (line, colour)))
    return Text("\n").join(lines)


def _bar_width(levels: int) -> int:
    return max(1, PLOT_WIDTH // levels)


def _marks(levels: Floats, choice: Choice | None) -> Text:
    """The axis under a plot: the level chosen, the stable phase, and where the axis ends."""
    width = _bar_width(len(levels))
    line = ["─"] * (width * len(levels))
    if choice is not None and choice.plateau is not None:
        first, last = choice.plateau
        line[width * first : width * (last + 1)] = "━" * width * (last + 1 - first)
    if choice is not None and choice.candidate is not None:
        line[width * choice.candidate + (width - 1) // 2] = "▲" if choice.accepted else "△"
    ends = f"{levels[0]:.2f}", f"{levels[-1]:.2f}"
    middle = "" if choice is None else choice.selector
    room = max(len(line) - sum(map(len, ends)), 0)
    below = ends[0] + middle[: max(room - 2, 0)].center(room) + ends[1]
    blank = " " * AXIS_WIDTH
    return Text.assemble(blank, ("".join(line), CHOSEN), "\n", blank, (below, "dim"))


def _pictures(context: ShowContext, found: Sequence[Chosen]) -> Iterator[RenderableType]:
    """The image, and each partition on the grid, or else the matrix in the order of clusters."""
    report = context.report
    if context.image is not None:
        pixels, title = context.image.pixels, "image"
        if report.region is not None:
            # What stands beside it are its patches only.
            pixels, title = crop(pixels, report.region), "image, where the patches lie"
        columns = 2 * report.grid[1] if report.grid is not None else PICTURE_COLUMNS
        yield _titled(title, shaded(pixels.mean(axis=2) / 255, max(columns, PICTURE_COLUMNS)))
    for each in found:
        title = each.name if each.accepted else f"{each.name} (not accepted)"
        if report.grid is not None:
            picture = cluster_map(each.labels, report.grid)
        elif context.weights is not None:
            order = in_order(each.labels)
            weights = np.sqrt(context.weights[np.ix_(order, order)])
            picture = shaded(weights / max(weights.max(), 1e-300), MATRIX_COLUMNS)
        else:
            continue
        yield Group(_titled(title, picture), Text(_sizes(each.labels), "dim"))


def _titled(title: str, picture: Text) -> RenderableType:
    return Group(Text(title, "bold"), picture)


def _sizes(labels: Integers) -> str:
    """How many patches each of the largest clusters has."""
    names = cluster_names(labels)
    sizes = [f"{mark}: {int((labels == label).sum())}" for label, mark in names.items()]
    clusters, alone = sizes[:-1], int((labels == UNASSIGNED).sum())
    shown = clusters[:6] + (["…"] if len(clusters) > 6 else [])
    return "  ".join([*shown, *([sizes[-1]] if alone else [])])


def _alike(found: Sequence[Chosen]) -> RenderableType:
    """How alike every two partitions are."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    for header in ("partition", "and"):
        table.add_column(header, overflow="fold")
    for header in ("Jaccard", "with unions"):
        table.add_column(header, justify="right", no_wrap=True)
    for one, other in itertools.combinations(found, 2):
        table.add_row(
            Text(one.name),
            Text(other.name),
            _number(best_match_jaccard(one.labels, other.labels)),
            _number(match(one.labels, other.labels).score),
        )
    caption = (
        "Jaccard: best matches cluster by cluster; with unions: where clusters of one may be split "
        "or merged in the other (harness compare-partitions tells which)."
    )
    return Group(table, Text(caption, "italic dim"))
