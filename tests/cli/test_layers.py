import csv
import json
from pathlib import Path

import pytest

from harness.analysis.method import MethodKey
from harness.cli.main import main

SIMILARITIES = ("layers-similarity", "heads-similarity", "heads-similarity-ami")


@pytest.fixture
def shown(deep: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["layers", str(deep), "--of", "louvain"]) == 0
    return capsys.readouterr().out


def test_every_layer_and_head_is_shown(shown: str) -> None:
    lines = shown.splitlines()
    assert "louvain fixed[level=0.5]" in shown
    assert "infomap" not in shown
    assert sum(line.split()[-1:] == ["6/6"] for line in lines) == 2 * 3
    assert sum(line.split()[:3] == ["layer", "head", "0"] for line in lines) == 2
    assert "AMI: heads of one layer" in shown
    assert "over 3 pairs of images" in " ".join(shown.split())


def test_where_nothing_was_accepted_that_is_said(shown: str) -> None:
    assert "louvain excess-modularity" in shown
    assert "nothing to compare" in shown


def test_why_nothing_can_be_significant_is_said(shown: str) -> None:
    assert "No map is significant" in shown
    assert "More --nulls allow smaller values" in shown


def test_a_narrow_terminal_has_several_blocks(
    deep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from harness.api import open_run
    from harness.views.layers import show

    methods = open_run(deep).layers(["louvain"])[:1]
    show("run", methods, Console(width=14, force_terminal=False))
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.split()[:3] == ["layer", "head", "1"] for line in lines) == 1


def test_json_has_everything(deep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", str(deep), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [method["clusterer"] for method in document["methods"]] == ["louvain"] * 2 + [
        "infomap"
    ] * 2
    first = document["methods"][0]
    assert [row["layer"] for row in first["layers"]] == [0, 1, 2]
    assert len(first["heads"]) == 6
    # Three layers with themselves and others, six heads with others, by two measures.
    assert len(first["similarity"]) == 2 * (6 + 15)
    deep_pair = first["similarity"][5]
    assert (deep_pair["layer"], deep_pair["other_layer"]) == (2, 2)
    assert deep_pair["similarity"] == pytest.approx(1)
    assert deep_pair["images"] == 3
    assert set(MethodKey._fields) <= first.keys()
    assert not set(MethodKey._fields) & deep_pair.keys()


@pytest.mark.slow
def test_figures_and_tables_are_written(
    deep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures"
    assert main(["layers", str(deep), "--of", "infomap", "--out", str(out)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines() if str(out) in line]
    assert sorted(out.iterdir()) == sorted(written)
    names = {path.name for path in written}
    for stem in ("depth", *(f"{name}-infomap-fixed-level-0.5" for name in SIMILARITIES)):
        assert {f"{stem}.png", f"{stem}.svg"} <= names
    # Nothing was accepted there.
    assert not any(f"{name}-infomap-excess-modularity.png" in names for name in SIMILARITIES)
    with (out / "heads.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 6
    assert float(rows[5]["ami_across_images"]) == pytest.approx(1)
    with (out / "similarity.csv").open(encoding="utf-8") as file:
        assert set(MethodKey._fields) | {"images"} <= next(csv.DictReader(file)).keys()
    with (out / "layers.csv").open(encoding="utf-8") as file:
        assert [row["layer"] for row in csv.DictReader(file)] == ["0", "1", "2"] * 2


def test_a_run_of_one_layer_and_head_is_one_line(
    computed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", str(computed)]) == 1
    error = capsys.readouterr().err
    assert "one layer and head only" in error
    assert error.count("\n") == 1


def test_an_unwritable_folder_is_one_line(
    deep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["layers", str(deep), "--out", str(tmp_path / "taken")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
