"""Workers on a Python without os.waitid, as on some versions of macOS."""

import os
from pathlib import Path

import pytest

import harness
from support import PLUGINS
from support.runs import small_run


@pytest.fixture
def no_waitid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Deletes os.waitid here, and gives a plugin that deletes it in each worker."""
    monkeypatch.delattr(os, "waitid", raising=False)
    plugin = tmp_path / "no_waitid.py"
    plugin.write_text(
        "import os, harness\n"
        "vars(os).pop('waitid', None)\n"
        "@harness.hookimpl\n"
        "def harness_clusterers():\n"
        "    return []\n"
    )
    return plugin


@pytest.mark.slow
def test_cells_that_hang_crash_and_end_cost_only_themselves(
    no_waitid: Path, planted: Path, tmp_path: Path
) -> None:
    run = small_run(
        tmp_path / "out",
        planted,
        plugins=[no_waitid, PLUGINS / "misbehaving.py"],
        clusterers="louvain,killed,sleeping,exiting,raising",
        timeout="60,sleeping=0.5",
        isolation="process",
        workers=2,
    )

    statuses = {name: set(cells["status"]) for name, cells in run.cells().groupby("clusterer")}
    assert statuses.pop("exiting") <= {"killed", "failed"}
    assert statuses == {
        "louvain": {"ok"},
        "killed": {"killed"},
        "sleeping": {"timed out"},
        "raising": {"failed"},
    }
    assert harness.open_run(tmp_path / "out").statuses()["ok"] == 3
