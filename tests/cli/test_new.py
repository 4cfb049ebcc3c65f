import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli.new import RUN
from harness.testing import laws_of
from harness.testing.targets import find_targets
from support.runs import Command


@pytest.mark.parametrize("kind", RUN)
def test_what_is_written_keeps_the_laws_of_its_kind(
    harness_command: Command, tmp_path: Path, kind: str
) -> None:
    finished = harness_command("new", kind, f"fresh-{kind}")

    assert finished.returncode == 0, finished.stderr
    (component,) = find_targets([str(tmp_path / f"fresh-{kind}")]).components
    assert component.name == f"fresh-{kind}"
    assert component.kind.split()[-1] in ("extractor" if kind == "map-set" else kind)
    for law in laws_of(component):
        law(component)


def test_a_whole_package_is_written_and_its_files_are_named(
    harness_command: Command, tmp_path: Path
) -> None:
    finished = harness_command("new", "clusterer", "fresh-idea")

    folder = tmp_path / "fresh-idea"
    names = ["README.md", "fresh_idea.py", "pyproject.toml", "tests/test_fresh_idea.py"]
    assert sorted(finished.stdout.split()) == [f"fresh-idea/{name}" for name in names]
    texts = [(folder / name).read_text() for name in names]
    for word in ("my-method", "my_method", "MyMethod", "KIND", "RUN"):
        assert not [text for text in texts if word in text]
    project = tomllib.loads(texts[2])["project"]
    assert project["entry-points"]["harness"] == {"fresh-idea": "fresh_idea"}
    assert "harness run --plugin . --clusterers louvain,fresh-idea" in texts[0]


@pytest.mark.slow
def test_the_tests_of_the_package_pass(harness_command: Command, tmp_path: Path) -> None:
    harness_command("new", "clusterer", "fresh-idea")

    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "fresh-idea",
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout
    assert "13 passed" in finished.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Method", "'My-Method' is no name: take small letters, digits and hyphens"),
        ("my_method", "'my_method' is no name"),
        ("2nd", "'2nd' is no name"),
        ("../up", "'../up' is no name"),
        ("none", "'none' is no name"),
        ("louvain", "there is a component 'louvain' already"),
        ("numpy", "there is a module numpy already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(
    harness_command: Command, tmp_path: Path, name: str, message: str
) -> None:
    finished = harness_command("new", "clusterer", name)

    assert finished.returncode == 1
    assert finished.stderr.startswith(f"harness: {message}")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_left_alone(harness_command: Command, tmp_path: Path) -> None:
    (tmp_path / "fresh-idea").mkdir()

    finished = harness_command("new", "clusterer", "fresh-idea")

    assert finished.returncode == 1
    assert finished.stderr.startswith("harness: fresh-idea: it exists already")
    assert not list((tmp_path / "fresh-idea").iterdir())


def test_a_kind_that_there_is_not_is_refused(harness_command: Command) -> None:
    finished = harness_command("new", "clusterers", "fresh-idea")

    assert finished.returncode == 1
    assert "did you mean 'clusterer'?" in finished.stderr
