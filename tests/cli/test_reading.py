"""What every command that reads a run says of one that is unfinished or damaged."""

import json
import os
import random
import re
import shutil
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.store import open_for_writing
from support import PLUGINS
from support.runs import Command, small_run

READERS: dict[str, list[object]] = {
    "leaderboard": ["leaderboard", "out"],
    "leaderboard --per": ["leaderboard", "out", "--per", "head"],
    "show": ["show", "out"],
    "show IMAGE": ["show", "out", "planted-0"],
    "compare": ["compare", "out", "sound"],
    "compare second": ["compare", "sound", "out"],
    "compare-partitions": [
        *("compare-partitions", "out", "planted-0", "--of", "louvain", "--with", "infomap")
    ],
    "export": ["export", "out", "--out", "tables", "--format", "csv"],
    "select": ["select", "out", "--selectors", "fixed[level=0.5]"],
    "layers": ["layers", "out"],
    "foreground": ["foreground", "out", "--above", "0"],
    "ablate": ["ablate", "out", "--of", "louvain"],
}
# These runs have one head, and no images and models.
REFUSE_THE_SOUND = {"layers", "foreground", "ablate"}
every_reader = pytest.mark.parametrize("arguments", READERS.values(), ids=READERS)
METHODS = (
    "leaderboard", "head_rows", "layer_rows", "comparisons", "images", "cells", "points",
    "selections", "tests", "stabilities", "settings", "sessions", "statuses",
)  # fmt: skip


def overwrite(at: float, size: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        start = int(path.stat().st_size * at) // 4096 * 4096
        with path.open("r+b") as file:
            file.seek(start)
            file.write(random.Random(0).randbytes(min(size, path.stat().st_size - start)))

    return damage


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()


def change(statement: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()

    return damage


DAMAGES: dict[str, Callable[[Path], None]] = {
    "header": overwrite(0, 100),
    "first pages": overwrite(0.1, 16384),
    "middle": overwrite(0.5, 8192),
    "end": overwrite(0.9, 40000),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "a few bytes": lambda path: os.truncate(path, 50),
    "empty": lambda path: os.truncate(path, 0),
    "text": lambda path: path.write_text("my notes") and None,
    "foreign": foreign,
}


@pytest.fixture
def out(computed: Path, tmp_path: Path) -> Path:
    shutil.copytree(computed, tmp_path / "sound")
    return Path(shutil.copytree(computed, tmp_path / "out"))


@every_reader
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_named_in_one_line(
    harness_command: Command, out: Path, arguments: list[object], damage: Callable[[Path], None]
) -> None:
    damage(out / "run.sqlite")
    content = (out / "run.sqlite").read_bytes()

    shown = harness_command(*arguments)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith("harness: out/run.sqlite: ")
    assert shown.stderr.count("\n") == 1
    assert (out / "run.sqlite").read_bytes() == content


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cells SET labels = x'00'",
        "UPDATE cells SET reason = CAST(x'ff' AS TEXT)",
        "UPDATE points SET diagnostics = '{'",
        "UPDATE points SET warnings = CAST(x'ff' AS TEXT)",
        "UPDATE settings SET value = '[1'",
    ],
)
@pytest.mark.parametrize("name", ["export", "compare", "compare second"])
def test_damaged_values_in_sound_pages_are_blamed_on_their_file(
    harness_command: Command, out: Path, statement: str, name: str
) -> None:
    change(statement)(out / "run.sqlite")

    shown = harness_command(*READERS[name])

    # Comparing needs neither diagnostics nor warnings.
    if shown.returncode or name == "export":
        assert shown.stderr.startswith("harness: out/run.sqlite: damaged (")
        assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("method", METHODS)
def test_python_raises_the_harness_own_error(out: Path, method: str) -> None:
    run = harness.open_run(out)
    overwrite(0.2, 20000)(out / "run.sqlite")

    with pytest.raises(harness.HarnessError, match=r"run\.sqlite: damaged"):
        getattr(run, method)()


@every_reader
def test_a_folder_without_a_run_is_named_in_one_line(
    harness_command: Command, out: Path, arguments: list[object]
) -> None:
    (out / "run.sqlite").unlink()

    shown = harness_command(*arguments)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == "harness: out: no run is there (run.sqlite is missing)\n"


@every_reader
def test_without_its_maps_a_run_is_read_as_far_as_it_can_be(
    harness_command: Command, out: Path, arguments: list[object]
) -> None:
    shutil.rmtree(out / "maps")

    shown = harness_command(*arguments)

    if shown.returncode:
        assert arguments[0] in REFUSE_THE_SOUND
        assert shown.stderr.count("\n") == 1


def stop_after_cells(out: Path) -> str:
    """As a kill leaves a run: the controls of the last map and all selections are missing."""
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute("DELETE FROM planned WHERE role = 'perturbation'")
        connection.execute(
            "DELETE FROM cells WHERE cell IN "
            "(SELECT cell FROM planned WHERE role = 'control' AND image = 'planted-2')"
        )
        for table in ("selections", "tests", "stabilities"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE sessions SET value = json_set(value, '$.finished', 0)")
    return "10 of 12 cells are computed"


def stop_before_selecting(out: Path) -> str:
    stop_after_cells(out)
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute(
            "DELETE FROM planned WHERE cell NOT IN (SELECT cell FROM cells)",
        )
    return "selections or stabilities are missing, though all 10 cells are computed"


@every_reader
@pytest.mark.parametrize("stop", [stop_after_cells, stop_before_selecting])
def test_what_an_unfinished_run_lacks_is_said_first(
    harness_command: Command, out: Path, arguments: list[object], stop: Callable[[Path], str]
) -> None:
    lacks = stop(out)

    shown = harness_command(*arguments)

    lines = [line for line in shown.stderr.splitlines() if not line.startswith("selecting")]
    assert lines[0] == f"warning: out: unfinished: {lacks}; the same command continues"
    assert "Nothing here is more than the control shows" not in shown.stdout
    assert "Traceback" not in shown.stderr


def test_what_is_complete_is_selected_and_ranked(harness_command: Command, out: Path) -> None:
    stop_after_cells(out)

    shown = harness_command(
        "select", out, "--selectors", "stable-phase[beyond_noise=false]", "--json"
    )

    document = json.loads(shown.stdout)
    assert document["unfinished"] == (
        "unfinished: 10 of 12 cells are computed; the same command continues"
    )
    assert {row["clusterer"]: (row["ok"], row["total"]) for row in document["rows"]} == {
        "louvain": (2, 3),
        "infomap": (2, 3),
    }
    assert all(row["effect"] is not None for row in document["rows"])


def test_python_warns_of_an_unfinished_run_and_of_no_other(out: Path, planted_maps: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert harness.open_run(out).unfinished() == ""
    stop_after_cells(out)

    with pytest.warns(UserWarning, match="out: unfinished: 10 of 12 cells are computed"):
        run = harness.open_run(out)

    assert run.unfinished().startswith("unfinished: 10 of 12 cells")
    assert run.leaderboard()["total"].tolist() == [3, 3]


def test_the_same_command_finishes_it(out: Path, planted_maps: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "small", planted_maps)
    with open_for_writing(run.folder) as store, store.connection as connection:
        connection.execute("UPDATE sessions SET value = json_set(value, '$.finished', 0)")
    assert run.unfinished()

    small_run(run.folder, planted_maps)

    assert run.unfinished() == ""


@pytest.fixture
def deep_out(deep: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(deep, tmp_path / "out"))


@pytest.mark.parametrize("damage", ["missing", "cut", "other weights"])
def test_a_damaged_map_is_named_where_it_is_needed(
    harness_command: Command, deep_out: Path, damage: str
) -> None:
    for path in (deep_out / "maps").iterdir():
        weights = np.load(path)
        path.unlink()
        if damage == "cut":
            path.write_bytes(b"\x93NUMPY")
        elif damage == "other weights":
            np.save(path, weights[::-1])

    shown = harness_command(
        *("foreground", "out", "--above", "127", "--candidates", "--plugin", PLUGINS / "deep.py")
    )

    assert (shown.returncode, shown.stdout) == (1, "")
    assert re.match(
        r"harness: out/maps/[0-9a-f]{64}\.npy: the map of \S+ is missing or", shown.stderr
    )
    assert shown.stderr.count("\n") == 1


def test_layers_of_an_unfinished_run_are_of_what_is_there(
    harness_command: Command, deep_out: Path
) -> None:
    with open_for_writing(deep_out) as store, store.connection as connection:
        connection.execute(
            "DELETE FROM cells WHERE cell IN (SELECT cell FROM planned WHERE position > 40)"
        )

    shown = harness_command("layers", "out", "--json")

    assert shown.returncode == 0
    assert shown.stderr.startswith("warning: out: unfinished: ")
    assert {row["layer"] for row in json.loads(shown.stdout)["methods"][0]["layers"]} == {0, 1, 2}
