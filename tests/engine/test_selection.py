from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import harness
from harness.engine.selection import selected
from harness.errors import HarnessError


def a_profile(modularity: Sequence[float], levels: Sequence[float] = (0.0, 0.5)) -> harness.Profile:
    return harness.Profile(
        [
            harness.Point(
                level=level,
                threshold=0.0,
                density=1.0,
                modularity=value,
                modularity_full=value,
                z_modularity=value,
                n_clusters=2,
                coverage=1.0,
                largest_component_fraction=1.0,
                isolated_fraction=0.0,
                jaccard_previous=0.0,
                seconds=0.0,
                labels=np.array([0, 1]),
            )
            for level, value in zip(levels, modularity, strict=True)
        ]
    )


@dataclass(frozen=True)
class AboveTheMean(harness.Selector):
    """The level where modularity is largest above the mean of all that it is shown."""

    name: ClassVar[str] = "above-the-mean"

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        pool = np.array([each.modularity for each in (profile, *controls)])
        above = profile.modularity - pool.mean(axis=0)
        best = int(above.argmax())
        return harness.Selection(best, float(above[best]), True, None, f"of {len(pool)}")


OBSERVED = a_profile([0.1, 0.9])
NULLS = [a_profile([0.2, 0.1]), a_profile([0.0, 0.3]), a_profile([0.1, 0.2])]


def test_observed_and_nulls_go_through_the_selection_alike() -> None:
    answer = selected(AboveTheMean(), OBSERVED, {"noise": NULLS})

    pool = np.array([each.modularity for each in (OBSERVED, *NULLS)])
    expected = (pool - pool.mean(axis=0)).max(axis=1)
    assert answer["tests"]["noise"]["statistic"] == pytest.approx(expected[0])
    assert answer["tests"]["noise"]["nulls"] == pytest.approx(expected[1:].tolist())
    assert answer["selection"]["reason"] == "of 4"


def test_every_draw_is_selected_from_as_if_it_were_observed() -> None:
    test = selected(AboveTheMean(), OBSERVED, {"noise": NULLS})["tests"]["noise"]

    pool = np.array([each.modularity for each in (OBSERVED, *NULLS)])
    levels = (pool - pool.mean(axis=0)).argmax(axis=1)[1:]
    assert test["candidates"] == levels.tolist()
    drawn = pool[1:]
    excesses = [
        drawn[at, level] - np.delete(drawn[:, level], at).mean() for at, level in enumerate(levels)
    ]
    assert test["bias"]["mean"] == pytest.approx(np.mean(excesses))


def test_the_bias_is_measured_on_the_draws_of_the_map_alone() -> None:
    test = selected(AboveTheMean(), OBSERVED, {"noise": NULLS}, own={"noise": [0, 2]})["tests"]

    first, _, third = (null.modularity for null in NULLS)
    one, other = (test["noise"]["candidates"][at] for at in (0, 2))
    expected = (first[one] - third[one] + third[other] - first[other]) / 2
    assert test["noise"]["bias"]["mean"] == pytest.approx(expected)


@dataclass(frozen=True)
class Refusing(AboveTheMean):
    """Accepts only the profile that reaches .9."""

    name: ClassVar[str] = "refusing"

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        return replace(super().select(profile, controls), accepted=profile.modularity.max() >= 0.9)


def test_draws_on_which_nothing_is_accepted_have_no_bias() -> None:
    test = selected(Refusing(), OBSERVED, {"noise": NULLS})["tests"]["noise"]

    assert (test["candidates"], test["bias"]) == ([-1] * 3, {"mean": 0, "single": 0})


def test_each_control_is_a_pool_of_its_own_and_the_first_is_shown() -> None:
    answer = selected(AboveTheMean(), OBSERVED, {"weak": NULLS[:1], "strict": NULLS})

    assert answer["selection"]["statistic"] == answer["tests"]["weak"]["statistic"]
    assert len(answer["tests"]["weak"]["nulls"]) == 1
    assert len(answer["tests"]["strict"]["nulls"]) == 3


def test_without_controls_there_is_a_selection_and_no_test() -> None:
    answer = selected(AboveTheMean(), OBSERVED, {})

    assert answer["selection"]["candidate"] == 0
    assert answer["tests"] == {}


def test_a_control_without_a_single_successful_draw_gives_no_test() -> None:
    assert selected(AboveTheMean(), OBSERVED, {"noise": []})["tests"] == {}


@dataclass(frozen=True)
class Few(AboveTheMean):
    """Needs at least one control, and refuses more than two."""

    name: ClassVar[str] = "few"
    needs_controls: ClassVar[bool] = True

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        if len(controls) not in (1, 2):
            raise ValueError(f"{len(controls)} controls")
        return super().select(profile, controls)


def test_a_control_without_draws_costs_only_the_test_under_it() -> None:
    answers = [selected(Few(), OBSERVED, {name: NULLS[:2], "none": []}) for name in ("a", "b")]
    answers += [selected(Few(), OBSERVED, {"none": [], "b": NULLS[:2]})]

    assert [list(answer["tests"]) for answer in answers] == [["a"], ["b"], ["b"]]
    assert answers[0]["selection"] == answers[2]["selection"]


def test_a_test_under_a_second_control_that_fails_costs_nothing_else() -> None:
    answer = selected(Few(), OBSERVED, {"first": NULLS[:2], "second": NULLS})

    assert answer["tests"]["second"] == {"reason": "ValueError: 3 controls"}
    assert (
        answer["tests"]["first"]
        == selected(Few(), OBSERVED, {"first": NULLS[:2]})["tests"]["first"]
    )


def test_a_map_is_not_tested_under_a_control_that_cannot_be_drawn_from_it() -> None:
    answer = selected(AboveTheMean(), OBSERVED, {"noise": NULLS}, {"noise"})

    assert answer["selection"]["reason"] == "of 4"
    assert answer["tests"] == {}


def test_a_selector_that_needs_controls_says_which_have_no_draws() -> None:
    with pytest.raises(HarnessError, match="there is no draw of noise or shuffled: none could be"):
        selected(Few(), OBSERVED, {"noise": [], "shuffled": []})


def test_profiles_at_other_levels_are_refused() -> None:
    other = a_profile([0.1, 0.2], levels=[0.0, 0.6])

    with pytest.raises(HarnessError, match="levels are not the image's own"):
        selected(AboveTheMean(), OBSERVED, {"noise": [other]})
