"""The leaderboard as a table in the terminal."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.analysis.leaderboard import Comparison, Row
from harness.analysis.method import differing_fields
from harness.views.tables import NOTHING, p_text

if TYPE_CHECKING:
    import pandas

# Of names: less cannot be read, longer ones are folded.
NARROWEST = 14
TIER = "tier"
# Width of a console from which columns stand further apart.
ROOMY = 100


@dataclass(frozen=True)
class Board:
    """A run's rows with what its tables say about them; by is the column they are sorted by."""

    run: str
    rows: Sequence[Row]
    comparisons: Sequence[Comparison]
    settings: Mapping[str, Any]
    controls: Sequence[str]
    by: str | None = None


def show(
    boards: Sequence[Board],
    console: Console,
    *,
    pairs: bool = False,
    stabilities: Sequence["pandas.DataFrame"] = (),
) -> None:
    """Print each run's table, and beside it what each of several controls says.

    With `pairs` also what was tested between every two methods; with the boards' `stabilities`
    also how stable the clusters are, kind by kind.
    """
    gap = 1 if console.width >= ROOMY else 0
    for board in boards:
        console.print(_fitting_table(board, gap, console))
        if len(board.controls) > 1:
            console.print(_controls_table(board))
        for comparison in board.comparisons if pairs else ():
            console.print(_pairs_table(comparison))
    for board, frame in zip(boards, stabilities, strict=False):
        console.print(_stability_table(board, frame))


def _empty_table(title: str, gap: int = 1) -> Table:
    return Table(
        title=Text(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, gap, 0, 0),
    )


def _fitting_table(board: Board, gap: int, console: Console) -> Group:
    """The table with as many columns as the console has room for, the most important ones."""
    columns = [column for column in COLUMNS if any(column.is_told(row) for row in board.rows)]
    for column in LEAST_IMPORTANT:
        if _least_width(board.rows, columns, gap) <= console.width:
            break
        if column in columns:
            columns.remove(column)
    return Group(_table(board, columns, gap), Text(_caption(board, columns)))


def _least_width(rows: Sequence[Row], columns: Sequence["Column"], gap: int) -> int:
    """What a table needs in which names are folded as narrowly as can be read."""
    widths = [len(TIER)]
    for name in ("clusterer", *_varying(rows)):
        longest = max((len(getattr(row.method, name)) for row in rows), default=0)
        widths.append(max(len(name), min(NARROWEST, longest)))
    for column in columns:
        widths.append(max(len(text) for text in (column.header, *map(column.show, rows))))
    # Beside the padding a rule's width parts columns.
    return sum(widths) + len(widths) * (gap + 1)


def _table(board: Board, columns: Sequence["Column"], gap: int) -> Table:
    rows = board.rows
    table = _empty_table(board.run, gap)
    table.add_column(TIER, justify="right", no_wrap=True)
    table.add_column("clusterer", overflow="fold")
    varying = _varying(rows)
    for name in varying:
        table.add_column(name, overflow="fold", min_width=min(NARROWEST, len(name)))
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            NOTHING if row.tier is None else str(row.tier),
            Text(row.method.clusterer),
            *(Text(getattr(row.method, name)) for name in varying),
            *(column.show(row) for column in columns),
        )
    return table


def _varying(rows: Sequence[Row]) -> list[str]:
    return differing_fields([row.method for row in rows])[1:]


def _controls_table(board: Board) -> Group:
    """Every method beside every control."""
    table = _empty_table("Beside each control")
    varying = _varying(board.rows)
    for name in ("clusterer", *varying, "control"):
        table.add_column(name, overflow="fold", min_width=min(NARROWEST, len(name)))
    for header in ("p", "z", "signif"):
        table.add_column(header, justify="right", no_wrap=True)
    for row in board.rows:
        for beside in row.controls:
            table.add_row(
                Text(row.method.clusterer),
                *(Text(getattr(row.method, name)) for name in varying),
                Text(beside.control),
                p_text(beside.p_value),
                _figure(beside.z, 1),
                f"{beside.significant}/{row.ok}",
            )
    caption = (
        "p: median over maps, selection included; z: mean, in deviations of the draws' statistics; "
        "signif: maps at a false discovery rate of 5 %."
    )
    return Group(table, Text(caption))


def _pairs_table(comparison: Comparison) -> Group:
    """What was tested between every two methods on one set."""
    omnibus = (
        "Friedman's test needs three complete methods and six images."
        if comparison.omnibus is None
        else f"Friedman's test of all complete methods: p {p_text(comparison.omnibus)}."
    )
    table = _empty_table(f"Pairs on {comparison.image_set}")
    for name in ("first", "second"):
        table.add_column(name, overflow="fold", min_width=min(NARROWEST, len(name)))
    for header in ("wins", "p", "q"):
        table.add_column(header, justify="right", no_wrap=True)
    for pair in comparison.pairs:
        table.add_row(
            Text(pair.first),
            Text(pair.second),
            _figure(pair.wins, 2),
            p_text(pair.p),
            p_text(pair.q),
        )
    caption = (
        f"{omnibus} wins: how much more often the first is better than worse, over images and "
        "criteria, in −1 … 1; p: Wilcoxon's signed-rank test of that, two-sided; q: the smallest "
        "false discovery rate over all pairs, which may depend on each other."
    )
    return Group(table, Text(caption))


def _stability_table(board: Board, frame: "pandas.DataFrame") -> Group:
    """Every method's stability of each kind, and the cluster that is found again least."""
    table = _empty_table("How well clusters are found again")
    varying = [name for name in _varying(board.rows) if name != "image_set"]
    place = ["clusterer", *varying]
    for name in (*place, "kind"):
        table.add_column(name, overflow="fold")
    for header in ("maps", "Jaccard"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("least stable cluster", overflow="fold")
    for key, of_it in frame.groupby([*place, "kind"], sort=False):
        named = of_it[of_it["weakest"] >= 0]
        least = "–"
        if len(named):
            worst = named.sort_values("weakest_jaccard").iloc[0]
            least = (
                f"{worst['weakest_jaccard']:.2f}: cluster {worst['weakest']} of {worst['image']}, "
                f"{worst['weakest_size']} nodes"
            )
        mean = of_it["jaccard"].mean()
        shown = _figure(None if math.isnan(mean) else float(mean), 2)
        names = (Text(str(part)) for part in key)
        table.add_row(*names, str(len(of_it)), shown, Text(least))
    caption = (
        "Jaccard: adjusted for chance, the mean over accepted maps. The least stable cluster has "
        "the smallest mean of its best Jaccard indices, which is not adjusted; at most .5 is "
        "dissolved, .75 valid, .85 highly stable (Hennig 2007)."
    )
    return Group(table, Text(caption))


def _figure(value: float | None, digits: int) -> str:
    # The sum keeps a rounded −0 from being shown as such.
    return NOTHING if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _interval(row: Row) -> str:
    if row.excess_low is None or row.excess_high is None:
        return NOTHING
    return f"{_figure(row.excess_low, 2)}…{_figure(row.excess_high, 2)}"


def _found(row: Row) -> Text:
    return Text(f"{row.ok}/{row.total}", style="red" if row.ok < row.total else "")


@dataclass(frozen=True)
class Column:
    """One column of figures: its header, what a row shows, what the caption says of it.

    It is shown where `is_told` holds of any row.
    """

    header: str
    show: Callable[[Row], str | Text]
    meaning: str = ""
    is_told: Callable[[Row], bool] = lambda row: True


COLUMNS = (
    Column("Q", lambda row: _figure(row.modularity, 3), "mean modularity"),
    Column(
        "control",
        lambda row: _figure(row.control_modularity, 3),
        "the reference control's at the level selected on the image",
        lambda row: row.control_modularity is not None,
    ),
    Column(
        "excess",
        lambda row: _figure(row.excess, 3),
        "modularity less the control's",
        lambda row: row.excess is not None,
    ),
    Column(
        "95 %",
        _interval,
        "bootstrap interval of the excess over images",
        lambda row: row.excess_low is not None,
    ),
    Column(
        "±images",
        lambda row: _figure(row.across_images, 3),
        "standard deviation across images, of means over seeds",
        lambda row: row.across_seeds is not None,
    ),
    Column(
        "±seeds",
        lambda row: _figure(row.across_seeds, 3),
        "and across seeds of one image",
        lambda row: row.across_seeds is not None,
    ),
    Column(
        "p",
        lambda row: p_text(row.p_value),
        "median over maps, selection included",
        lambda row: row.p_value is not None,
    ),
    Column(
        "signif",
        lambda row: NOTHING if row.significant is None else f"{row.significant}/{row.ok}",
        "maps at a false discovery rate of 5 %",
        lambda row: row.p_value is not None,
    ),
    Column(
        "Jaccard",
        lambda row: _figure(row.jaccard, 2),
        "stability, the smallest of levels, seeds, perturbations; 0 is chance",
        lambda row: row.jaccard is not None,
    ),
    Column(
        "ARI", lambda row: _figure(row.ari, 3), "with the truth", lambda row: row.ari is not None
    ),
    Column(
        "k error",
        lambda row: _figure(row.k_error, 1),
        "mean error in the number of clusters",
        lambda row: row.k_error is not None,
    ),
    Column(
        "false",
        lambda row: _figure(row.false_alarms, 2),
        "share of maps without communities at p ≤ .05",
        lambda row: row.false_alarms is not None,
    ),
    Column("k", lambda row: _figure(row.n_clusters, 1), "clusters where accepted"),
    Column(
        "found",
        lambda row: f"{row.accepted}/{row.ok}",
        "maps on which the selector accepted a level; the others count with 0",
    ),
    Column("ok", _found, "maps with a result"),
    Column("s", lambda row: _figure(row.seconds, 2), "the method's seconds for a map"),
)


# The first to go where a console is narrow. Those that tell of failures stay.
LEAST_IMPORTANT = [
    column
    for header in ("s", "±images", "±seeds", "k", "95 %", "control", "found", "k error", "p", "Q")
    for column in COLUMNS
    if column.header == header
]


def _caption(board: Board, columns: Sequence[Column]) -> str:
    settings = board.settings
    order = (
        f"Sorted by {board.by}."
        if board.by
        else "Methods of one tier cannot be told apart; complete ones come first."
    )
    beside = (
        f"Reference control: {board.controls[0]}. "
        if board.controls
        else "Run without a control: nothing here says whether noise would do as well. "
    )
    shared = [
        f"{name} {value}"
        for name, key in (("selector", "selectors"), ("graph", "graphs"), ("maps", "extractors"))
        if len(settings[key]) == 1
        for value in settings[key]
    ]
    meanings = "; ".join(
        f"{column.header}: {column.meaning}" for column in columns if column.meaning
    )
    left_out = ", ".join(
        column.header
        for column in COLUMNS
        if column not in columns and any(column.is_told(row) for row in board.rows)
    )
    more = f" No room here for {left_out}; --json has them." if left_out else ""
    common = "; ".join([*shared, f"{settings['levels']} levels"])
    return f"{_verdict(board)}{common}. {order} {beside}{meanings}.{more}"


def _verdict(board: Board) -> str:
    """Said where it is so: that nothing was found that noise would not show."""
    tested = [row for row in board.rows if row.significant is not None and row.ok]
    if tested and not any(row.significant for row in tested):
        return "Nothing here is more than the control shows. "
    return ""
