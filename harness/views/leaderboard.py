"""The leaderboard in the terminal: methods, their pairs and stability, their heads and layers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console

from harness.analysis.board import Board
from harness.analysis.columns import heading_of
from harness.analysis.labels import method_labels, spec_labels
from harness.analysis.leaderboard import Comparison, ControlTest, MethodPair, Row
from harness.analysis.method import MethodKey, short_names
from harness.analysis.verdicts import Verdict
from harness.views.tables import (
    CAPTION,
    NOTHING,
    Column,
    interval,
    number,
    p_text,
    print_text,
    show_table,
)

if TYPE_CHECKING:
    import pandas

HEADS = "Heads of each method by their effect; false discoveries are over all heads."
LAYERS = (
    "Means over images × heads of a layer; intervals over images; false discoveries over all maps."
)
STABILITY = (
    "Jaccard: adjusted for chance, mean over accepted maps. Best Jaccard of the least stable "
    "cluster: ≤ .5 is dissolved, ≥ .75 valid, ≥ .85 highly stable."
)
FALSE_DISCOVERIES = "maps at 5 % false discoveries"
FALSE_ALARMS = "alarms at p ≤ .05"
SCORES = (
    "Means over maps with a level, and in brackets those of the reference control's draws at the "
    "same level"
)
# Columns that tell of failures are never dropped.
COLUMNS: Sequence[Column[Row]] = (
    Column("Q", lambda row: number(row.modularity), "mean modularity", drop=10),
    Column(
        "control",
        lambda row: number(row.control_modularity),
        "the control's at the same level",
        "filled",
        drop=6,
    ),
    Column("effect", lambda row: number(row.effect), "Q minus control, bias-corrected", "filled"),
    Column(
        "95 %",
        lambda row: interval(row.effect_low, row.effect_high),
        "interval of effect over images",
        "filled",
        drop=5,
    ),
    Column(
        "±images",
        lambda row: NOTHING if row.across_seeds is None else number(row.across_images),
        "deviation across images",
        "filled",
        drop=2,
    ),
    Column("±seeds", lambda row: number(row.across_seeds), "across seeds", "filled", drop=3),
    Column("p", lambda row: p_text(row.p_value), "median over maps", "filled", drop=9),
    Column(
        "signif",
        lambda row: NOTHING if row.significant is None else f"{row.significant}/{row.ok}",
        FALSE_DISCOVERIES,
        "filled",
    ),
    Column("Jaccard", lambda row: number(row.jaccard, 2), "stability, 0 is chance", "filled"),
    Column("ARI", lambda row: number(row.ari), "with the truth", "filled"),
    Column("k error", lambda row: number(row.k_error, 1), "of the clusters", "filled", drop=8),
    Column("false", lambda row: number(row.false_alarms, 2), FALSE_ALARMS, "filled"),
    Column("k", lambda row: number(row.n_clusters, 1), "clusters", drop=4),
    Column("found", lambda row: f"{row.accepted}/{row.ok}", "maps with a level", drop=7),
    Column(
        "ok",
        lambda row: (f"{row.ok}/{row.total}", "red" if row.ok < row.total else ""),
        "maps with a result",
    ),
    Column("s", lambda row: number(row.seconds, 2), "seconds for a map", drop=1),
)
PAIR_COLUMNS: Sequence[Column[MethodPair]] = (
    Column("wins", lambda pair: number(pair.wins, 2), "of the first less losses, −1 … 1"),
    Column("p", lambda pair: p_text(pair.p), "two-sided signed-rank test of that"),
    Column("q", lambda pair: p_text(pair.q), "false discovery rate over all pairs"),
)

VERDICT_COLUMNS: Sequence[Column[Verdict]] = (
    Column("selector", lambda each: each.selector, words=True, specs=True),
    Column("control", lambda each: each.control, words=True, specs=True),
    Column("tests", lambda each: str(each.reach.tests)),
    Column("signif", lambda each: str(each.significant), "tests at 5 % false discoveries"),
    Column(
        "smallest p", lambda each: str(each.at_smallest), "tests at the smallest p of their draws"
    ),
    Column("by chance", lambda each: number(each.by_chance, 1), "how many of these chance gives"),
)


def show(
    boards: Sequence[Board],
    console: Console,
    *,
    pairs: bool = False,
    stabilities: Sequence["pandas.DataFrame"] = (),
) -> None:
    """Print each run's table, scores, tests against several controls, pairs and stabilities."""
    for board in boards:
        _show_methods(board, console)
        _show_scores(board, console)
        if len(board.controls) > 1:
            _show_controls(board, console)
        _show_caveats(board.caveats, console)
        if pairs:
            show_comparisons(board.comparisons, console)
    for frame in stabilities:
        _show_stability(frame, console)


def show_comparisons(comparisons: Iterable[Comparison], console: Console) -> None:
    """Print the tests between the methods of every set."""
    for comparison in comparisons:
        _show_pairs(comparison, console)


def show_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print how many tests of every selector and control stand out, and what follows from that."""
    show_table(console, VERDICT_COLUMNS, verdicts)
    for line in conclusions(verdicts):
        print_text(console, line, "bold")


def show_per(
    per: str, runs: Iterable[tuple[str, Sequence[Any], Mapping[str, str]]], console: Console
) -> None:
    """Print each run's `HeadRow`s, per "head", or its `LayerRow`s, per "layer".

    With each run's folder and rows come the caveats of its reference control.
    """
    columns, caption = (head_columns(), HEADS) if per == "head" else (layer_columns(), LAYERS)
    for run, rows, caveats in runs:
        show_table(console, [*method_columns(), *columns], rows, title=run, caption=caption)
        _show_caveats(caveats, console)


def head_columns() -> list[Column[Any]]:
    """The columns of a table with a row for each head."""
    return [
        Column("layer", lambda row: str(row.layer), shown="varying"),
        Column("head", lambda row: str(row.head)),
        *_figures("Q", "control", "effect", "95 %", "p", "signif", "k", "ok"),
    ]


def layer_columns() -> list[Column[Any]]:
    """The columns of a table with a row for each layer."""
    headings = ("Q", "control", "effect", "95 %", "k", "Jaccard", "found", "signif", "ok")
    return [Column("layer", lambda row: str(row.layer)), *_figures(*headings)]


def method_columns(
    method: Callable[[Any], MethodKey] = lambda row: row.method,
) -> list[Column[Any]]:
    """The names of a method: its clusterer, and of the others what differs between rows."""

    def column(name: str) -> Column[Any]:
        return Column(
            heading_of(name),
            lambda row: getattr(method(row), name),
            words=True,
            specs=True,
            shown="always" if name == "clusterer" else "varying",
        )

    return [column(name) for name in MethodKey._fields]


def _figures(*headings: str) -> list[Column[Any]]:
    """Columns of the leaderboard, in this order."""
    by_heading = {column.heading: column for column in COLUMNS}
    return [by_heading[heading] for heading in headings]


def _show_methods(board: Board, console: Console) -> None:
    order = (
        f"Sorted by {board.by}."
        if board.by
        else "Methods of one tier cannot be told apart; complete ones come first."
    )
    undrawn = ", as none was drawn" if board.settings["controls"] else ""
    control = (
        f"Reference control: {spec_labels(board.controls[:1]).of[board.controls[0]]}."
        if board.controls
        else f"Run without a control{undrawn}: nothing here says whether noise would do as well."
    )
    columns = [
        Column[Row]("tier", lambda row: NOTHING if row.tier is None else str(row.tier)),
        *method_columns(),
        *COLUMNS,
    ]
    reaches = dict.fromkeys(f"{each.reach}." for each in board.verdicts)
    about = [*ranked_over(board), control, *reaches, f"{board.settings['levels']} levels."]
    if board.inline:
        about.append("Run without isolation: time and memory limits did not hold.")
    show_table(console, columns, board.rows, title=board.run, about=" ".join(about), caption=order)
    for line in () if board.unfinished else conclusions(board.verdicts):
        print_text(console, line, "bold")


def ranked_over(board: Board) -> Iterator[str]:
    """Over how many images methods are ranked, for every set, and which methods are not."""
    methods = [row.method for row in board.rows]
    names = dict(zip(methods, method_labels(methods), strict=True))
    for each in board.comparisons:
        where = (
            f" of {spec_labels([each.image_set]).of[each.image_set]}"
            if len(board.comparisons) > 1
            else ""
        )
        if each.ranked == each.images:
            count = f"all {each.images} images" if each.images > 1 else "1 image"
            yield f"Ranked over {count}{where}."
        elif each.ranked:
            yield f"Ranked over {each.ranked} of {each.images} images{where}, which all completed."
        else:
            yield f"Not ranked: no image{where} was completed by all methods."
        left_out = [names[row.method] for row in each.rows if row.mean_rank is None]
        if each.ranked and left_out:
            yield f"Left out, without a complete image: {', '.join(left_out)}."


def conclusions(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Where nothing stands out, and where too few draws leave it open."""
    controls = list(dict.fromkeys(each.control for each in verdicts))
    selectors = {each.selector for each in verdicts}
    empty = [
        control
        for control in controls
        if all(each.nothing for each in verdicts if each.control == control)
    ]
    if empty:
        shown = "the control shows" if empty == controls else f"{' or '.join(empty)} shows"
        yield f"Nothing here is more than {shown}."
    for each in verdicts:
        if each.nulls is not None:
            under = f" under {each.control}" if len(controls) > 1 else ""
            by = f" by {each.selector}" if len(selectors) > 1 else ""
            tests = f"{each.at_smallest} of {each.reach.tests} tests have"
            yield (
                f"Too few draws to tell{under}{by}: "
                f"{tests if each.reach.tests > 1 else 'the one test has'} the smallest p that there"
                f" can be (chance gives {number(each.by_chance, 1)}), too few for q ≤ .05. "
                f"--nulls {each.nulls} would settle it."
            )


def _show_scores(board: Board, console: Console) -> None:
    """Print a column for each score, and which of them lack figures."""
    # Of all methods alike.
    scores = board.rows[0].scores if board.rows else ()
    if not scores:
        return
    labels = spec_labels([each.score for each in scores]).of
    columns = [
        Column[Row](labels[each.score], partial(_score_text, index))
        for index, each in enumerate(scores)
    ]
    smaller = [labels[each.score] for each in scores if not each.higher_is_better]
    better = f"; a smaller {' or '.join(smaller)} is better" if smaller else ""
    show_table(
        console,
        [*method_columns(), *columns],
        board.rows,
        title="Scores",
        caption=f"{SCORES}{better}.",
    )
    missing = [
        labels[each.score]
        for index, each in enumerate(scores)
        if any(row.scores[index].unscored for row in board.rows)
    ]
    if missing:
        line = (
            f"Some levels have no {' or '.join(missing)}, or it failed; harness score tries again."
        )
        print_text(console, line, CAPTION)


def _score_text(index: int, row: Row) -> str:
    """The mean of a row's score, and in brackets the control's."""
    score = row.scores[index]
    control = "" if score.control is None else f" ({number(score.control)})"
    return f"{number(score.value)}{control}"


def _show_controls(board: Board, console: Console) -> None:
    columns: list[Column[tuple[Row, ControlTest]]] = [
        *method_columns(lambda pair: pair[0].method),
        Column("control", lambda pair: pair[1].control, words=True, specs=True),
        Column("p", lambda pair: p_text(pair[1].p_value), "median over maps"),
        Column("z", lambda pair: number(pair[1].z, 1), "mean, in deviations of the draws"),
        Column("signif", lambda pair: _significant(*pair), FALSE_DISCOVERIES),
        Column("false", lambda pair: number(pair[1].false_alarms, 2), FALSE_ALARMS, "filled"),
    ]
    rows = [(row, test) for row in board.rows for test in row.controls]
    show_table(console, columns, rows, title="Each control")


def _show_caveats(caveats: Mapping[str, str], console: Console) -> None:
    """Print why small p values may not be evidence, by control, below their table."""
    for control, caveat in caveats.items():
        print_text(console, f"{control}: {caveat}.", CAPTION)


def _significant(row: Row, test: ControlTest) -> str:
    """On how many maps a method is significant under a control, if that was drawn at all."""
    return NOTHING if test.p_value is None else f"{test.significant}/{row.ok}"


def _show_pairs(comparison: Comparison, console: Console) -> None:
    omnibus = (
        "Friedman's test needs three complete methods and six images."
        if comparison.omnibus is None
        else f"Friedman's test of all complete methods: p {p_text(comparison.omnibus)}."
    )
    methods = [row.method for row in comparison.rows]
    labels = dict(zip(short_names(methods), method_labels(methods), strict=True))
    columns: list[Column[MethodPair]] = [
        Column("first", lambda pair: labels[pair.first], words=True),
        Column("second", lambda pair: labels[pair.second], words=True),
        *PAIR_COLUMNS,
    ]
    title = f"Pairs on {spec_labels([comparison.image_set]).of[comparison.image_set]}"
    show_table(console, columns, comparison.pairs, title=title, caption=omnibus)


def _show_stability(frame: "pandas.DataFrame", console: Console) -> None:
    """Print every method's stability of each kind, and its least stable cluster."""
    columns: list[Column[Any]] = [
        *method_columns(lambda row: MethodKey._make([*row[0][:-1], ""])),
        Column("kind", lambda row: row[0][-1], words=True),
        Column("maps", lambda row: str(len(row[1]))),
        Column("Jaccard", lambda row: number(row[1]["jaccard"].mean(), 2)),
        Column("least stable cluster", lambda row: _least_stable(row[1]), words=True, folds=True),
    ]
    # Over all image sets, as the stability of a method.
    rows = list(frame.groupby([*MethodKey._fields[:-1], "kind"], sort=False))
    show_table(console, columns, rows, title="How well clusters are found again", caption=STABILITY)


def _least_stable(stabilities: "pandas.DataFrame") -> str:
    named = stabilities[stabilities["weakest_cluster"] >= 0]
    if not len(named):
        return NOTHING
    worst = named.sort_values("weakest_jaccard").iloc[0]
    return (
        f"{number(worst['weakest_jaccard'], 2)}: cluster {worst['weakest_cluster']} of "
        f"{worst['image']}, {worst['weakest_size']} nodes"
    )
