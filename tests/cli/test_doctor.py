import json
from collections.abc import Callable
from pathlib import Path

import harness
from support.runs import Command


def test_the_doctor_reports_versions_machine_plugins_and_that_workers_start(
    harness_command: Command,
) -> None:
    finished = harness_command("doctor", "--json")

    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["harness"]["version"] == harness.__version__
    assert found["libraries"]["numpy"]
    assert found["plugins"]["packages"]["attention-harness"] == harness.__version__
    assert 0 < found["workers"]["ready after seconds"] < 120


def test_the_doctor_names_components_without_their_packages(
    harness_command: Command, without: Callable[..., None]
) -> None:
    without("hdbscan")

    finished = harness_command("doctor")

    assert finished.returncode == 0
    assert "    clusterer sdp: pip install 'attention-harness[sdp]'\n" in finished.stdout


def test_the_doctor_names_a_broken_plugin(harness_command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import no_such_library\n")

    finished = harness_command("doctor", "--plugin", "mine.py")

    assert finished.returncode == 2
    assert "plugin 'mine' from mine.py is broken: ModuleNotFoundError" in finished.stdout
    assert "libraries:\n  cvxpy: " in finished.stdout
