"""Commands of installed packages, found through their entry points as users find them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.runs import Command, Finished

WORKING = """
SUMMARY = "greet 100% of users"

def add_arguments(parser):
    parser.add_argument("--name", default="world")

def run(arguments):
    print(f"hello {arguments.name}")
    return 3
"""
MODULES = {
    "hello": WORKING,
    "failing": "print('chatter')\ndef inner():\n    raise ValueError('first\\nsecond')\ninner()\n",
    "leaving": "raise SystemExit(0)\n",
    "bare": "SUMMARY = ''\nrun = 3\nREQUIRES = 'numba'\n",
    "export": WORKING,
    "twin": WORKING,
}


def install(site: Path, package: str, commands: dict[str, str]) -> None:
    """Write a package with a module for each command, and the metadata that names them."""
    module, information = site / package.replace("-", "_"), site / f"{package}-1.0.dist-info"
    for folder in (module, information):
        folder.mkdir(parents=True)
    (module / "__init__.py").touch()
    for name, source in commands.items():
        (module / f"{name}.py").write_text(source)
    listed = "".join(f"{name} = {module.name}.{name}\n" for name in commands)
    (information / "entry_points.txt").write_text(f"[harness.commands]\n{listed}")
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")


@pytest.fixture
def harness_with_packages(tmp_path: Path) -> Command:
    """Runs `harness` where two outside packages are installed."""
    site = tmp_path / "site"
    install(site, "outside", MODULES)
    install(site, "other-package", {"twin": WORKING})

    def command(*arguments: str) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"},
            check=False,
        )

    return command


BROKEN = {
    "failing": "ValueError: first second",
    "leaving": "SystemExit: 0",
    "bare": "outside.bare does not define SUMMARY, add_arguments(), run(), REQUIRES as a "
    "harness.Requirement",
    "twin": "several packages define it",
}


def test_a_command_of_a_package_is_listed_and_runs(
    harness_with_packages: Command,
) -> None:
    listed = harness_with_packages("--help")
    finished = harness_with_packages("hello", "--name", "you")

    assert listed.returncode == 0
    assert re.search(r"^ +hello +greet 100% of users$", listed.stdout, re.MULTILINE)
    assert (finished.returncode, finished.stdout) == (3, "hello you\n")
    assert "Greet 100% of users" in harness_with_packages("hello", "--help").stdout


def test_broken_commands_are_listed_with_their_reason_after_those_that_work(
    harness_with_packages: Command,
) -> None:
    lines = harness_with_packages("--help").stdout.splitlines()

    listed = {line.split()[0]: line for line in lines if line.startswith("    ")}
    for name, reason in BROKEN.items():
        assert listed[name].endswith(f"broken: {reason}")
    assert {"run", "data", "hello"} <= listed.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_command_is_refused_in_one_line(harness_with_packages: Command, name: str) -> None:
    finished = harness_with_packages(name, "--option", "value")

    assert (finished.returncode, finished.stdout) == (1, "")
    last = finished.stderr.splitlines()[-1]
    assert last.startswith(f"harness: {name} cannot run: {BROKEN[name]} (from ")
    assert "Traceback" not in finished.stderr
    if name == "twin":
        both = "other-package 1.0 (other_package.twin) and outside 1.0 (outside.twin)"
        assert last.endswith(f" (from {both})")


def test_a_package_does_not_replace_a_command_of_the_core(
    harness_with_packages: Command,
) -> None:
    finished = harness_with_packages("export", "--help")

    assert finished.returncode == 0
    assert "Parquet" in finished.stdout
    assert "--name" not in finished.stdout


def test_broken_commands_are_listed_with_the_broken_plugins(
    harness_with_packages: Command,
) -> None:
    finished = harness_with_packages("plugins", "--json")
    one = harness_with_packages("plugins", "failing")

    broken = {each["name"]: each for each in json.loads(finished.stdout)["broken"]}
    assert {name: broken[name]["reason"] for name in BROKEN} == BROKEN
    assert broken["export"]["reason"] == "harness has a command of that name itself"
    assert broken["export"]["package"] == "outside"
    assert "in inner" in broken["failing"]["traceback"]
    assert "broken plugin failing" in one.stdout
    assert "in inner" in one.stdout


def test_what_a_command_prints_while_it_is_imported_goes_to_stderr(
    harness_with_packages: Command,
) -> None:
    finished = harness_with_packages("--version")

    assert finished.stdout.startswith("harness ")
    assert finished.stderr == "chatter\n"
