"""A report in sentences: the answer, what was compared, and what it does not show."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.labels import method_labels
from harness.analysis.leaderboard import ControlTest, Row
from harness.analysis.report.contents import RunReport
from harness.analysis.verdicts import Verdict
from harness.views.leaderboard import conclusions, ranked_over
from harness.views.report.values import Labels
from harness.views.tables import interval, number

# Methods that the answer speaks of one by one.
MOST_METHODS = 4
# Fewer images than this are called few.
FEW_IMAGES = 20


def answer(report: RunReport, labels: Labels) -> list[str]:
    """What the tests of a run found, the most important first."""
    board = report.board
    if not any(row.ok for row in board.rows):
        return (
            [_unfinished(report), "No method has a result."]
            if board.unfinished
            else ["No method has a result; the failures below say why."]
        )
    sentences = [_unfinished(report)] if board.unfinished else []
    several = len(board.comparisons) > 1
    for comparison in board.comparisons:
        prefix = f"{labels(comparison.image_set)}: " if several else ""
        rows = [row for row in comparison.rows if row.ok]
        sentences += [f"{prefix}{each}" for each in _of_set(report, rows, labels)]
    if not board.unfinished:
        sentences += conclusions(board.verdicts)
    return sentences


def compared(report: RunReport, labels: Labels) -> list[str]:
    """What a run compared."""
    board, settings = report.board, report.board.settings
    sets = [
        f"{_count(count, 'image')} of {labels(name)}"
        if name not in report.compared.heads
        else f"{_count(count, 'stored map')} of {labels(name)}"
        for name, count in report.compared.images.items()
    ]
    models = [
        f"{labels(name)} ({_count(layers, 'layer')}, {_count(heads, 'map')} of each image)"
        for name, (layers, heads) in report.compared.heads.items()
        if name not in report.compared.images
    ]
    sentences = [f"Images: {_listed(sets)}." if models else f"Maps: {_listed(sets)}."]
    if models:
        sentences.append(f"Attention: {_listed(models)}.")
    clusterers, graphs, selectors = (
        _listed(list(map(labels, settings[name]))) for name in ("clusterers", "graphs", "selectors")
    )
    repeats = f", {settings['repeats']} times each" if settings["repeats"] > 1 else ""
    sentences.append(
        f"Methods: {clusterers} on graphs of {graphs} at {settings['levels']} levels{repeats}; "
        f"{selectors} {'choose' if len(settings['selectors']) > 1 else 'chooses'} the level."
    )
    if board.controls:
        noise = [
            f"{labels(control)} ({_count(report.compared.draws[control], 'draw')})"
            for control in board.controls
        ]
        sentences.append(f"Noise: {_listed(noise)}; the first is the reference control.")
    sentences += ranked_over(board)
    sentences += dict.fromkeys(f"{each.reach}." for each in board.verdicts)
    return sentences


def limits(report: RunReport, labels: Labels) -> list[str]:
    """What a run does not show."""
    board = report.board
    sentences = []
    if not board.controls:
        sentences.append(
            "No control was drawn: nothing here says whether noise would show as much."
        )
    sentences += [f"{labels(control)}: {text}." for control, text in board.caveats.items()]
    images = max(report.compared.images.values(), default=0)
    if images < FEW_IMAGES:
        sentences.append(
            f"{_count(images, 'image')} {'is' if images == 1 else 'are'} few: intervals and tests "
            "are over these, and say little of others."
        )
    if report.heads:
        sentences.append(
            "Heads of one image are no independent evidence, so intervals are over images."
        )
    sentences.append(
        "Clusters that stand out from noise need not be objects, nor what the model uses: "
        "`harness foreground` compares them with objects, `harness ablate` removes them."
    )
    if board.inline:
        sentences.append("Run without isolation: time and memory limits did not hold.")
    return sentences


def _unfinished(report: RunReport) -> str:
    return f"The run is {report.board.unfinished}."


def _of_set(report: RunReport, rows: Sequence[Row], labels: Labels) -> Iterator[str]:
    """The sentences on the methods of one set, best first."""
    if not rows:
        yield "no method has a result."
        return
    names = dict(zip(rows, method_labels([row.method for row in rows]), strict=True))
    verdicts = {(each.control, each.selector): each for each in report.board.verdicts}
    best = rows[0]
    for row in rows[:MOST_METHODS]:
        if row.controls:
            yield _stands_out(names[row], row, verdicts, report, labels)
    yield from _others(rows[MOST_METHODS:], labels)
    if best.effect is not None:
        noise = labels(report.board.controls[0])
        above = "above" if best.effect >= 0 else "below"
        found = f"{number(abs(best.effect))} {above} that of {noise}{_bounds(best)}"
        yield (
            f"The modularity of {names[best]}'s clusters is {found}, corrected for the choice of "
            "the level."
        )
    elif best.modularity is not None:
        found = f"{number(best.modularity)}{_bounds(best)}"
        yield f"{_clusters(names[best])} have a modularity of {found}."
    if best.ari is not None:
        yield (
            f"{_clusters(names[best])} agree with the planted communities: ARI {number(best.ari)} "
            "(0 is chance, 1 the same)."
        )
    first = [names[row] for row in rows if row.tier == 1]
    if len(first) > 1:
        yield f"Tests cannot tell {_listed(first)} apart."
    elif first and len(rows) > 1:
        yield f"Tests put {first[0]} before all other methods."


def _stands_out(
    name: str,
    row: Row,
    verdicts: Mapping[tuple[str, str], Verdict],
    report: RunReport,
    labels: Labels,
) -> str:
    """On how many maps a method is significant under each control."""
    what = _noun(report, row)
    tested, open_ = [], []
    for test in row.controls:
        verdict = verdicts.get((test.control, row.method.selector))
        if verdict is None or test.p_value is None:
            open_.append(f"none was drawn of {labels(test.control)}")
        elif verdict.reach.needed is None:
            open_.append(
                f"{_count(verdict.reach.most_draws, 'draw')} of {labels(test.control)} are too few "
                "to tell"
            )
        else:
            tested.append(_from(test, row, labels, what if not tested else ""))
    told = f"{_clusters(name)} stand out {_listed(tested)}" if tested else ""
    rest = "; ".join(open_)
    if not told:
        return f"Whether the clusters of {name} stand out is open: {rest}."
    return f"{told}; {rest}." if rest else f"{told}."


def _from(test: ControlTest, row: Row, labels: Labels, what: str) -> str:
    found = str(test.significant) if test.significant else "none"
    of = f" of {row.ok} {what}" if what else ""
    return f"from {labels(test.control)} on {found}{of}"


def _others(rows: Sequence[Row], labels: Labels) -> Iterator[str]:
    """How many of the other methods stand out from each control at all."""
    for index, control in enumerate(test.control for test in (rows[0].controls if rows else ())):
        found = sum(bool(row.controls[index].significant) for row in rows)
        yield (
            f"Of the other {len(rows)} methods, {found or 'none'} "
            f"{'stand' if found > 1 else 'stands'} out from {labels(control)} on any."
        )


def _noun(report: RunReport, row: Row) -> str:
    """What a map of a method is called: an image, if each has one map."""
    set_of = row.method.image_set
    if not set_of:
        return "maps"
    return "images" if row.total == report.compared.images.get(set_of) else "maps"


def _clusters(name: str) -> str:
    return f"The clusters of {name}"


def _bounds(row: Row) -> str:
    if row.effect_low is None or row.effect_high is None:
        return ""
    return f" (95 % {interval(row.effect_low, row.effect_high)})"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _listed(words: Sequence[str]) -> str:
    """Words with commas and an "and".

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
