from pathlib import Path

import numpy as np
import pytest

import harness
from harness.analysis.layers import HeadRow, flat_row
from harness.cli.main import main
from support import PLUGINS
from support.runs import small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    folder = tmp_path_factory.mktemp("heads")
    return small_run(
        folder / "out",
        images="noise[count=3]",
        extractors="known-heads",
        selectors="fixed[level=0.5]",
        controls="uniform-noise",
        nulls=2,
        plugins=[PLUGINS / "known_heads.py"],
    )


@pytest.fixture
def rows(run: harness.Run) -> list[HeadRow]:
    return run.head_rows()


def test_heads_that_cluster_stand_before_those_that_do_not(rows: list[HeadRow]) -> None:
    assert [(row.layer, row.head) for row in rows[:2]] == [(1, 1), (0, 1)]
    assert {(row.layer, row.head) for row in rows[2:]} == {(0, 0), (1, 0)}
    assert rows[1].effect > 0.1 > abs(rows[2].effect)


def test_figures_are_over_the_maps_of_the_head_alone(run: harness.Run, rows: list[HeadRow]) -> None:
    selections = run.selections()
    for row in rows:
        of_it = selections[(selections["layer"] == row.layer) & (selections["head"] == row.head)]
        assert row.total == row.ok == len(of_it) == 3
        assert row.modularity == pytest.approx(np.mean(of_it["modularity"]))
        assert row.effect_low <= row.effect <= row.effect_high
        assert row.significant_fraction == row.significant / 3


def test_a_row_is_flat_for_a_table(rows: list[HeadRow]) -> None:
    flat = flat_row(rows[0])
    assert (flat["layer"], flat["head"], flat["clusterer"]) == (1, 1, "louvain")
    assert not {"rank", "tier", "mean_rank", "controls", "figures"} & flat.keys()


def test_methods_stay_in_the_order_of_the_plan(tmp_path: Path, planted_maps: Path) -> None:
    run = small_run(
        tmp_path / "out",
        planted_maps,
        clusterers="louvain,infomap",
        selectors="fixed[level=0.5]",
        levels=2,
    )
    assert [row.method.clusterer for row in run.head_rows()] == ["louvain", "infomap"]
    assert all(row.significant_fraction is None for row in run.head_rows())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on stored attention: two images, two layers, two heads, of which head 1 clusters."""
    folder = tmp_path_factory.mktemp("stack")
    parity = np.arange(24) % 2
    weights = np.exp(np.random.default_rng(0).normal(size=(2, 2, 2, 24, 24)))
    weights[:, :, 1] *= np.where(parity[:, None] == parity, 50, 1)
    weights /= weights.sum(axis=-1, keepdims=True)
    weights[1, 1, 0, 0, 0] = np.nan
    np.save(folder / "deep.npy", weights)
    small_run(
        folder / "out",
        folder / "deep.npy",
        selectors="fixed[level=0.5]",
        controls="permuted-rows",
        nulls=2,
    )
    return folder / "out"


def test_stored_attention_has_its_layers_and_heads(stack: Path) -> None:
    rows = harness.open_run(stack).head_rows()

    assert {(row.layer, row.head) for row in rows[:2]} == {(0, 1), (1, 1)}
    assert {(row.layer, row.head): (row.ok, row.total) for row in rows} == {
        (0, 0): (2, 2), (0, 1): (2, 2), (1, 0): (1, 2), (1, 1): (2, 2)
    }  # fmt: skip


def test_stored_attention_is_compared_by_its_images(stack: Path) -> None:
    (row,) = harness.open_run(stack).leaderboard()

    assert (row.ok, row.total) == (7, 8)
    assert set(harness.open_run(stack).cells()["image"]) == {"deep[0]", "deep[1]"}


def test_a_layer_and_head_of_stored_attention_is_shown_and_compared(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(stack), "deep[0]", "--layer", "1", "--head", "1"]) == 0
    assert "layer 1, head 1; 24 patches" in " ".join(capsys.readouterr().out.split())
    places = ["--of", "louvain@layer=0,head=1", "--with", "louvain@layer=1,head=1"]
    assert main(["compare-partitions", str(stack), "deep[0]", *places]) == 0
    assert "Matched in all: 1.000" in capsys.readouterr().out
