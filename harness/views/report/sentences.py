"""A report in sentences: the answer, what was compared, and what it does not show."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.labels import method_labels
from harness.analysis.leaderboard import Row
from harness.analysis.method import grouped
from harness.analysis.report.contents import RunReport
from harness.analysis.verdicts import Verdict
from harness.views.leaderboard import conclusions, ranked_over
from harness.views.report.values import Labels
from harness.views.tables import interval, number

# Methods that the answer speaks of one by one, and lines of one kind.
MOST_METHODS = 4
# Names that a sentence lists.
MOST_NAMES = 8
# Fewer images than this are called few.
FEW_IMAGES = 20


def answer(report: RunReport, labels: Labels, *, live: bool = False) -> list[str]:
    """What the tests of a run found, the most important first.

    A live page shows the progress of the run, so it is not said that the run is unfinished.
    """
    board = report.board
    first = [f"The run is {board.unfinished}."] if board.unfinished and not live else []
    if not any(row.ok for row in board.rows):
        why = "" if board.unfinished else "; the failures below say why"
        return [*first, f"No method has a result{why}."]
    conclusion = [] if board.unfinished else _conclusions(board.verdicts)
    tested, measured = [], []
    for comparison in board.comparisons:
        where = f"{labels(comparison.image_set)}: " if len(board.comparisons) > 1 else ""
        rows = [row for row in comparison.rows if row.ok]
        if not rows:
            tested.append(f"{where}No method has a result.")
            continue
        names = dict(zip(rows, method_labels([row.method for row in rows]), strict=True))
        tested += [f"{where}{each}" for each in _tested(report, names, labels)]
        measured += [f"{where}{each}" for each in _measured(report, names, labels)]
    return [*first, *tested, *conclusion, *measured]


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
    levels = _count(settings["levels"], "level")
    repeats = f", {settings['repeats']} times each" if settings["repeats"] > 1 else ""
    sentences.append(
        f"Methods: {clusterers} on graphs of {graphs} at {levels}{repeats}; "
        f"{selectors} {'choose' if len(settings['selectors']) > 1 else 'chooses'} the level."
    )
    if board.controls:
        noise = _listed(list(map(labels, board.controls)))
        sentences.append(f"Noise: {noise}; the first is the reference control.")
    sentences += ranked_over(board)
    sentences += dict.fromkeys(f"{each.reach}." for each in board.verdicts)
    if board.verdicts:
        sentences.append("Clusters stand out on a map if it is significant: if its q is ≤ .05.")
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


def _tested(report: RunReport, names: Mapping[Row, str], labels: Labels) -> Iterator[str]:
    """On how many maps the methods of one set stand out from each control.

    Methods with fewer open tests come first, and among them the best.
    """
    found = {row: _stands_out(row, report, labels) for row in names if row.controls}
    known = [(row, *told) for row, told in found.items() if told[0]]
    known.sort(key=lambda told: len(told[2]))
    for row, tested, unknown in known[:MOST_METHODS]:
        rest = f"; {'; '.join(unknown)}" if unknown else ""
        yield f"The clusters of {names[row]} stand out {_listed(tested)}{rest}."
    yield from _others([row for row, *_ in known[MOST_METHODS:]], labels)
    untested = [(row, unknown) for row, (tested, unknown) in found.items() if not tested]
    for why, rows in grouped(untested, lambda pair: "; ".join(pair[1])).items():
        which = _listed([names[row] for row, _ in rows], MOST_METHODS)
        yield f"Whether the clusters of {which} stand out is open: {why}."


def _measured(report: RunReport, names: Mapping[Row, str], labels: Labels) -> Iterator[str]:
    """By how much the best method of a set stands out, and which methods are as good."""
    best, name = next(iter(names.items()))
    if best.effect is not None:
        noise = labels(report.board.controls[0])
        above = "above" if best.effect >= 0 else "below"
        figure = f"{number(abs(best.effect))} {above} that of {noise}{_bounds(best)}"
        yield (
            f"The modularity of {name}'s clusters is {figure}, corrected for the choice of the "
            "level."
        )
    elif best.modularity is not None:
        figure = f"{number(best.modularity)}{_bounds(best)}"
        yield f"The clusters of {name} have a modularity of {figure}."
    if best.ari is not None:
        yield (
            f"The clusters of {name} agree with the planted communities: ARI {number(best.ari)} "
            "(0 is chance, 1 the same)."
        )
    first = [names[row] for row in names if row.tier == 1]
    if len(first) > 1:
        yield f"Tests cannot tell {_listed(first, MOST_METHODS)} apart."
    elif first and len(names) > 1:
        yield f"Tests put {first[0]} before all other methods."


def _stands_out(row: Row, report: RunReport, labels: Labels) -> tuple[list[str], list[str]]:
    """From which controls a method stands out, and on how many maps; and what is unknown."""
    verdicts = {(each.control, each.selector): each for each in report.board.verdicts}
    tested: list[str] = []
    unknown: list[str] = []
    for test in row.controls:
        control = labels(test.control)
        verdict = verdicts.get((test.control, row.method.selector))
        if verdict is None or test.p_value is None:
            unknown.append(f"{control} was not drawn")
        elif verdict.reach.needed is None or verdict.nulls is not None:
            draws = _count(verdict.reach.most_draws, "draw")
            verb = "is" if verdict.reach.most_draws == 1 else "are"
            unknown.append(f"{draws} of {control} {verb} too few to tell")
        else:
            maps = f" of {row.ok} {_noun(report, row)}" if not tested else ""
            tested.append(f"from {control} on {test.significant or 'none'}{maps}")
    return tested, unknown


def _others(rows: Sequence[Row], labels: Labels) -> Iterator[str]:
    """How many of the other methods stand out from each control at all."""
    for index, control in enumerate(test.control for test in (rows[0].controls if rows else ())):
        found = sum(bool(row.controls[index].significant) for row in rows)
        verb = "stand" if found > 1 else "stands"
        yield (
            f"Of {_count(len(rows), 'other method')}, {found or 'none'} {verb} out from "
            f"{labels(control)} on any map."
        )


def _noun(report: RunReport, row: Row) -> str:
    """What a map of a method is called: an image, if each has one map."""
    set_of = row.method.image_set
    if not set_of:
        return "maps"
    return "images" if row.total == report.compared.images.get(set_of) else "maps"


def _bounds(row: Row) -> str:
    if row.effect_low is None or row.effect_high is None:
        return ""
    return f" (95 % {interval(row.effect_low, row.effect_high)})"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _conclusions(verdicts: Sequence[Verdict]) -> list[str]:
    """Where nothing stands out or draws are too few; of many lines the first ones."""
    lines = list(conclusions(verdicts))
    rest = len(lines) - MOST_METHODS
    more = [f"The same holds for {_count(rest, 'more test')} of this kind."] if rest > 0 else []
    return [*lines[:MOST_METHODS], *more]


def _listed(words: Sequence[str], most: int = MOST_NAMES) -> str:
    """Words with commas and an "and"; of many words the first ones.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    >>> _listed("abcdefghijkl")
    'a, b, c, d, e, f, g, h and 4 others'
    """
    if len(words) > most + 1:
        words = [*words[:most], f"{len(words) - most} others"]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
