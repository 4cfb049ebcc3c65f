"""Applies scores to the stored labels of a run, at every level that a selector selected."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from harness.engine.applying import applied, made_of
from harness.engine.failures import Failures
from harness.engine.worker import Worker, ask_each
from harness.planning.content import code_digest
from harness.planning.progress import Progress
from harness.planning.settings import Execution
from harness.plugin.registry import Registry
from harness.plugin.score import Score
from harness.store import Store, open_for_reading
from harness.store.records import FigureRecord, ScoreRecord
from harness.store.scores import (
    Missing,
    declare_scores,
    missing_figures,
    sound_scores,
    write_figures,
)


def apply_scores(
    folder: Path, specs: Sequence[str], execution: Execution, registry: Registry, progress: Progress
) -> list[str]:
    """Compute the figures that scores lack on a run's selected levels; returns their specs.

    They are of the labels of every map, and of those of its controls' draws at the same level.
    Nothing is clustered again. Raises HarnessError if there is no run, it is in use, or a score
    does not exist.
    """
    scores = made_of("score", specs, registry)
    with open_for_reading(folder) as store:
        builders = made_of("graph builder", store.settings()["graphs"], registry)
    components = *scores.values(), *builders.values()
    with applied(folder, components, execution, registry, progress) as (store, worker, _):
        declare_scores(store, [_described(spec, each) for spec, each in scores.items()])
        for figures in _figures(store, worker, list(scores), execution, progress):
            write_figures(store, figures)
    return list(scores)


def _described(spec: str, score: Any) -> ScoreRecord:
    assert isinstance(score, Score)
    lowest, highest = map(float, score.range)
    code = code_digest(score)
    return ScoreRecord(spec, score.higher_is_better, lowest, highest, score.version, code)


def _figures(
    store: Store, worker: Worker, scores: Sequence[str], how: Execution, progress: Progress
) -> Iterator[list[FigureRecord]]:
    """Yield the missing figures page by page; a failure is a record too."""
    settings = store.settings()
    header = {
        "run": str(store.folder),
        "folder": str(store.maps_folder),
        "n_levels": settings["levels"],
        "resolution": settings["resolution"],
    }
    count, pages = missing_figures(store, scores)
    progress.begin("scoring", count)
    with Failures(progress, remedy="the same command tries again") as failures:
        failures.sound(sound_scores(store))
        for page in pages:
            questions = list(map(_question, page))
            answers = ask_each(
                worker, "score", how.timeout.seconds, questions, failures, itemgetter("score"),
                **header,
            )  # fmt: skip
            figures = []
            for question, answer in zip(questions, answers, strict=True):
                name, reason = question["score"], answer.get("reason", "")
                if reason and reason != failures.stopped(name):
                    failures.warn(name, reason)
                figure = answer.get("figure", float("nan"))
                figures.append(
                    FigureRecord(question["cell"], question["point"], name, figure, reason)
                )
                progress.advance()
            yield figures


def _question(missing: Missing) -> Mapping[str, Any]:
    row, record = missing
    names = ("cell", "point", "score", "graph", "image", "layer", "head")
    return {
        **{name: row[name] for name in names},
        "variant": [row["role"], row["control"], row["draw"]],
        "map": record.to_message(),
    }
