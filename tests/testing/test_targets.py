"""What words of `harness check` stand for."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import harness
from harness.plugin.spec import format_spec
from harness.testing.targets import find_targets
from support import PLUGINS


def specs(*words: str | Path) -> Sequence[str]:
    targets = find_targets(list(map(str, words)))
    assert not targets.refused
    return [f"{each.kind} {format_spec(each)}" for each in targets.components]


def test_a_file_stands_for_all_its_components() -> None:
    assert specs(PLUGINS / "centred.py") == [
        "image set banners",
        "extractor centre-square",
        "extractor twins",
        "graph builder needs-region",
    ]


def test_a_spec_after_a_file_chooses_among_its_components() -> None:
    assert specs(PLUGINS / "slow.py", "slow[seconds=[0.5,1]]") == [
        "clusterer slow[seconds=0.5]",
        "clusterer slow[seconds=1.0]",
    ]


def test_an_installed_plugin_stands_for_all_its_components() -> None:
    assert specs("louvain", "top-k") == ["clusterer louvain", "graph builder top-k"]
    assert "clusterer louvain" in [
        f"{each.kind} {each.name}" for each in find_targets(["attention-harness"]).components
    ]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("louvian", "there is no component, plugin or file 'louvian'; did you mean 'louvain'?"),
        ("nowhere/plugin.py", "nowhere/plugin.py: no such file"),
    ],
)
def test_a_word_that_stands_for_nothing_is_refused(word: str, message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message.replace("?", r"\?")):
        find_targets([word])


def test_a_component_that_needs_a_parameter_is_refused_by_name() -> None:
    assert find_targets(["fixed"]).refused == [
        "selector fixed: fixed: level is required: fixed[level=…]"
    ]


def test_a_file_that_cannot_be_loaded_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import there_is_no_such_module")

    (line,) = find_targets([str(file)]).refused

    assert line.startswith(f"{file}: it cannot be loaded: ModuleNotFoundError")
    with pytest.raises(harness.HarnessError, match=r"mine\.py cannot be loaded: ModuleNotF"):
        find_targets([str(file), "other"])
