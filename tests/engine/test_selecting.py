from pathlib import Path

import pandas
import pytest

import harness
from harness.engine import worker
from support.runs import small_run


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
    monkeypatch.setattr(worker, "MOST_QUESTIONS", 4)
    apart = run("apart")

    assert len(together.selections()) == 6
    pandas.testing.assert_frame_equal(apart.selections(), together.selections())
    pandas.testing.assert_frame_equal(apart.tests(), together.tests())
