"""Two runs compared in the terminal: a table for each method, and what else differs."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from harness.analysis.columns import heading_of
from harness.analysis.comparison import METRICS, PairedMethod, PairedMetric, PairedRuns
from harness.analysis.labels import method_labels, spec_labels
from harness.analysis.method import differing_fields
from harness.views.tables import (
    CAPTION,
    NOTHING,
    Column,
    interval,
    number,
    p_text,
    print_legend,
    print_text,
    show_table,
)

MEANS = (
    "Means over pairs ok in both runs (jaccard, n_clusters: accepted in both), 0 where none was "
    "accepted; medians of seconds."
)
PAIRS = (
    "A pair has the same image, extractor, layer, head, graph, clusterer, selector and repeat in "
    "both runs."
)


def show(runs: PairedRuns, console: Console) -> None:
    """Print a summary, each method's metrics, and what else differs."""
    print_text(console, f"first:  {runs.first}\nsecond: {runs.second}")
    print_text(console, summary(runs), "bold")
    names = method_labels([each.method for each in runs.methods])
    for name, method in zip(names, runs.methods, strict=True):
        console.print()
        print_text(console, f"{name.strip()}: {_counts(method)}")
        if method.ok:
            compared = [each for each in method.metrics if each.pairs or each.lost or each.gained]
            show_table(console, COLUMNS, compared, explain=False)
    console.print()
    if any(method.ok for method in runs.methods):
        print_text(console, "\n".join(_caption(runs)), CAPTION)
        print_legend(console, COLUMNS, MEANS)
    else:
        print_text(console, "\n".join([*differences(runs), PAIRS]), CAPTION)


def summary(runs: PairedRuns) -> str:
    """How many observations are paired, and of how many something differs."""
    first = sum(method.only_first for method in runs.methods)
    second = sum(method.only_second for method in runs.methods)
    alone = f"; {first} in the first run only, {second} in the second only"
    alone = alone if first or second else ""
    if not runs.paired:
        return f"Nothing is paired{alone}."
    if runs.identical:
        return (
            f"The runs are the same: {runs.paired} pairs, no difference but of seconds beyond "
            "rounding, all labels equal."
        )
    changed = sum(method.changed for method in runs.methods)
    broken = sum(method.newly_failed for method in runs.methods)
    failed = f"; {broken} ok in the first run only" if broken else ""
    return (
        f"{runs.paired} pairs: {changed} with other metrics, {runs.relabelled} with other labels"
        f"{failed}{alone}."
    )


def _counts(method: PairedMethod) -> str:
    counts = (
        (method.newly_failed, "ok in the first run only"),
        (method.fixed, "ok in the second run only"),
        (method.failed, "ok in neither"),
        (method.only_first, "without a partner in the second run"),
        (method.only_second, "without a partner in the first run"),
    )
    others = [f"{count} {words}" for count, words in counts if count]
    return ", ".join([f"{method.paired} pairs", *others])


def _change(found: PairedMetric) -> str:
    """The second less the first with its sign; it is 0 only if they tie."""
    change = found.difference
    if change is None:
        return NOTHING
    if not change:
        return "0"
    return f"{change:+.3f}" if abs(change) >= 0.0005 else f"{change:+.0e}"


def _wins(figure: PairedMetric) -> str:
    won = f"{figure.wins} {figure.ties} {figure.losses}"
    return NOTHING if figure.wins is None else won


def _caption(runs: PairedRuns) -> Iterator[str]:
    methods = [each.method for each in runs.methods]
    differing = differing_fields(methods)
    shared = methods[0]._asdict().items() if methods else ()
    if common := [
        f"{heading_of(name)} {spec_labels([value]).of[value]}"
        for name, value in shared
        if value and name not in differing
    ]:
        yield f"In all tables: {'; '.join(common)}."
    yield from differences(runs)


def differences(runs: PairedRuns) -> Iterator[str]:
    """What differs between the runs but the metrics, in sentences."""
    for words, changes in (
        ("Paired although their specs differ", runs.renamed if runs.paired else ()),
        ("Settings that differ", runs.settings),
        ("Circumstances that differ", runs.environment),
    ):
        changed = [
            f"{each.name} {each.first or NOTHING} → {each.second or NOTHING}" for each in changes
        ]
        if changed:
            yield f"{words}: {'; '.join(changed)}."
    if runs.selected_only:
        yield "Labels are compared at the selected levels: a published run has no others."
    if runs.by_name:
        yield f"Paired by name although their pixels differ: {runs.by_name} images."
    for method in runs.methods:
        for figure in method.metrics:
            if figure.lost or figure.gained:
                yield (
                    f"{method.method.clusterer}: {figure.metric} in the first run only on "
                    f"{figure.lost}, in the second only on {figure.gained} of its pairs."
                )


# Widths are fixed, so that the tables of all methods line up.
COLUMNS: Sequence[Column[PairedMetric]] = (
    Column("", lambda each: each.metric, words=True, width=max(map(len, METRICS))),
    Column("pairs", lambda each: str(each.pairs), width=5),
    Column("first", lambda each: number(each.first), width=6),
    Column("second", lambda each: number(each.second), width=6),
    Column("change", _change, "second minus first", width=7),
    Column(
        "95 %",
        lambda each: interval(each.low, each.high, 3),
        "interval over images",
        width=13,
        drop=1,
    ),
    Column(
        "p",
        lambda each: p_text(each.p),
        "signed-rank test over images, from six on, uncorrected",
        width=5,
    ),
    Column("+ = −", _wins, "images where the second is better, equal, worse", width=7),
)
