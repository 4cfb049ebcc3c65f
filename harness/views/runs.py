"""The runs of a folder in the terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.analysis.labels import spec_labels
from harness.analysis.runs import FoundRun
from harness.views.tables import Column, print_text, show_table

COLOURS = {"complete": "green", "unfinished": "yellow"}


def show_runs(folder: Path, runs: Sequence[FoundRun], console: Console) -> None:
    """Print a row for each run: when it was written, what it compared, and its state."""
    if not runs:
        print_text(console, f"{folder}: no runs")
        return

    def specs(heading: str, name: str, drop: int) -> Column[FoundRun]:
        labels = spec_labels(spec for run in runs for spec in getattr(run, name)).of
        return Column(
            heading,
            lambda run: ", ".join(labels[spec] for spec in getattr(run, name)),
            words=True,
            folds=True,
            shown="filled",
            drop=drop,
        )

    columns: list[Column[FoundRun]] = [
        Column("run", lambda run: Path(run.run).name, words=True),
        Column("written", lambda run: run.written, drop=2),
        specs("clusterers", "clusterers", 5),
        specs("extractors", "extractors", 4),
        specs("images", "image_sets", 3),
        specs("controls", "controls", 1),
        Column("state", _state, words=True, folds=True),
    ]
    show_table(console, columns, runs, title=str(folder))


def _state(run: FoundRun) -> tuple[str, str]:
    shown = f"{run.state}, published" if run.published else run.state
    return shown, COLOURS.get(run.state.partition(":")[0], "red")
