from pathlib import Path

import numpy as np
import pytest

from harness.metrics.ablation import Draws
from harness.store.ablations import FOLDER, KeptDraws

DRAWS = Draws(1, 12, None)
FIGURES = {"distance": np.array([0.1, 1 / 3, 2e-300])}


def test_figures_are_read_again_with_every_digit(tmp_path: Path) -> None:
    KeptDraws(tmp_path, "key")[DRAWS] = FIGURES

    (found,) = KeptDraws(tmp_path, "key").items()
    assert found[0] == DRAWS
    assert (found[1]["distance"] == FIGURES["distance"]).all()
    assert not KeptDraws(tmp_path, "another")


@pytest.mark.parametrize("broken", [b'[[0, 3, null], {"dist', b"\xff\x00", b"[1]", b"{}", b"7"])
def test_a_line_that_is_no_entry_costs_only_itself(tmp_path: Path, broken: bytes) -> None:
    KeptDraws(tmp_path, "key")[DRAWS] = FIGURES
    with (tmp_path / FOLDER / "key.jsonl").open("ab") as file:
        file.write(broken)
    KeptDraws(tmp_path, "key")[Draws(0, 2, 1)] = FIGURES

    assert set(KeptDraws(tmp_path, "key")) == {DRAWS, Draws(0, 2, 1)}


def test_a_folder_that_cannot_be_written_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    kept = KeptDraws(tmp_path, "key")
    kept[DRAWS] = FIGURES

    assert kept[DRAWS] == FIGURES
