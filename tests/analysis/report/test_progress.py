"""How far a run is, and how long it will still take."""

from pathlib import Path

import pytest

from harness.analysis.report.progress import RunProgress, run_progress, seconds_left
from harness.store import open_for_reading, open_for_writing
from support.runs import small_run


@pytest.fixture
def folder(planted_maps: Path, tmp_path: Path) -> Path:
    return small_run(tmp_path / "run", planted_maps, perturbations="seeds").folder


def found_in(folder: Path) -> RunProgress:
    with open_for_reading(folder) as store:
        return run_progress(store)


def test_a_finished_run_has_nothing_to_do(folder: Path) -> None:
    found = found_in(folder)

    assert found.finished
    assert (found.step, found.failed) == ("", 0)
    assert found.done == found.total > 3


def test_without_a_plan_nothing_is_known(tmp_path: Path) -> None:
    with open_for_writing(tmp_path / "new"):
        pass

    assert found_in(tmp_path / "new") == RunProgress()


@pytest.mark.parametrize(
    ("statement", "step"),
    [
        ("DELETE FROM cells", "Maps are made and clustered."),
        (
            "DELETE FROM cells WHERE cell IN (SELECT cell FROM planned WHERE role <> 'observed')",
            "Perturbed maps are clustered, for stability.",
        ),
        (
            "UPDATE sessions SET value = json_set(value, '$.finished', json('false'))",
            "Levels are selected and tested, and their stability measured.",
        ),
    ],
)
def test_the_step_is_what_is_missing_first(folder: Path, statement: str, step: str) -> None:
    with open_for_writing(folder) as store, store.connection as connection:
        connection.execute(statement)

    found = found_in(folder)

    assert (found.step, found.finished) == (step, False)


def test_skipped_cells_have_ended_and_are_no_failures(folder: Path) -> None:
    with open_for_writing(folder) as store, store.connection as connection:
        connection.execute("UPDATE cells SET status = 'timed out' WHERE rowid = 1")
        connection.execute("UPDATE cells SET status = 'skipped' WHERE rowid = 2")

    found = found_in(folder)

    assert (found.failed, found.skipped) == (1, 1)
    assert found.ended == found.total


def at(done: int, total: int = 100) -> RunProgress:
    return RunProgress(done, total=total)


def test_the_rest_takes_as_long_as_recent_cells_took() -> None:
    assert seconds_left([(0.0, at(0)), (10.0, at(20))]) == pytest.approx(40)


def test_what_lies_long_back_does_not_count() -> None:
    assert seconds_left([(0.0, at(0)), (1000.0, at(10)), (1010.0, at(20))]) == pytest.approx(80)


@pytest.mark.parametrize(
    "seen",
    [
        [(0.0, at(5))],
        [(0.0, at(5)), (10.0, at(5))],
        [(0.0, RunProgress()), (10.0, at(50))],
        [(0.0, at(5)), (0.0, at(6))],
    ],
    ids=["once", "stands still", "planned since", "no time passed"],
)
def test_the_time_is_not_known_yet(seen: list[tuple[float, RunProgress]]) -> None:
    assert seconds_left(seen) is None
