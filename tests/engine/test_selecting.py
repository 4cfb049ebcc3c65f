from pathlib import Path

import pandas
import pytest

import harness
from harness.engine import selecting
from harness.engine.selecting import _Questions
from harness.store import Group
from support.runs import small_run


def drawn(cell: str, seed: int) -> list[int]:
    null_cells = {f"null {index}": "map" for index in range(50)}
    group = Group({cell: "map"}, {cell: seed}, {"noise": null_cells})
    (question,) = _Questions(group, ["fixed"], "group", 10).after(0)
    return question["nulls"]["noise"]


def test_which_draws_are_taken_depends_on_the_cells_seed_and_not_on_its_key() -> None:
    assert drawn("a key", 3) == drawn("another key", 3)
    assert drawn("a key", 3) != drawn("a key", 4)


def test_questions_that_do_not_fit_one_message_are_asked_in_the_next(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str) -> harness.Run:
        return small_run(
            tmp_path / name,
            planted,
            controls="permuted-rows",
            selectors="max-modularity,stable-phase",
            nulls=3,
            levels=4,
        )

    together = run("together")
    monkeypatch.setattr(selecting, "MOST_INDICES", 4)
    apart = run("apart")

    assert len(together.selections()) == 6
    pandas.testing.assert_frame_equal(apart.selections(), together.selections())
    pandas.testing.assert_frame_equal(apart.tests(), together.tests())
