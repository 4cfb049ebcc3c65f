"""Effects of images, and p values of maps, are those of the run's frames."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.analysis.outcomes import outcomes
from harness.analysis.report.contents import RunReport
from harness.analysis.report.effects import MOST_IMAGES, method_effects, spread_out
from harness.store import open_for_reading
from support.runs import small_run


def test_a_method_has_the_effect_and_interval_of_the_leaderboard(deep_report: RunReport) -> None:
    for row, effects in zip(deep_report.board.rows, deep_report.effects, strict=True):
        assert effects.method == row.method
        assert (effects.effect, effects.low, effects.high) == (
            row.effect,
            row.effect_low,
            row.effect_high,
        )
        assert effects.effect == pytest.approx(np.mean([effect for _, effect in effects.images]))


def test_images_are_ordered_by_their_effect(deep_report: RunReport) -> None:
    for each in deep_report.effects:
        effects = [effect for _, effect in each.images]
        assert effects == sorted(effects, reverse=True)
        assert {name for name, _ in each.images} == {"noise-0000", "noise-0001", "noise-0002"}


def test_without_a_control_effects_are_modularities(
    reported: Callable[..., RunReport], tmp_path: Path, planted: Path
) -> None:
    run = small_run(tmp_path / "out", planted)
    (effects,) = reported(run.folder).effects

    modularities = run.selections().set_index("image")["modularity"].to_dict()
    assert not effects.is_effect
    assert dict(effects.images) == pytest.approx(modularities)


def test_p_values_are_those_of_the_tests_in_their_order(deep: Path, deep_report: RunReport) -> None:
    tests = harness.open_run(deep).tests()

    for each in deep_report.tests:
        of = tests[
            (tests["clusterer"] == each.method.clusterer)
            & (tests["selector"] == each.method.selector)
            & (tests["control"] == each.control)
        ]
        assert list(each.values) == sorted(of["p"])
        assert each.tests == len(of)
        assert each.smallest == 1 / (1 + len(of["null_statistics"].iloc[0]))


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(0, 3, []), (1, 3, [0]), (3, 3, [0, 1, 2]), (7, 3, [0, 3, 6]), (5, 1, [0])],
)
def test_items_are_spread_evenly(count: int, most: int, expected: list[int]) -> None:
    assert spread_out(range(count), most) == expected


def test_many_images_are_thinned_and_counted(deep: Path) -> None:
    with open_for_reading(deep) as store:
        found = outcomes(store)
    first = found[0]
    many = [first._replace(image=f"{number}", effect=number / 7) for number in range(1000)]

    (row,) = [
        row for row in harness.open_run(deep).leaderboard().rows if row.method == first.method
    ]
    (effects,) = method_effects([row], many)

    assert (len(effects.images), effects.omitted) == (MOST_IMAGES, 1000 - MOST_IMAGES)
    assert effects.images[0] == ("999", 999 / 7)
    assert effects.images[-1] == ("0", 0.0)
