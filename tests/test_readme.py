"""What the README shows is what works."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.main import OWN
from harness.plugin.commands import find_commands
from support import REPOSITORY
from support.runs import Command, Finished, small_command

README = REPOSITORY / "README.md"


@pytest.fixture
def clusterer() -> str:
    """The README's example of a clusterer."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (example,) = [block for block in blocks if "harness.Clusterer" in block]
    return example


def run(planted: Path, **changes: str) -> list[str]:
    return small_command(
        planted, "--json", clusterers="louvain,strongest[smallest=[2,4]]", **changes
    )


def methods(finished: Finished) -> dict[str, int]:
    assert finished.returncode == 0, finished.stderr
    return {row["clusterer"]: row["ok"] for row in json.loads(finished.stdout)["rows"]}


EXPECTED = {"louvain": 3, "strongest": 3, "strongest[smallest=4]": 3}


def test_the_example_clusterer_runs_as_a_file(
    harness_command: Command, planted: Path, clusterer: str, tmp_path: Path
) -> None:
    (tmp_path / "strongest.py").write_text(clusterer)

    finished = harness_command(*run(planted), "--plugin", "strongest.py")

    assert methods(finished) == EXPECTED


def test_the_example_clusterer_runs_as_an_installed_package(
    planted: Path, clusterer: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    information = site / "my_package-1.0.dist-info"
    (site / "my_package").mkdir(parents=True)
    information.mkdir()
    (site / "my_package" / "__init__.py").touch()
    (site / "my_package" / "strongest.py").write_text(clusterer)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[harness]\nstrongest = my_package.strongest\n")

    finished = subprocess.run(
        [sys.executable, "-m", "harness", *run(planted, isolation="process")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=False,
    )

    assert methods(finished) == EXPECTED


def test_every_verb_and_option_the_readme_names_exists(harness_command: Command) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README.read_text())) - {"--plugin"}
    verbs = [
        *([name] for name in find_commands(OWN)),
        ["data", "fetch"],
        ["data", "verify"],
    ]
    offered = "".join(harness_command(*verb, "--help").stdout for verb in verbs)

    assert {option for option in named if option not in offered} == set()
