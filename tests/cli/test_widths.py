"""No command prints a line wider than its terminal, or breaks a number or a word."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from support import PLUGINS
from support.maps import write_planted
from support.runs import small_run

DEEP = "a/rather/long/path/of/somebody/with-many-parts"
# A number, as tables write it.
NUMBER = re.compile(r"[+-]?\d*\.\d{2,}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: of two map sets at long paths, of three layers, and of a model."""
    folder = tmp_path_factory.mktemp("widths")
    maps = folder / DEEP
    maps.mkdir(parents=True)
    first, second = (write_planted(maps / f"attention_of_model_{name}") for name in ("one", "two"))
    for path in second.glob("*.npy"):
        weights = np.load(path) ** 1.1
        np.save(path, weights / weights.sum(axis=1, keepdims=True))
    small_run(
        folder / "runs" / "of-maps",
        extractors=f"arrays[path={first}],arrays[path={second}]",
        clusterers="louvain,louvain[resolution=0.5]",
        selectors="max-modularity,fixed[level=0.5]",
        controls="permuted-rows,preserved-strengths",
        perturbations="seeds",
        stability_draws=2,
        nulls=2,
    )
    small_run(
        folder / "runs" / "of-layers",
        images="noise[count=2]",
        extractors="deep",
        clusterers="louvain,infomap",
        controls="uniform-noise",
        plugins=[PLUGINS / "deep.py"],
    )
    small_run(
        folder / "runs" / "of-model",
        images="fashion-mnist-sample[count=2]",
        extractors="one-layer-vit",
        clusterers="louvain,infomap",
        levels=4,
        controls="permuted-rows",
    )
    np.save(folder / "first.npy", np.arange(40) % 12)
    np.save(folder / "second.npy", np.arange(40) % 5)
    return folder


COMMANDS = [
    [],
    ["runs", "{runs}"],
    ["leaderboard", "{maps}", "--pairs", "--stability"],
    ["leaderboard", "{maps}", "{layers}", "--by", "Q"],
    ["leaderboard", "{layers}", "--per", "head"],
    ["leaderboard", "{layers}", "--per", "layer"],
    ["show", "{maps}"],
    ["show", "{maps}", "planted-0"],
    ["show", "{layers}", "noise-0000"],
    ["layers", "{layers}"],
    ["compare", "{maps}", "{maps}"],
    ["compare", "{maps}", "{layers}"],
    ["compare-partitions", "{folder}/first.npy", "{folder}/second.npy"],
    ["show", "{model}"],
    ["show", "{model}", "00019-t-shirt"],
    ["foreground", "{model}", "--above", "0", "--candidates"],
    ["ablate", "{model}", "00019-t-shirt", "--of", "louvain@k=2", "--draws", "5"],
    ["ablate", "{model}", "--of", "louvain@k=2", "--draws", "5"],
    ["evaluate", "fashion-mnist-one-head", "--images", "fashion-mnist-sample[count=10]"],
    ["plugins"],
    ["plugins", "louvain"],
    ["plugins", "--verbose"],
    ["doctor"],
    ["data", "list"],
    ["reproduce", "--list"],
]


def shown(
    words: Sequence[str], width: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: object
) -> list[str]:
    """The lines that a command prints in a terminal of a width."""
    monkeypatch.setenv("COLUMNS", str(width))
    names = {
        "folder": runs,
        "runs": runs / "runs",
        "maps": runs / "runs" / "of-maps",
        "layers": runs / "runs" / "of-layers",
        "model": runs / "runs" / "of-model",
    }
    capfd.readouterr()  # type: ignore[attr-defined]
    assert main([word.format(**names) for word in words]) == 0
    lines: list[str] = capfd.readouterr().out.splitlines()  # type: ignore[attr-defined]
    return lines


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(
    words: Sequence[str],
    width: int,
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    lines = shown(words, width, runs, monkeypatch, capfd)

    assert lines
    assert [line for line in lines if len(line.rstrip()) > width] == []


def test_summaries_of_components_are_whole_in_a_narrow_terminal(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = (
        " ".join(" ".join(shown(["plugins"], width, runs, monkeypatch, capfd)).split())
        for width in (60, 200)
    )
    narrow, wide = (text.replace("─", "").split() for text in texts)

    assert sorted(narrow) == sorted(wide)


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_leaderboard_has_whole_numbers_and_a_line_a_method(
    width: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["leaderboard", "{maps}"]
    wide = shown(words, 200, runs, monkeypatch, capfd)
    narrow = shown(words, width, runs, monkeypatch, capfd)

    def rows(lines: Sequence[str]) -> list[str]:
        start = next(at for at, line in enumerate(lines) if line.startswith("─")) + 1
        return lines[start : start + 8]

    for row, whole in zip(rows(narrow), rows(wide), strict=True):
        assert set(NUMBER.findall(row)) <= set(NUMBER.findall(whole))
    assert len(set(rows(narrow))) == 8


@pytest.mark.parametrize("width", [80, 120])
def test_the_explanation_below_a_leaderboard_has_three_lines_at_most(
    width: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = shown(["leaderboard", "{layers}"], width, runs, monkeypatch, capfd)

    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    below = [line for line in lines[rule + 1 :] if "infomap" not in line and "louvain" not in line]
    explanation = [line for line in below if not line.startswith(("No room", "Nothing here"))]
    assert len(explanation) <= 3
    assert "effect: Q minus control" in " ".join(explanation)


def test_rows_are_labelled_by_what_differs_and_the_label_can_be_passed_back(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    table = "\n".join(shown(["leaderboard", "{maps}"], 200, runs, monkeypatch, capfd))
    label = "arrays[path=attention_of_model_two]"

    assert label in table
    assert "with-many-parts" not in table.split("─")[-1]
    chosen = shown(
        ["show", "{maps}", "planted-0", "--extractor", label], 120, runs, monkeypatch, capfd
    )
    assert chosen[1].startswith(f"{label}, layer 0, head 0")
