from pathlib import Path

import pytest

import harness
from harness.plugin import registry
from support import PLUGINS

SOURCE = "def answer():\n    return 42\n"


def written(path: Path, source: str = SOURCE) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    return path


def test_a_file_without_hooks_is_no_broken_plugin_and_its_functions_can_be_called(
    tmp_path: Path,
) -> None:
    loaded = registry.load([written(tmp_path / "own-answers.py")])

    assert not loaded.broken
    assert harness.plugin_module("own-answers").module.answer() == 42


def test_a_plugin_with_components_is_given_as_well() -> None:
    registry.load([PLUGINS / "slow.py"])

    assert harness.plugin_module("slow").module.harness_clusterers


def test_a_package_folder_is_given_by_its_name(tmp_path: Path) -> None:
    written(tmp_path / "answers" / "__init__.py", "from .inner import answer as answer\n")
    written(tmp_path / "answers" / "inner.py")
    registry.load([tmp_path / "answers"])
    found = harness.plugin_module("answers")
    before = found.digest

    written(tmp_path / "answers" / "inner.py", SOURCE.replace("42", "7"))

    assert found.module.answer() == 42
    assert found.digest != before


def test_a_module_that_was_not_given_or_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    registry.load([written(tmp_path / "once.py")])
    registry.load([written(tmp_path / "once.py", "answer = 1 / 0\n")])

    for name in ("never", "once"):
        with pytest.raises(harness.HarnessError, match=f"no module '{name}' was loaded; give "):
            harness.plugin_module(name)


def test_two_modules_of_one_name_are_refused_with_both_paths(tmp_path: Path) -> None:
    paths = [written(tmp_path / folder / "twin.py") for folder in ("first", "second")]
    registry.load(paths)

    with pytest.raises(harness.HarnessError, match=r"first/twin\.py and .*second/twin\.py; rename"):
        harness.plugin_module("twin")
    registry.load(paths[1:])
    assert harness.plugin_module("twin").path == paths[1]


@pytest.mark.parametrize(
    "source",
    [
        "import math\n",
        "def harness_clusterers():\n    return []\n",
        "import harness\nclass Mine(harness.Clusterer):\n    name = 'mine'\n",
    ],
)
def test_a_file_that_defines_nothing_or_a_component_without_its_hook_is_broken(
    tmp_path: Path, source: str
) -> None:
    (broken,) = registry.load([written(tmp_path / "mine.py", source)]).broken

    assert broken.name == "mine"


def test_a_component_that_is_missing_may_have_been_meant_in_a_file_without_hooks(
    tmp_path: Path,
) -> None:
    loaded = registry.load([written(tmp_path / "mine.py")])

    with pytest.raises(harness.HarnessError, match=r"no clusterer 'mine'; .*mine\.py imple"):
        loaded.find("clusterer", "mine")
