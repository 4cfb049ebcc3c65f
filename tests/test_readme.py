"""What the README and the page on plugins show is what works."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli.main import OWN
from harness.plugin.commands import find_commands
from support import REPOSITORY
from support.runs import Command, Finished, small_command, small_run

# What a newcomer reads first.
FIRST_PAGES = [
    REPOSITORY / "README.md",
    *(REPOSITORY / "docs" / f"{name}.md" for name in ("start", "install", "compare", "runs")),
    REPOSITORY / "docs" / "thesis.md",
]
PLUGINS_PAGE = REPOSITORY / "docs" / "plugins.md"


def example(language: str, part: str) -> str:
    """The only block of the page on plugins in a language that has this part."""
    text = PLUGINS_PAGE.read_text()
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    (found,) = [block for block in blocks if part in block]
    return found


@pytest.fixture
def clusterer() -> str:
    """The example of a clusterer on the page on plugins."""
    return example("python", "harness.Clusterer)")


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


@pytest.fixture
def harness_with_package(tmp_path: Path) -> Command:
    """Runs `harness` where the page's examples are installed as a package."""
    site = tmp_path / "site"
    information = site / "my_package-1.0.dist-info"
    (site / "my_package").mkdir(parents=True)
    information.mkdir()
    (site / "my_package" / "__init__.py").touch()
    (site / "strongest.py").write_text(example("python", "harness.Clusterer)"))
    (site / "my_package" / "coverage.py").write_text(example("python", "SUMMARY"))
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    written = example("toml", 'strongest = "strongest"') + example("toml", "my_package.coverage")
    groups = tomllib.loads(written)["project"]["entry-points"]
    (information / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in modules.items())
            for group, modules in groups.items()
        )
    )

    def command(*arguments: object) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            check=False,
        )

    return command


def test_the_example_clusterer_is_what_is_written_for_it(
    harness_command: Command, clusterer: str, tmp_path: Path
) -> None:
    harness_command("new", "clusterer", "strongest")

    assert (tmp_path / "strongest" / "strongest.py").read_text() == clusterer


def test_the_example_clusterer_runs_as_an_installed_package(
    harness_with_package: Command, planted: Path
) -> None:
    assert methods(harness_with_package(*run(planted, isolation="process"))) == EXPECTED


def test_the_example_command_runs_as_an_installed_package(
    harness_with_package: Command, planted: Path, tmp_path: Path
) -> None:
    small_run(tmp_path / "out", planted)

    finished = harness_with_package("coverage", tmp_path / "out")

    assert finished.returncode == 0, finished.stderr
    assert "louvain" in finished.stdout
    assert "fraction of patches" in harness_with_package("--help").stdout


def test_every_option_that_the_first_pages_name_exists(harness_command: Command) -> None:
    text = "".join(page.read_text() for page in FIRST_PAGES)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--plugin"}
    verbs = [
        *([name] for name in find_commands(OWN)),
        ["data", "fetch"],
        ["data", "verify"],
    ]
    offered = "".join(harness_command(*verb, "--help").stdout for verb in verbs)

    assert {option for option in named if option not in offered} == set()
