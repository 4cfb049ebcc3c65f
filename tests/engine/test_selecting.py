from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from harness.engine import worker
from harness.engine.selection import sample
from support.runs import small_run

POOL = [f"null {index}" for index in range(50)]


def test_from_a_larger_pool_a_seeded_sample_is_taken_in_order() -> None:
    drawn = sample(POOL, 10, 3)

    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn, key=POOL.index)
    assert drawn == sample(POOL, 10, 3)
    assert drawn != sample(POOL, 10, 4)


def test_a_pool_that_is_small_enough_is_taken_whole() -> None:
    assert sample(POOL, 50, 3) == POOL


def test_samples_have_the_draws_that_earlier_versions_took() -> None:
    indices = np.random.default_rng(3).choice(list(range(50)), 10, replace=False)

    assert sample(POOL, 10, 3) == [POOL[index] for index in sorted(indices)]


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
