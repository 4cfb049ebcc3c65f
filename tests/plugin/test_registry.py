import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.plugin import registry
from harness.plugin.installed import Broken
from support import PLUGINS

HEADER = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import harness
"""
GOOD = """
@dataclass(frozen=True)
class Mine(harness.Clusterer):
    '''Mine.'''
    name: ClassVar[str] = "mine"
    size: int = 2
    def cluster(self, graph, *, seed):
        return np.zeros(graph.n, dtype=int)
"""
HOOK = """
@harness.hookimpl
def harness_clusterers():
    return [Mine]
"""


def load(tmp_path: Path, source: str, name: str = "plugin") -> registry.Registry:
    path = tmp_path / f"{name}.py"
    path.write_text(HEADER + source)
    return registry.load([path])


def only_broken(loaded: registry.Registry) -> Broken:
    (broken,) = [one for one in loaded.broken if not one.source.package]
    return broken


def test_a_plugin_file_is_used_like_a_shipped_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD + HOOK)

    small, large = loaded.make("clusterer", "mine[size=[1,5]]")
    assert (small.size, large.size) == (1, 5)  # type: ignore[attr-defined]
    assert loaded.make("clusterer", "louvain")


def test_annotations_may_be_postponed(tmp_path: Path) -> None:
    path = tmp_path / "plugin.py"
    path.write_text("from __future__ import annotations\n" + HEADER + GOOD + HOOK)

    assert registry.load([path]).make("clusterer", "mine[size=3]")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('first\\nsecond')", "ValueError: first second"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        (
            "class Unsaid(Exception):\n"
            "    def __str__(self):\n"
            "        raise TypeError\n"
            "raise Unsaid",
            "Unsaid: (its message cannot be read)",
        ),
        ("import there_is_no_such_module", "ModuleNotFoundError: No module named"),
        ("raise SystemExit", "SystemExit"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError: "),
        ("", "it implements none of the hooks harness_image_sets, "),
        (
            GOOD + HOOK.replace("harness_clusterers", "harness_clusteres"),
            "there is no hook 'harness_clusteres'; did you mean 'harness_clusterers'?",
        ),
        (
            GOOD + HOOK.replace("@harness.hookimpl", ""),
            "harness_clusterers is not marked with @harness.hookimpl",
        ),
        (
            GOOD + HOOK.replace("()", "(graph)"),
            "Argument(s) {'graph'} are declared in the hookimpl but can not be found",
        ),
        (
            GOOD + "class Other(Mine):\n    name = 'other'\n" + HOOK.replace("[Mine]", "[Other]"),
            "Other is not decorated with @dataclass(frozen=True)",
        ),
        (
            GOOD.replace("(frozen=True)", "") + HOOK,
            "Mine is not decorated with @dataclass(frozen=True)",
        ),
        (GOOD.replace("def cluster", "def clusters") + HOOK, "Mine does not define cluster"),
        (
            GOOD.replace(", *, seed", "") + HOOK,
            "Mine.cluster must take the arguments of cluster(self, graph, *, seed)",
        ),
        (GOOD.replace('name: ClassVar[str] = "mine"', "") + HOOK, "Mine has no name"),
        (
            GOOD.replace('"mine"', '"my own"') + HOOK,
            "Mine has the name 'my own'; a name consists of letters a to z, digits, hyphens, "
            "underscores and points, and begins with a letter or a digit",
        ),
        (
            GOOD.replace("name: ClassVar[str]", "name: str") + HOOK,
            "Mine.name is a class variable, no parameter: annotate it with ClassVar",
        ),
        (GOOD.replace("size: int = 2", "caveat: str = 'x'") + HOOK, "Mine.caveat must be a method"),
        (GOOD.replace('"mine"', "7") + HOOK, "Mine has no name"),
        (
            GOOD.replace('"mine"', '"mine"\n    requires = "numba"') + HOOK,
            "Mine.requires is no harness.Requirement",
        ),
        (
            GOOD.replace("size: int = 2", "size: list[int] = None") + HOOK,
            "Mine.size is of type list[int], which a spec cannot hold; it may be bool, int,",
        ),
        (GOOD.replace("size: int", "size: Unknown"), "NameError: "),
        (GOOD + HOOK.replace("[Mine]", "Mine"), "harness_clusterers must return a list of classes"),
        (GOOD + HOOK.replace("[Mine]", "None"), "harness_clusterers must return a list of classes"),
        (GOOD + HOOK.replace("[Mine]", "[Mine()]"), "is no subclass of harness.Clusterer"),
        (GOOD + HOOK.replace("[Mine]", "[int]"), "is no subclass of harness.Clusterer"),
        (GOOD + HOOK.replace("_clusterers", "_selectors"), "is no subclass of harness.Selector"),
        (GOOD + HOOK.replace("return [Mine]", "raise KeyError('x')"), "KeyError: 'x'"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_others_work(
    tmp_path: Path, source: str, reason: str
) -> None:
    loaded = load(tmp_path, source)

    broken = only_broken(loaded)
    assert broken.name == "plugin"
    assert broken.reason.startswith(reason) or reason in broken.reason
    assert "\n" not in broken.reason
    assert "mine" not in loaded.components["clusterer"]
    assert "louvain" in loaded.components["clusterer"]
    assert f"plugin 'plugin' from {tmp_path / 'plugin.py'} is broken: {broken.reason}" in [
        *loaded.warnings()
    ]


SCORE = """
@dataclass(frozen=True)
class Mine(harness.Score):
    '''Mine.'''
    name: ClassVar[str] = "mine"
    higher_is_better: ClassVar[bool] = True
    def score(self, labelled):
        return 0.0

@harness.hookimpl
def harness_scores():
    return [Mine]
"""


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("higher_is_better: ClassVar[str] = 'yes'", "does not say whether higher_is_better"),
        ("higher_is_better = None", "does not say whether higher_is_better"),
        ("range = (1, 0)", "has the range (1, 0), which is not a smallest and a larger number"),
        ("range = 3", "has the range 3, which"),
        ("range = (0, float('nan'))", "has the range (0, nan), which"),
        ("version = '2'", "has the version '2', which is not a whole number"),
    ],
)
def test_a_score_that_is_not_declared_as_one_is_broken(
    tmp_path: Path, declared: str, reason: str
) -> None:
    wrong = SCORE.replace("    def score", f"    {declared}\n    def score")

    assert load(tmp_path, SCORE, "well").make("score", "mine")
    assert only_broken(load(tmp_path, wrong)).reason.startswith(f"Mine {reason}")


def test_ctrl_c_while_a_plugin_is_imported_is_no_fault_of_it(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, "import signal\nsignal.raise_signal(signal.SIGINT)")


def test_a_hook_that_fails_leaves_nothing_of_its_plugin(tmp_path: Path) -> None:
    selectors = HOOK.replace("_clusterers", "_selectors").replace("return [Mine]", "return 3")

    loaded = load(tmp_path, GOOD + HOOK + selectors)

    assert only_broken(loaded)
    assert "mine" not in loaded.components["clusterer"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import not_installed_here", "ModuleNotFoundError: No module named 'not_installed_here'"),
        ("def inner():\n    raise ValueError('oops')\ninner()", "ValueError: oops"),
        ("def f(:", "SyntaxError: "),
        (GOOD, "it implements none of the hooks"),
        (GOOD + HOOK.replace("@harness.hookimpl", ""), "not marked with @harness.hookimpl"),
        (GOOD + HOOK.replace("[Mine]", "[]"), "its hooks return no component"),
    ],
)
@pytest.mark.parametrize("name", ["mine", "faulty"])
def test_a_component_that_is_not_there_may_be_in_a_broken_plugin_whose_reason_is_given(
    tmp_path: Path, source: str, reason: str, name: str
) -> None:
    loaded = load(tmp_path, source, "faulty")

    with pytest.raises(harness.HarnessError) as raised:
        loaded.find("clusterer", name)

    message = str(raised.value)
    assert message.startswith(f"there is no clusterer {name!r}; it may be in a plugin that cannot")
    assert f"faulty ({tmp_path / 'faulty.py'}): " in message
    assert reason in message
    assert "\n" not in message
    assert loaded.find("clusterer", "louvain")


def test_a_name_that_two_plugins_define_is_an_error_naming_both(tmp_path: Path) -> None:
    loaded = load(tmp_path, (GOOD + HOOK).replace('"mine"', '"louvain"'))

    with pytest.raises(harness.HarnessError) as raised:
        loaded.find("clusterer", "louvain")

    for source in (str(tmp_path / "plugin.py"), "harness_plugins.clusterers.louvain"):
        assert source in str(raised.value)
    (warning,) = loaded.conflicts()
    assert warning.startswith("clusterer 'louvain' cannot be used: it is defined by ")
    assert loaded.find("clusterer", "infomap")


def test_two_kinds_may_share_a_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, (GOOD + HOOK).replace('"mine"', '"threshold"'))

    assert loaded.find("clusterer", "threshold") != loaded.find("graph builder", "threshold")
    assert not [*loaded.conflicts()]


def test_a_folder_with_an_init_file_is_a_plugin_whose_modules_import_each_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "folder_plugin"
    folder.mkdir()
    (folder / "__init__.py").write_text(HEADER + "from .mine import Mine\n" + HOOK)
    (folder / "mine.py").write_text(HEADER + GOOD)

    loaded = registry.load([folder])

    assert loaded.components["clusterer"]["mine"][0][1].origin == str(folder)


def test_a_folder_without_an_init_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="no such file, or a folder without __init__"):
        registry.load([tmp_path])


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match=r"plugins: .*nowhere\.py: no such file"):
        registry.load([tmp_path / "nowhere.py"])


def test_a_file_that_is_not_python_is_broken(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")

    assert only_broken(registry.load([tmp_path / "notes.txt"])).reason == (
        "notes.txt is not a Python file"
    )


def test_files_of_one_name_in_two_folders_are_two_plugins(tmp_path: Path) -> None:
    paths = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "plugin.py")
        paths[-1].write_text(HEADER + (GOOD + HOOK).replace('"mine"', f'"{name}"'))

    loaded = registry.load(paths)

    assert loaded.components["clusterer"]["first"][0][1].origin == str(paths[0])
    assert loaded.components["clusterer"]["second"][0][1].origin == str(paths[1])


def test_what_a_plugin_prints_while_it_is_loaded_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(tmp_path, "print('hello')\n" + GOOD + HOOK)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("min", "there is no clusterer 'min'; did you mean 'mine'?"),
        ("zzzzzz", "there is no clusterer 'zzzzzz'; there are "),
        ("max-modularity", "'max-modularity' is no clusterer but a selector"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        load(tmp_path, GOOD + HOOK).find("clusterer", name)

    assert str(raised.value).startswith(message)


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path) -> None:
    (tmp_path / "their_package.py").write_text(HEADER + GOOD + HOOK)
    metadata = tmp_path / "their_package-2.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 2.5\n")
    (metadata / "entry_points.txt").write_text(
        "[harness]\nmine = their_package\ngone = their_package.gone\n"
    )

    finished = subprocess.run(
        [sys.executable, "-m", "harness", "plugins", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )

    document = json.loads(finished.stdout)
    (mine,) = [one for one in document["components"] if one["name"] == "mine"]
    assert (mine["package"], mine["version"], mine["origin"]) == (
        "their-package", "2.5", "their_package",
    )  # fmt: skip
    (gone,) = [one for one in document["broken"] if one["package"] == "their-package"]
    assert gone["name"] == "gone"
    assert "ModuleNotFoundError" in gone["reason"]


def test_a_plugin_that_was_edited_within_the_same_second_is_loaded_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "mine.py"
    source = (PLUGINS / "slow.py").read_text()

    for name in ("slow", "fast"):
        file.write_text(source.replace('"slow"', f'"{name}"'))
        os.utime(file, (1, 1))
        assert name in registry.load([file]).components["clusterer"]
