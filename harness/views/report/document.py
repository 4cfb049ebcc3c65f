"""All data of a report, as JSON: what the page shows, and nothing of how it looks."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.analysis.comparison import PairedRuns
from harness.analysis.labels import last_parts
from harness.analysis.report.contents import RunReport
from harness.analysis.report.failures import FailureGroup
from harness.views.report import charts, gallery, sentences, tables
from harness.views.report.values import Labels, labels_of

Json = dict[str, Any]
# Of the form that the page reads.
SCHEMA = 1
# Failures that the page lists, the most frequent first.
MOST_FAILURES = 100


def document(
    runs: Sequence[RunReport], pairs: PairedRuns | None = None, *, live: bool = False
) -> Json:
    """The data of the page on one run or several; pairs: two runs compared.

    live: the page asks for new data, with the progress of the run, which it then shows.
    """
    labelled = list(zip(_labels(runs, pairs), runs, strict=True))
    rows = [(labels, row) for labels, report in labelled for row in report.board.rows]
    heads = [(labels, row) for labels, report in labelled for row in report.heads]
    shown = {
        "leaderboard": tables.leaderboard(rows),
        "heads": tables.heads(heads) if heads else None,
        "tests": tables.tests(rows),
        "scores": tables.scores(rows),
    }
    compared = None
    if pairs is not None:
        names = labelled[0][0].run, labelled[1][0].run
        compared = tables.comparison(pairs, replace(labelled[0][0], run=""), names)
    found = [*shown.values(), compared and compared["table"]]
    return {
        "schema": SCHEMA,
        "title": " and ".join(_names(runs)),
        "live": live,
        "answer": _sentences(labelled, partial(sentences.answer, live=live)),
        "compared": _sentences(labelled, sentences.compared),
        "limits": _sentences(labelled, sentences.limits),
        "glossary": tables.glossary(found),
        **shown,
        "layers": charts.layers(labelled),
        "failures": [
            failure for labels, report in labelled for failure in _failures(report.failures, labels)
        ],
        "curves": [each for labels, report in labelled for each in charts.curves(report, labels)],
        "effects": [
            each for labels, report in labelled for each in charts.effects(report.effects, labels)
        ],
        "pvalues": [
            each for labels, report in labelled for each in charts.p_values(report.tests, labels)
        ],
        "comparison": compared,
        "gallery": gallery.gallery(labelled),
        "progress": None,
        "provenance": [_provenance(report) for report in runs],
    }


def nothing_yet(name: str) -> Json:
    """The data of the live page on a run that has no plan yet."""
    empty: Json = {"columns": [], "rows": []}
    return {
        "schema": SCHEMA,
        "title": name,
        "live": True,
        "answer": ["The run has not begun to compute."],
        "compared": [],
        "limits": [],
        "glossary": {},
        "leaderboard": empty,
        "heads": None,
        "tests": empty,
        "scores": None,
        "layers": None,
        "failures": [],
        "curves": [],
        "effects": [],
        "pvalues": [],
        "comparison": None,
        "gallery": {"note": "", "methods": [], "images": []},
        "progress": None,
        "provenance": [],
    }


def _names(runs: Sequence[RunReport]) -> list[str]:
    """The names of the runs' folders, with more of their paths if they are alike."""
    folders = [str(Path(report.board.run).absolute()) for report in runs]
    names = [Path(folder).name for folder in folders]
    return names if len(set(names)) == len(names) else last_parts(folders)


def _labels(runs: Sequence[RunReport], pairs: PairedRuns | None) -> list[Labels]:
    """The labels of each run's specs; those of several runs go together."""
    specs = [spec for report in runs for spec in _specs(report)]
    specs += [spec for each in (pairs.methods if pairs else ()) for spec in each.method]
    of_all = labels_of(specs)
    return [replace(of_all, run=name) for name in (_names(runs) if len(runs) > 1 else [""])]


def _specs(report: RunReport) -> Iterator[str]:
    """Every spec that a page on a run names."""
    for row in report.board.rows:
        yield from row.method
        yield from (score.score for score in row.scores)
    settings = report.board.settings
    for name in ("clusterers", "graphs", "selectors", "controls", "extractors"):
        yield from settings[name]
    yield from report.compared.images


def _sentences(
    labelled: Iterable[tuple[Labels, RunReport]], say: Callable[[RunReport, Labels], list[str]]
) -> list[str]:
    """What there is to say of every run, with its name unless it holds for all."""
    said = {labels.run: say(report, labels) for labels, report in labelled}
    of_all = set.intersection(*map(set, said.values()))
    found = [
        sentence if sentence in of_all else f"{run}: {sentence}"
        for run, of_run in said.items()
        for sentence in of_run
    ]
    return list(dict.fromkeys(found))


def _failures(groups: Sequence[FailureGroup], labels: Labels) -> Iterator[Json]:
    for group in groups[:MOST_FAILURES]:
        yield {
            "reason": group.reason,
            "where": f"{labels.run}: {group.where}" if labels.run else group.where,
            "count": group.count,
            "examples": list(group.examples),
        }
    rest = groups[MOST_FAILURES:]
    if rest:
        count = sum(group.count for group in rest)
        reason = f"{len(rest)} other reasons, which `harness export` has"
        yield {"reason": reason, "where": labels.run, "count": count, "examples": []}


def _provenance(report: RunReport) -> Json:
    """The command of a run's latest execution, and what it depends on."""
    latest: Mapping[str, Any] = next(reversed(report.sessions), {})
    invocation: Mapping[str, Any] = latest.get("invocation", {})
    environment: Mapping[str, Any] = latest.get("environment", {})
    program, *arguments = invocation.get("command") or ["harness"]
    command = shlex.join(["harness" if Path(program).stem == "harness" else program, *arguments])
    versions = {
        "attention-harness": environment.get("harness", ""),
        "Python": environment.get("python", ""),
        **environment.get("libraries", {}),
    }
    source = latest.get("source", {})
    facts = {
        "run": report.board.run,
        "started in": invocation.get("folder", ""),
        "platform": invocation.get("platform", ""),
        "commit": f"{source.get('commit') or ''}{', changed' if source.get('dirty') else ''}",
        "executions": str(len(report.sessions)),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        **{f"weights of {spec}": digest for spec, digest in latest.get("fingerprints", {}).items()},
        **{name: _written(value) for name, value in report.board.settings.items()},
    }
    return {"command": command, "facts": [[name, text] for name, text in facts.items() if text]}


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
