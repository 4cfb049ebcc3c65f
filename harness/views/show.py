"""One image of a run in the terminal: levels selected, profiles, cluster maps, methods compared."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.text import Text

from harness.analysis.image import ImageReport, MethodReport, SelectorReport
from harness.analysis.labels import spec_labels
from harness.analysis.outcomes import stabilities
from harness.analysis.partitions import CELL_KEYS
from harness.errors import escape_line
from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.matching import match
from harness.metrics.partition import drop_singletons, in_order, numbered
from harness.plugin.patches import crop
from harness.plugin.profile import Point
from harness.plugin.values import Image, Integers
from harness.views.blocks import cell_width, cluster_map, cluster_sizes, profile_plot, shaded
from harness.views.fitting import wrapped
from harness.views.tables import (
    CAPTION,
    NOTHING,
    Column,
    number,
    p_text,
    print_text,
    safe_text,
    show_table,
)

if TYPE_CHECKING:
    import pandas

PICTURE_COLUMNS = 28
MATRIX_COLUMNS = 40
MOST_OTHERS = 8
MAPS = (
    "Clusters are numbered from 1, the largest first; · is in none. The image and the maps have "
    "the same rows."
)
MATRICES = "The matrices: what each patch (a row) attends to, in the order of the clusters."
IMAGES = (
    "By method: on how many of the image's selections a level was accepted. "
    "`harness show RUN IMAGE` shows one image closely."
)


# A selection with the point that it chose, if there are any.
_Selected = tuple[MethodReport, SelectorReport | None, Point | None]


@dataclass(frozen=True, eq=False)
class ShowContext:
    """A map with everything that is shown of it: what the run holds, and what can be loaded.

    image: its pixels; weights: those of the map. Each is None if it cannot be loaded; remarks say
    why.
    """

    report: ImageReport
    image: Image | None = None
    weights: NDArray[np.floating[Any]] | None = None
    remarks: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class NamedPartition:
    """A partition to be shown, by its numbered labels (n,)."""

    name: str
    labels: Integers
    accepted: bool

    @property
    def shared(self) -> Integers:
        """The labels with clusters of one patch unassigned (−1)."""
        return drop_singletons(self.labels)

    @property
    def title(self) -> str:
        """The name, and whether the selector did not accept it."""
        return self.name if self.accepted else f"{self.name} (not accepted)"


def partitions(report: ImageReport) -> list[NamedPartition]:
    """The partition of every method and selector, then the planted communities if there are any."""
    found = [
        NamedPartition(
            method_name(report, method, selection),
            numbered(point.labels),
            selection.accepted,
        )
        for method in report.methods
        for selection in method.selections
        if (point := _point(method, selection))
    ]
    if report.truth is not None:
        found.append(NamedPartition("truth", numbered(report.truth), accepted=True))
    return found


def method_name(report: ImageReport, method: MethodReport, selection: SelectorReport) -> str:
    """The method's label, with its selector's if there are several."""
    selectors = [each.selector for of_method in report.methods for each in of_method.selections]
    name = spec_labels(each.clusterer for each in report.methods).of[method.clusterer]
    selector = spec_labels(selectors).of[selection.selector]
    return f"{name}, {selector}" if len(set(selectors)) > 1 else name


def show(context: ShowContext, console: Console) -> None:
    """Print everything about one map."""
    report = context.report
    print_text(console, "\n".join(_heading(context)))
    for remark in context.remarks:
        print_text(console, remark, "yellow")
    console.print()
    _show_selections(report, console)
    for line in _reasons(report):
        print_text(console, line, CAPTION)
    for method in report.methods:
        if len(method.profile):
            console.print()
            console.print(profile_plot(method, console.width), soft_wrap=True)
    found = partitions(report)
    pictures = list(_pictures(context, found, console.width))
    if pictures:
        console.print()
        console.print(Columns(pictures, padding=(1, 2)))
        if found:
            print_text(console, MAPS if report.grid is not None else MATRICES, CAPTION)
    if len(found) > 1:
        console.print()
        _show_similarity(found, console)


def show_partition(
    context: ShowContext, heading: str, partition: NamedPartition, console: Console
) -> None:
    """Print the clusters of one partition, on the grid or as the map in their order."""
    print_text(console, "\n".join([*_heading(context), heading]))
    pictures = list(_pictures(replace(context, image=None), [partition], console.width))
    if pictures:
        console.print(Columns(pictures, padding=(1, 2)))
    else:
        print_text(console, f"{partition.title}: {cluster_sizes(partition.shared)}")


def show_images(
    cells: "pandas.DataFrame",
    images: "pandas.DataFrame",
    selections: "pandas.DataFrame",
    console: Console,
) -> None:
    """Print every image or map of the run, and which methods found clusters on it."""
    key = ["image_set", "image"]
    observed = cells[cells["role"] == "observed"]
    unreadable, classes = (
        images.set_index(key)[name].to_dict() for name in ("reason", "class_name")
    )
    accepted = selections.groupby([*key, "clusterer"])["accepted"].agg(["sum", "size"])
    counts = {of: f"{found}/{total}" for of, found, total in accepted.itertuples(name=None)}
    skipped = observed.groupby(key).filter(lambda cells: cells["status"].eq("skipped").all())
    reasons = skipped.groupby(key)["reason"].first().to_dict()
    labels = spec_labels(observed["clusterer"].unique()).of

    def column(clusterer: str) -> Column[tuple[str, str]]:
        return Column(labels[clusterer], lambda image: counts.get((*image, clusterer), ""))

    columns: list[Column[tuple[str, str]]] = [
        Column("image", lambda image: str(image[1]), words=True),
        Column("class", lambda image: classes.get(image, ""), words=True, shown="filled"),
        *map(column, labels),
        Column(
            "skipped",
            lambda image: (unreadable.get(image) or reasons.get(image, ""), "red"),
            words=True,
            folds=True,
            shown="filled",
        ),
    ]
    rows = list(observed[key].drop_duplicates().itertuples(index=False, name=None))
    show_table(console, columns, rows, caption=IMAGES)


def _heading(context: ShowContext) -> Iterator[str]:
    report = context.report
    facts = [escape_line(report.image)]
    if report.label is not None:
        is_named = report.class_name != str(report.label)
        named = f" ({escape_line(report.class_name)})" if is_named else ""
        facts.append(f"label {report.label}{named}")
    if report.size is not None:
        height, width, channels = report.size
        facts.append(f"{height}×{width} pixels, {'grey' if channels == 1 else 'colour'}")
    if report.image_set:
        facts.append(spec_labels([report.image_set]).of[report.image_set])
    yield "; ".join(facts)
    patches = f"{report.nodes} patches"
    if report.grid is not None:
        patches += f" on a grid of {report.grid[0]}×{report.grid[1]}"
    if report.region is not None:
        top, left, high, wide = report.region
        patches += f" over {high:.0f}×{wide:.0f} pixels from ({top:.0f}, {left:.0f})"
    extractor = spec_labels([report.extractor, *report.others.get("extractor", ())])
    yield (
        f"{extractor.of[report.extractor]}, layer {report.layer}, head {report.head}; "
        f"{patches if report.nodes else 'no map'}; graph {report.graph}"
    )
    if report.unreadable:
        yield f"cannot be loaded: {report.unreadable}"
    for key, others in report.others.items():
        labels = spec_labels([str(getattr(report, CELL_KEYS[key])), *others]).of
        yield f"There are also {key} {_listed([labels[each] for each in others])} (--{key})."


def _listed(others: Sequence[str]) -> str:
    """Names one after the other, numbers that follow each other as `0 … 11`; the first eight."""
    shown = list(others)
    if all(other.isdecimal() for other in others):
        # Numbers that follow each other differ from their places by the same.
        numbers = enumerate(sorted(map(int, others)))
        runs = itertools.groupby(numbers, lambda pair: pair[1] - pair[0])
        shown = [_run([str(number) for _, number in run]) for _, run in runs]
    return ", ".join(shown[:MOST_OTHERS]) + (" …" if len(shown) > MOST_OTHERS else "")


def _run(numbers: Sequence[str]) -> str:
    return f"{numbers[0]} … {numbers[-1]}" if len(numbers) > 2 else ", ".join(numbers)


def _show_selections(report: ImageReport, console: Console) -> None:
    noise = next((method.noise for method in report.methods if method.noise), None)

    def of_point(
        heading: str, cell: Callable[[Point], str], meaning: str = "", drop: int = 0
    ) -> Column[_Selected]:
        return Column(heading, lambda row: cell(row[2]) if row[2] else "", meaning, drop=drop)

    columns: list[Column[_Selected]] = [
        Column("method", lambda row: row[0].clusterer, words=True, specs=True),
        Column(
            "selector",
            lambda row: row[1].selector if row[1] else NOTHING,
            words=True,
            specs=True,
            shown="varying",
            drop=1,
        ),
        Column("accepted", _accepted, words=True),
        of_point("level", lambda point: number(point.level)),
        of_point("weights ≥", lambda point: number(point.threshold, 4), drop=2),
        of_point("clusters", lambda point: str(point.n_clusters), "of two patches or more"),
        of_point("Q", lambda point: number(point.modularity), "modularity"),
        Column(
            "control",
            _control,
            f"mean Q there, draws of {noise.control}: {noise.draws}" if noise else "",
            shown="filled",
            drop=3,
        ),
        Column(
            "p",
            lambda row: p_text(row[1].p_value) if row[1] else "",
            "of the selection",
            shown="filled",
        ),
        Column(
            "Jaccard",
            lambda row: number(stabilities(row[1].jaccards)["jaccard"]) if row[1] else "",
            "stability; 0 is chance",
            shown="filled",
        ),
    ]
    rows = [
        (method, selection, _point(method, selection))
        for method in report.methods
        for selection in method.selections or (None,)
    ]
    show_table(console, columns, rows)


def _point(method: MethodReport, selection: SelectorReport | None) -> Point | None:
    if selection is None or selection.candidate is None:
        return None
    return method.profile.points[selection.candidate]


def _accepted(row: _Selected) -> tuple[str, str]:
    method, selection, point = row
    if method.status != "ok":
        return method.status, "red"
    if selection is None or point is None:
        return "failed" if selection else NOTHING, "red"
    return ("yes", "green") if selection.accepted else ("no", "yellow")


def _control(row: _Selected) -> str:
    method, selection, _ = row
    if method.noise is None or selection is None or selection.candidate is None:
        return NOTHING
    return number(float(method.noise.modularity[selection.candidate]))


def _reasons(report: ImageReport) -> Iterator[str]:
    """Why each level was selected, or why there is none."""
    labels = spec_labels(method.clusterer for method in report.methods).of
    for method in report.methods:
        name = labels[method.clusterer]
        if method.status != "ok":
            yield f"{name}: {method.status}: {method.reason}".rstrip(": ")
        elif not method.selections:
            yield f"{name}: no selector was applied yet (harness select)"
        for selection in method.selections:
            yield f"{method_name(report, method, selection)}: {selection.reason}"


def _pictures(
    context: ShowContext, found: Sequence[NamedPartition], width: int
) -> Iterator[RenderableType]:
    """The image, and each partition on the grid, or else the matrix in the order of clusters."""
    report, grid = context.report, context.report.grid
    patch = 2 if grid is None else _patch_width(found, grid, width)
    scale = max(1, PICTURE_COLUMNS // (patch * grid[1])) if grid and patch else 1
    if context.image is not None:
        pixels, title = context.image.pixels, "image"
        if report.region is not None:
            # The cluster maps next to it show this part only.
            pixels, title = crop(pixels, report.region), "image, where the patches lie"
        brightness = pixels.mean(axis=2) / 255
        picture = (
            shaded(brightness, patch * grid[1] * scale, grid[0] * scale)
            if grid and patch
            else shaded(brightness, PICTURE_COLUMNS)
        )
        yield _titled(title, picture, width)
    for each in found:
        if grid is not None:
            picture = Text(f"{grid[0]}×{grid[1]} patches: too wide for this terminal", "dim")
            if patch:
                picture = cluster_map(each.shared, grid, patch, scale)
        elif context.weights is not None:
            order = in_order(each.shared)
            weights = np.sqrt(context.weights[np.ix_(order, order)])
            picture = shaded(weights / max(weights.max(), 1e-300), MATRIX_COLUMNS)
        else:
            continue
        yield Group(_titled(each.title, picture, width), Text(cluster_sizes(each.shared), "dim"))


def _patch_width(found: Sequence[NamedPartition], grid: tuple[int, int], width: int) -> int:
    """Characters of a patch in all maps, so that they are equally large; 0 if one is too wide."""
    widths = [cell_width(each.shared, grid, width) for each in found]
    widest = max(widths, default=2)
    return widest if all(widths) and widest * grid[1] <= width else 0


def _titled(title: str, picture: Text, width: int) -> RenderableType:
    return Group(safe_text("\n".join(wrapped(title, width)), "bold"), picture)


def _show_similarity(found: Sequence[NamedPartition], console: Console) -> None:
    columns: list[Column[tuple[NamedPartition, NamedPartition]]] = [
        Column("partition", lambda pair: pair[0].name, words=True),
        Column("and", lambda pair: pair[1].name, words=True),
        Column(
            "Jaccard",
            lambda pair: number(best_match_jaccard(pair[0].shared, pair[1].shared)),
            "best matches cluster by cluster",
        ),
        Column(
            "with unions",
            lambda pair: number(match(pair[0].shared, pair[1].shared).score),
            "where clusters may be split or merged (`harness compare-partitions` says which)",
        ),
    ]
    show_table(console, columns, list(itertools.combinations(found, 2)))
