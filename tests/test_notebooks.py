"""The notebooks of the documentation run, and show what they promise in five lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from support import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
# What the first cell of a notebook ranks.
METHODS = {
    "start": {"louvain"},
    "tensor": {"louvain", "infomap"},
    "model": {"louvain"},
    "method": {"louvain", "KMeans"},
    "reading": {"louvain", "infomap"},
}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text("utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


@every_notebook
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    for cell in code_cells(path):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


@every_notebook
def test_a_notebook_needs_five_lines_to_a_leaderboard(path: Path) -> None:
    lines = [line for line in code_cells(path)[0]["source"] if line.strip()]

    assert len(lines) <= 5


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs_and_shows_a_leaderboard_and_figures(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("kernelspec")

    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()

    shown = [
        [output["data"] for output in cell["outputs"] if output["output_type"] == "execute_result"]
        for cell in notebook.cells
        if cell["cell_type"] == "code"
    ]
    assert all(len(results) == 1 for results in shown)
    results = [each for (each,) in shown]
    leaderboard = results[0]["text/html"]
    assert "<table>" in leaderboard
    assert all(method in leaderboard for method in METHODS[path.stem])
    assert any("image/png" in each for each in results)
