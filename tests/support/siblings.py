"""Runs that take over what runs beside them computed."""

from pathlib import Path
from typing import Any

import pandas

import harness
from harness.planning.progress import Progress
from harness.store import open_for_writing
from support.runs import small_run

# Maps of controls are drawn, levels selected, and maps perturbed at them.
CHANGES = {
    "controls": "permuted-rows",
    "selectors": "stable-phase[beyond_noise=false]",
    "perturbations": "edge-dropout",
    "nulls": 3,
    "levels": 6,
}
BOTH = "louvain,label-propagation"


class Heard(Progress):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def taken(self, folder: Path) -> list[str]:
        """What was said of siblings of the run in a folder."""
        return [
            line.removeprefix(f"{folder}: ").replace(f"{folder.parent}/", "")
            for line in self.lines
            if line.startswith(f"{folder}: ")
        ]


def run_beside(out: Path, maps: Path, **changes: Any) -> tuple[harness.Run, list[str]]:
    """A run that may take over from the runs beside it, and what it says of them."""
    heard = Heard()
    run = small_run(out, maps, **{**CHANGES, "cache": None, "progress": heard, **changes})
    return run, heard.taken(out)


def tables(run: harness.Run) -> list[pandas.DataFrame]:
    """All tables, without the times."""
    measured = ["seconds", "peak_memory"]
    return [
        run.cells().drop(columns=measured),
        run.points().drop(columns="seconds"),
        run.selections(),
        run.tests(),
        run.stabilities(),
    ]


def assert_same(run: harness.Run, other: harness.Run) -> None:
    for one, two in zip(tables(run), tables(other), strict=True):
        pandas.testing.assert_frame_equal(one, two)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def change_session(folder: Path, expression: str) -> None:
    with open_for_writing(folder) as store, store.connection as connection:
        connection.execute(f"UPDATE sessions SET value = {expression}")
