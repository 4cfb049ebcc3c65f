"""Plugins in the folders of projects."""

import sys
from pathlib import Path

import pytest

import harness
from harness.plugin.projects import plugin_paths
from harness.plugin.recorded import recorded
from harness.plugin.registry import load
from support import PLUGINS

REGISTERS = '[project.entry-points.harness]\nmine = "mine"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a plugin in a module beside its pyproject.toml."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(REGISTERS)
    (folder / "mine.py").write_bytes((PLUGINS / "slow.py").read_bytes())
    return folder


def test_a_project_stands_for_the_module_that_it_registers(project: Path) -> None:
    assert plugin_paths(project) == [project / "mine.py"]
    assert load([project]).find("clusterer", "slow").name == "slow"
    assert [each["path"] for each in recorded([project])] == [str(project / "mine.py")]


def test_the_module_may_be_a_package_below_src(project: Path) -> None:
    package = project / "src" / "mine"
    package.mkdir(parents=True)
    (project / "mine.py").rename(package / "__init__.py")

    assert plugin_paths(project) == [package]


def test_a_file_and_a_package_are_plugins_themselves(project: Path) -> None:
    (project / "__init__.py").touch()

    assert plugin_paths(project) == [project]
    assert plugin_paths(project / "mine.py") == [project / "mine.py"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[project]\n", "it has no plugin under"),
        ("[project.entry-points]\nharness = 3", "it has no plugin under"),
        ("[project", "it is not TOML"),
        (f"a = {'[' * 5000}", "it is not TOML: its lists or tables are nested too deeply"),
        (REGISTERS.replace('"mine"', '"yours"'), "there is no module yours in"),
    ],
)
def test_a_project_without_a_plugin_is_refused(project: Path, written: str, message: str) -> None:
    (project / "pyproject.toml").write_text(written)

    with pytest.raises(harness.HarnessError, match=message):
        load([project])


def test_a_file_that_an_installed_package_registers_is_loaded_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = project / "mine-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[harness]\nmine = mine\n")
    monkeypatch.syspath_prepend(project)

    registry = load([project])

    assert registry.find("clusterer", "slow").__module__ == "mine"
    monkeypatch.delitem(sys.modules, "mine")
