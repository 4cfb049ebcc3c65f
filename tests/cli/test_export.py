import json
from pathlib import Path

import numpy as np
import pandas

import harness
from support.runs import Command


def test_parquet_tables_are_the_frames(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    exported = harness_command("export", finished, "--out", "tables")

    assert exported.returncode == 0, exported.stderr
    points = pandas.read_parquet(tmp_path / "tables" / "points.parquet")
    expected = harness.open_run(finished).points()
    assert (np.stack(points["labels"]) == np.stack(expected["labels"])).all()
    assert points["modularity"].tolist() == expected["modularity"].tolist()
    for name in ("images", "cells", "selections"):
        assert (tmp_path / "tables" / f"{name}.parquet").is_file()


def test_csv_tables_keep_labels_as_json(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    harness_command("export", finished, "--out", "tables", "--format", "csv")

    points = pandas.read_csv(tmp_path / "tables" / "points.csv")
    expected = harness.open_run(finished).points()
    read = np.array([json.loads(text) for text in points["labels"]])
    assert (read == np.stack(expected["labels"])).all()
    assert {"codelength"} <= set(json.loads(points["diagnostics"][0]))


def test_settings_and_sessions_are_exported_with_the_tables(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    harness_command("export", finished, "--out", "tables")

    run = harness.open_run(finished)
    shown = json.loads((tmp_path / "tables" / "provenance.json").read_text(encoding="utf-8"))
    assert shown == json.loads(json.dumps({"settings": run.settings(), "sessions": run.sessions()}))


def test_a_folder_that_cannot_be_written_costs_one_line(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    exported = harness_command("export", finished, "--out", "file/tables")

    assert exported.returncode == 1
    assert exported.stderr == "harness: file/tables: cannot be written: Not a directory\n"


def test_a_folder_without_a_run_costs_one_line(harness_command: Command, tmp_path: Path) -> None:
    exported = harness_command("export", tmp_path, "--out", "tables")

    assert exported.returncode == 1
    assert "no run is there" in exported.stderr
