"""Where workers import from: never from the folder that the command is started in."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.working_folder import safe_environment
from support.runs import Command, Finished, small_command


@pytest.fixture
def installed_command(planted_maps: Path, tmp_path: Path) -> Command:
    """Runs `harness run` as the installed command does: its own folder is on the path."""
    script = tmp_path / "bin" / "command.py"
    script.parent.mkdir()
    script.write_text(
        "from harness.__main__ import main\n"
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


@pytest.fixture
def shadowed(tmp_path: Path) -> Path:
    """A folder of files that end any process which imports one, named like other modules."""
    # What Python itself imports before it runs anything cannot be protected, nor what packages
    # that are installed as links import then.
    listed = "import runpy, sys; print(*sys.modules)"
    before = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True).stdout
    dependencies = {"networkx", "numpy", "pandas", "pluggy", "rich", "scipy", "sknetwork", "torch"}
    # Python looks for modules of other systems, such as _winapi, while it imports its own.
    here = {name for name in sys.stdlib_module_names if importlib.util.find_spec(name)}
    for name in (here | dependencies) - set(before.split()):
        (tmp_path / f"{name}.py").write_text("import os\nos._exit(66)\n")
    (tmp_path / "link").symlink_to(".")
    return tmp_path


@pytest.mark.parametrize(
    ("how", "python_path"),
    [
        ((), None),
        *(
            pytest.param((), path, marks=pytest.mark.slow)
            for path in ("", ".", ":library", "./:", "link")
        ),
        pytest.param(("--dask", "local"), "", marks=pytest.mark.slow),
    ],
)
def test_a_file_in_the_working_folder_that_is_named_like_a_module_is_not_imported(
    installed_command: Command, shadowed: Path, how: tuple[str, ...], python_path: str | None
) -> None:
    environment = {} if python_path is None else {"PYTHONPATH": python_path}

    finished = installed_command("--clusterers", "louvain", *how, **environment)

    assert finished.returncode == 0, finished.stderr
    assert set(harness.open_run(shadowed / "out").statuses()) == {"ok"}


@pytest.mark.parametrize("python_path", [None, pytest.param(":", marks=pytest.mark.slow)])
def test_python_m_harness_imports_nothing_from_the_working_folder(
    shadowed: Path, python_path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a clone: Python finds this package first.
    shutil.copytree(Path(harness.__file__).parent, shadowed / "harness")
    (shadowed / "harness" / "cli" / "main.py").write_text("raise SystemExit('the clone')")
    if python_path is not None:
        monkeypatch.setenv("PYTHONPATH", python_path)

    finished = subprocess.run(
        [sys.executable, "-m", "harness", "plugins", "louvain"],
        cwd=shadowed,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert finished.returncode == 0, finished.stderr
    assert "Louvain" in finished.stdout


@pytest.mark.slow
def test_workers_of_a_script_import_nothing_from_its_folder(
    planted_maps: Path, tmp_path: Path
) -> None:
    # The script has imported the true ones before, as it could not run otherwise.
    (tmp_path / "random.py").write_text("import os\nos._exit(66)\n")
    (tmp_path / "script.py").write_text(
        "import sys\n"
        "sys.path.append(sys.path.pop(0))\n"
        "import harness\n"
        "run = harness.run(out='out', levels=3, controls='none', perturbations='none', workers=1,\n"
        "    selectors='max-modularity', clusterers='louvain',\n"
        f"    extractors={f'arrays[path={planted_maps}]'!r})\n"
        "print(*run.statuses())\n"
    )

    finished = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )

    assert finished.stdout == "ok\n", finished.stderr


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", None),
        (":.:./", None),
        ("../here", None),
        ("link", None),
        ("missing/..", None),
        ("library:", "library"),
        ("/library:../other", "/library:../other"),
    ],
)
def test_no_entry_of_pythonpath_is_the_working_folder_unless_it_is_named(
    given: str, kept: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here/library", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "here" / "link").symlink_to(".")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", given)

    assert safe_environment().get("PYTHONPATH") == kept
