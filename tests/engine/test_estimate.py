"""Estimates while cells are computed, on runs that are played with a clock set by hand."""

import random
from collections.abc import Mapping

import pytest

from harness.engine import estimate
from harness.engine.estimate import KindTimes, RemainingTime
from harness.store.missing import CellKind


def kind(clusterer: str, role: str = "observed") -> CellKind:
    return CellKind("vit", role, "threshold", clusterer)


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def played(
    monkeypatch: pytest.MonkeyPatch, seconds: Mapping[CellKind, float], each: int, workers: int
) -> list[tuple[float | None, float]]:
    """The estimate after every cell, and the time that was left, of a run in a random order."""
    clock, chance = Clock(), random.Random(0)
    monkeypatch.setattr(estimate.time, "monotonic", clock.monotonic)
    cells = [one for one in seconds for _ in range(each)]
    chance.shuffle(cells)
    remaining = RemainingTime(dict.fromkeys(seconds, each))
    free, imported, ends = [0.0] * workers, set(), []
    for cell in cells:
        worker = free.index(min(free))
        # The first cell of a method in every worker imports its library.
        importing = 0.0 if (worker, cell) in imported else 2.0
        imported.add((worker, cell))
        took = importing + seconds[cell] * chance.uniform(0.7, 1.3)
        free[worker] += took
        ends.append((free[worker], cell, took))
    found = []
    for end, cell, took in sorted(ends):
        clock.now = end
        remaining.add(cell, took)
        found.append((remaining.seconds(), max(free) - end))
    return found


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize(
    "seconds",
    [
        {kind("louvain"): 1.0},
        {kind("louvain"): 0.2, kind("sdp"): 5.0},
        {kind("louvain"): 0.2, kind("infomap"): 0.1, kind("sdp"): 3.0},
        {kind("sdp"): 1.0, kind("sdp", "control"): 6.0},
        {kind("louvain"): 0.4, kind("infomap"): 0.3},
    ],
    ids=str,
)
def test_after_a_tenth_the_estimate_is_within_a_factor_of_two(
    monkeypatch: pytest.MonkeyPatch, seconds: Mapping[CellKind, float], workers: int
) -> None:
    found = played(monkeypatch, seconds, each=200, workers=workers)

    for estimated, true in found[len(found) // 10 : -len(found) // 10]:
        assert estimated is not None
        assert true / 2 <= estimated <= true * 2


def test_before_anything_was_measured_there_is_no_estimate() -> None:
    assert RemainingTime({kind("louvain"): 9}).seconds() is None


def test_cells_that_are_not_computed_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(estimate.time, "monotonic", clock.monotonic)
    remaining = RemainingTime({kind("louvain"): 20})
    for _ in range(10):
        clock.now += 1
        remaining.add(kind("louvain"), 1.0)
    assert remaining.seconds() == pytest.approx(10)

    for _ in range(8):
        remaining.add(kind("louvain"), None)
    assert remaining.seconds() == pytest.approx(2)


def test_the_time_of_another_role_stands_in_for_a_kind_that_was_not_timed() -> None:
    times = KindTimes()
    for seconds in (1.0, 2.0, 30.0):
        times.add(kind("louvain"), seconds)

    assert times.of(kind("louvain", "control")) == 2.0
    assert times.of(kind("infomap")) is None
