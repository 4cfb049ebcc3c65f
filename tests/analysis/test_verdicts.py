"""What tests found, and what too few draws leave open."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.store import open_for_writing
from support.maps import planted_weights
from support.runs import small_run


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes runs on planted maps and on uniform ones, where everything ties and p is 1."""
    folder = tmp_path_factory.mktemp("verdicts")

    def make(planted: int = 2, uniform: int = 2, rings: int = 0, **changes: Any) -> harness.Run:
        maps = folder / f"{planted}-{uniform}-{rings}"
        maps.mkdir(exist_ok=True)
        for number in range(planted):
            np.save(maps / f"planted-{number}.npy", planted_weights(number, n=16, signal=4))
        for number in range(uniform):
            np.save(maps / f"uniform-{number}.npy", np.full((16, 16), (number + 1) / 16))
        for number in range(rings):
            np.save(maps / f"ring-{number}.npy", np.roll(np.eye(16), 1, 1) * (number + 1))
        settings = {
            "controls": "permuted-rows",
            "selectors": "fixed[level=0.5]",
            "nulls": 19,
            "levels": 3,
        }
        out = tmp_path_factory.mktemp("run") / "out"
        return small_run(out, maps, **{**settings, **changes})

    return make


def test_tests_at_the_smallest_p_that_are_too_few_leave_it_open(run_of: Any) -> None:
    (found,) = run_of().verdicts()

    assert (found.selector, found.control) == ("fixed[level=0.5]", "permuted-rows")
    assert (found.reach.tests, found.reach.most_draws, found.reach.needed) == (4, 20, 4)
    assert (found.significant, found.at_smallest, found.nulls) == (0, 2, 39)
    assert not found.nothing


def test_maps_that_failed_since_they_were_tested_count_for_their_own_tests_alone(
    run_of: Any,
) -> None:
    run = run_of()
    with open_for_writing(run.folder) as store, store.connection as connection:
        connection.execute("UPDATE maps SET reason = 'gone', nodes = 0")

    (found,) = run.verdicts()

    assert (found.reach.tests, found.at_smallest, found.nulls) == (4, 2, 39)


@pytest.mark.slow
@pytest.mark.parametrize(("pooling", "fewer"), [("group", 36), ("image", 38)])
def test_so_many_nulls_settle_it_and_fewer_do_not(run_of: Any, pooling: str, fewer: int) -> None:
    (settled,) = run_of(nulls=39, pooling=pooling).verdicts()
    (still_open,) = run_of(nulls=fewer, pooling=pooling).verdicts()

    assert (settled.significant, settled.nulls) == (2, None)
    assert (still_open.significant, still_open.nulls) == (0, 39)


@pytest.mark.slow
@pytest.mark.parametrize(("nulls", "significant"), [(6, 0), (36, 0), (40, 2)])
def test_nulls_that_settle_it_allow_for_maps_without_draws(
    run_of: Any, nulls: int, significant: int
) -> None:
    # Of four maps, a control can be drawn from two.
    (found,) = run_of(uniform=0, rings=2, controls="preserved-strengths", nulls=nulls).verdicts()

    assert (found.reach.tests, found.at_smallest, found.significant) == (2, 2, significant)
    assert found.nulls == (None if significant else 40)


def test_where_no_test_stands_out_more_draws_are_not_proposed(run_of: Any) -> None:
    run = run_of(planted=0, uniform=1)
    (found,) = run.verdicts()

    assert found.nothing
    assert found.nulls is None
    assert run.tests()["p"].tolist() == [1.0]


def test_every_selector_and_control_has_a_verdict_over_all_methods(run_of: Any) -> None:
    found = run_of(
        controls="preserved-strengths,permuted-rows",
        selectors="max-modularity,fixed[level=0.5]",
        clusterers="louvain,infomap",
        nulls=4,
    ).verdicts()

    assert sorted((each.control, each.selector) for each in found) == [
        ("permuted-rows", "fixed[level=0.5]"),
        ("permuted-rows", "max-modularity"),
        ("preserved-strengths", "fixed[level=0.5]"),
        ("preserved-strengths", "max-modularity"),
    ]
    assert [each.control for each in found[:2]] == ["preserved-strengths"] * 2
    assert {each.reach.tests for each in found} == {8}


def test_a_run_without_controls_has_none(planted_maps: Path, tmp_path: Path) -> None:
    assert list(small_run(tmp_path / "out", planted_maps).verdicts()) == []


def test_no_more_tests_at_the_smallest_p_than_chance_explains_are_nothing(run_of: Any) -> None:
    # One test of eight with p 1/5, where 8/5 are expected.
    (found,) = run_of(planted=1, uniform=7, nulls=4, pooling="image").verdicts()

    assert (found.at_smallest, found.by_chance) == (1, pytest.approx(8 / 5))
    assert found.nothing
