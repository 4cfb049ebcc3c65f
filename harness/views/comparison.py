"""Two runs beside each other in the terminal: a table for each method, and what else differs."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.comparison import METRICS, Change, PairedMethod, PairedMetric, PairedRuns
from harness.views.tables import NOTHING, p_text

# Of the column of figures, the longest name; so that methods' tables stand under each other.
LONGEST = max(map(len, METRICS))
MEANINGS = (
    "first, second: means over pairs that are ok in both runs, 0 where nothing was accepted; of "
    "jaccard and n_clusters where both accepted; of seconds medians. change: second less first. "
    "95 %: bootstrap interval over images. p: Wilcoxon's signed-rank test over images, from six "
    "on, not corrected for the number of rows. + = −: images on which the second is better, the "
    "same, worse."
)


def show(runs: PairedRuns, console: Console) -> None:
    """Print what is the same, each method's figures, and what else differs."""
    console.print(Text(f"first:  {runs.first}\nsecond: {runs.second}"))
    console.print(Text(_summary(runs), style="bold"))
    shared = _shared(runs.methods)
    for method in runs.methods:
        console.print()
        console.print(Text(_heading(method, shared)))
        if method.ok:
            console.print(_table(method.metrics))
    console.print()
    console.print(Text("\n".join(_caption(runs, shared)), style="italic dim"))


def _summary(runs: PairedRuns) -> str:
    alone_first = sum(method.only_first for method in runs.methods)
    alone_second = sum(method.only_second for method in runs.methods)
    alone = (
        f"; {alone_first} in the first run only, {alone_second} in the second only"
        if alone_first or alone_second
        else ""
    )
    if not runs.paired:
        return f"Nothing is paired{alone}."
    if runs.identical:
        return (
            f"The runs are the same: {runs.paired} pairs, every difference but of seconds exactly "
            "0, all labels equal."
        )
    changed = sum(method.changed for method in runs.methods)
    broken = sum(method.newly_failed for method in runs.methods)
    failed = f"; {broken} ok in the first run only" if broken else ""
    return (
        f"{runs.paired} pairs: {changed} with other figures, {runs.relabelled} with other labels"
        f"{failed}{alone}."
    )


def _shared(methods: Sequence[PairedMethod]) -> dict[str, str]:
    """The parts that all methods have in common, to be told once."""
    parts = ("selector", "graph", "extractor", "image_set")
    values = {part: {getattr(method.method, part) for method in methods} for part in parts}
    return {part: found.pop() for part, found in values.items() if len(found) == 1}


def _heading(method: PairedMethod, shared: dict[str, str]) -> str:
    parts = method.method._asdict().items()
    name = " ".join(value for part, value in parts if part not in shared and value)
    counts = [
        f"{count} {words}"
        for count, words in (
            (method.paired, "pairs"),
            (method.newly_failed, "ok in the first run only"),
            (method.fixed, "ok in the second run only"),
            (method.failed, "ok in neither"),
            (method.only_first, "without a partner in the second run"),
            (method.only_second, "without a partner in the first run"),
        )
        if count or words == "pairs"
    ]
    return f"{name}: {', '.join(counts)}"


def _table(figures: Sequence[PairedMetric]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("", no_wrap=True, min_width=LONGEST)
    for header, width in (
        ("pairs", 5), ("first", 6), ("second", 6), ("change", 7), ("95 %", 13), ("p", 5),
        ("+ = −", 7),
    ):  # fmt: skip
        table.add_column(header, justify="right", no_wrap=True, min_width=width)
    for figure in figures:
        if figure.pairs or figure.lost or figure.gained:
            table.add_row(
                figure.metric,
                str(figure.pairs),
                _number(figure.first),
                _number(figure.second),
                _change(figure.difference),
                _interval(figure),
                p_text(figure.p),
                _wins(figure),
            )
    return table


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{round(value, 3) + 0.0:.3f}"


def _change(value: float | None) -> str:
    """With its sign; 0 only where it is exactly that."""
    if value is None:
        return NOTHING
    if not value:
        return "0"
    return f"{value:+.3f}" if abs(value) >= 0.0005 else f"{value:+.0e}"


def _interval(figure: PairedMetric) -> str:
    if figure.low is None or figure.high is None:
        return NOTHING
    return f"{round(figure.low, 3) + 0.0:.3f}…{round(figure.high, 3) + 0.0:.3f}"


def _wins(figure: PairedMetric) -> str:
    if figure.wins is None or figure.losses is None:
        return NOTHING
    return f"{figure.wins} {figure.ties} {figure.losses}"


def _caption(runs: PairedRuns, shared: dict[str, str]) -> Iterator[str]:
    told = "; ".join(f"{part} {value}" for part, value in shared.items() if value)
    if told:
        yield f"{told}."
    for words, changes in (
        ("Paired although spelled otherwise", runs.renamed),
        ("Settings that differ", runs.settings),
        ("Circumstances that differ", runs.environment),
    ):
        if changes:
            yield f"{words}: {'; '.join(map(_told, changes))}."
    if runs.by_name:
        yield f"Paired by name although their pixels differ: {runs.by_name} images."
    for method in runs.methods:
        for figure in method.metrics:
            if figure.lost or figure.gained:
                yield (
                    f"{method.method.clusterer}: {figure.metric} in the first run only on "
                    f"{figure.lost}, in the second only on {figure.gained} of its pairs."
                )
    yield MEANINGS


def _told(change: Change) -> str:
    return f"{change.name} {change.first or NOTHING} → {change.second or NOTHING}"
