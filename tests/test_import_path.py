"""Where workers import from: never from the folder that the command is started in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from support.runs import Command, Finished, small_command


@pytest.fixture
def installed_command(planted_maps: Path, tmp_path: Path) -> Command:
    """Runs `harness run` as the installed command does: its own folder is on the path."""
    script = tmp_path / "bin" / "command.py"
    script.parent.mkdir()
    script.write_text(
        "from harness.cli.main import main\n"
        "if __name__ == '__main__':\n"
        "    raise SystemExit(main())\n"
    )

    def command(*arguments: str, **environment: str) -> Finished:
        return subprocess.run(
            [
                *(sys.executable, str(script)),
                *small_command(planted_maps, *arguments, isolation="process", out="out"),
            ],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return command


@pytest.mark.parametrize("how", [(), pytest.param(("--dask", "local"), marks=pytest.mark.slow)])
def test_a_file_in_the_working_folder_that_is_named_like_a_module_is_not_imported(
    installed_command: Command, tmp_path: Path, how: tuple[str, ...]
) -> None:
    for name in ("random", "struct", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')\n")

    finished = installed_command("--clusterers", "louvain", *how)

    assert finished.returncode == 0, finished.stderr
    assert set(harness.open_run(tmp_path / "out").statuses()) == {"ok"}


def test_workers_import_from_the_folders_of_pythonpath(
    installed_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "my_library.py").write_text("SHIFT = 1\n")
    (tmp_path / "mine.py").write_text(
        "import dataclasses, harness, my_library, numpy\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Mine(harness.Clusterer):\n"
        "    'Two clusters.'\n"
        "    name = 'mine'\n"
        "    def cluster(self, graph, *, seed):\n"
        "        return numpy.arange(graph.n) % (1 + my_library.SHIFT)\n"
        "@harness.hookimpl\n"
        "def harness_clusterers():\n"
        "    return [Mine]\n"
    )

    finished = installed_command(
        *("--clusterers", "mine", "--plugin", "mine.py"), PYTHONPATH=str(tmp_path / "library")
    )

    assert finished.returncode == 0, finished.stderr
