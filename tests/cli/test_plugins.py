import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.runs import Command, Finished

PLUGIN = '''
"""A plugin."""
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
import numpy as np
import harness

@dataclass(frozen=True)
class Theirs(harness.Clusterer):
    """Clusters [bold]in its own way.

    It does so quietly.

    path: where it looks first.
    limit: how far it goes.
    """
    name: ClassVar[str] = "NAME"
    path: Path
    sizes: tuple[int, ...] = (1, 2)
    limit: float = float("inf")

    def cluster(self, graph, *, seed):
        return np.zeros(graph.n, dtype=int)

@harness.hookimpl
def harness_clusterers():
    return [Theirs]
'''
HEAVY = ("torch", "networkx", "infomap", "cvxpy", "sklearn", "scipy", "pandas", "hdbscan")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.py"
    path.write_text(PLUGIN.replace("NAME", "theirs"))
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.py"
    path.write_text("print('chatter')\ndef inner():\n    raise ValueError('oops')\ninner()\n")
    return path


def document(finished: Finished) -> Any:
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_every_component_is_listed_by_kind_with_its_summary(harness_command: Command) -> None:
    finished = harness_command("plugins")

    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    kinds = [line.strip() for line, below in itertools.pairwise(lines) if below.startswith("─")]
    assert kinds[:6] == [
        "image sets", "extractors", "graph builders", "clusterers", "selectors", "controls",
    ]  # fmt: skip
    assert "louvain-networkx  " in finished.stdout
    assert "greedy directed modularity" in finished.stdout
    assert "resolution" not in finished.stdout
    assert max(map(len, finished.stdout.splitlines())) <= 120


def test_verbose_adds_parameters_and_where_components_come_from(harness_command: Command) -> None:
    finished = harness_command("plugins", "-v")

    assert "resolution: float = 1.0" in finished.stdout
    assert "the γ of modularity" in finished.stdout
    assert "from attention-harness" in finished.stdout
    assert "(harness_plugins.clusterers.louvain)" in finished.stdout
    assert max(map(len, finished.stdout.splitlines())) <= 120


def test_a_component_asked_for_by_name_is_shown_in_full(
    harness_command: Command, theirs: Path
) -> None:
    finished = harness_command("plugins", "theirs", "--plugin", theirs)

    shown = [line.strip() for line in finished.stdout.splitlines()]
    for line in (
        "clusterer theirs",
        "Clusters [bold]in its own way.",
        "It does so quietly.",
        "path: path (required)",
        "where it looks first.",
        "sizes: [int, …] = [1,2]",
        "limit: float = inf",
    ):
        assert line in shown


def test_json_describes_a_component_completely(harness_command: Command, theirs: Path) -> None:
    shown = document(harness_command("plugins", "theirs", "--json", "--plugin", theirs))

    assert shown == {
        "components": [
            {
                "kind": "clusterer",
                "name": "theirs",
                "summary": "Clusters [bold]in its own way.",
                "parameters": [
                    {
                        "name": "path",
                        "type": "path",
                        "default": None,
                        "required": True,
                        "doc": "where it looks first.",
                    },
                    {
                        "name": "sizes",
                        "type": "[int, …]",
                        "default": [1, 2],
                        "required": False,
                        "doc": "",
                    },
                    {
                        "name": "limit",
                        "type": "float",
                        "default": "inf",
                        "required": False,
                        "doc": "how far it goes.",
                    },
                ],
                "install": "",
                "package": "",
                "version": "",
                "origin": str(theirs),
            }
        ],
        "broken": [],
    }


@pytest.mark.parametrize("options", [[], ["infomap"]])
def test_a_component_without_its_packages_is_shown_with_the_command_that_installs_them(
    options: list[str], harness_command: Command, without: Callable[..., None]
) -> None:
    without("infomap")

    shown = " ".join(harness_command("plugins", *options).stdout.split())

    assert "Not installed: pip install 'attention-harness[infomap]'" in shown
    assert shown.count("Not installed: pip install 'attention-harness[sdp]'") == 0
    (found,) = document(harness_command("plugins", "infomap", "--json"))["components"]
    assert found["install"] == "pip install 'attention-harness[infomap]'"


def test_a_broken_plugin_is_listed_with_its_reason_and_changes_no_exit_code(
    harness_command: Command, faulty: Path, theirs: Path
) -> None:
    finished = harness_command("plugins", "--plugin", faulty, "--plugin", theirs)

    assert finished.returncode == 0
    listed, _, broken = finished.stdout.partition("broken plugins")
    assert "theirs" in listed
    assert "faulty" in broken
    assert "ValueError: oops" in broken
    assert "Traceback" not in finished.stdout + finished.stderr


def test_json_has_a_broken_plugins_traceback_and_nothing_that_it_printed(
    harness_command: Command, faulty: Path
) -> None:
    finished = harness_command("plugins", "faulty", "--json", "--plugin", faulty)

    (broken,) = document(finished)["broken"]
    assert broken["reason"] == "ValueError: oops"
    assert "in inner" in broken["traceback"]
    assert broken["origin"] == str(faulty)
    assert "chatter" in finished.stderr


def test_a_broken_plugin_asked_for_by_name_shows_its_traceback(
    harness_command: Command, faulty: Path
) -> None:
    finished = harness_command("plugins", "faulty", "--plugin", faulty)

    assert finished.returncode == 0
    assert "Traceback (most recent call last):" in finished.stdout
    assert "raise ValueError('oops')" in finished.stdout


def test_a_name_that_two_plugins_claim_is_shown_twice_and_warned_about(
    harness_command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "rival.py"
    path.write_text(PLUGIN.replace("NAME", "louvain"))

    finished = harness_command("plugins", "louvain", "--plugin", path)

    assert finished.returncode == 0
    assert finished.stdout.count("clusterer louvain") == 2
    (warning,) = finished.stderr.splitlines()
    assert warning.startswith("warning: clusterer 'louvain' cannot be used: it is defined by ")
    assert str(path) in warning


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["louvian"], "there is no component or plugin 'louvian'; did you mean 'louvain'?"),
        (["zzzzzz"], "'zzzzzz'; `harness plugins` lists what there is"),
        (["--plugin", "nowhere.py"], "--plugin: nowhere.py: no such file"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, arguments: list[str], line: str
) -> None:
    finished = harness_command("plugins", *arguments)

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = finished.stderr.splitlines()
    assert error.startswith("harness: ")
    assert line in error


def test_no_shipped_plugin_is_broken_and_each_says_what_it_and_its_parameters_are(
    harness_command: Command,
) -> None:
    shown = document(harness_command("plugins", "--json"))

    assert [one for one in shown["broken"] if one["package"] == "attention-harness"] == []
    shipped = [one for one in shown["components"] if one["package"] == "attention-harness"]
    assert {one["kind"] for one in shipped} == {
        "image set", "extractor", "graph builder", "clusterer", "selector", "control",
        "perturbation", "score",
    }  # fmt: skip
    for component in shipped:
        assert component["summary"]
        assert component["version"]
        assert all(parameter["doc"] for parameter in component["parameters"])


def test_a_score_says_its_range_its_direction_and_its_version(harness_command: Command) -> None:
    shown = harness_command("plugins", "silhouette")

    assert "From -1 to 1; larger is better. Version 1." in shown.stdout


def test_no_library_of_an_algorithm_is_imported() -> None:
    script = (
        "import sys\nfrom harness.cli.main import main\ncode = main(['plugins', '-v'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "louvain" in finished.stdout
    assert finished.stderr.splitlines()[-1] == "[]"
