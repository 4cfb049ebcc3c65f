import math
from collections.abc import Callable

import pytest

import harness
from harness_plugins.selectors.fixed import Fixed

NAN = float("nan")

ProfileMaker = Callable[..., harness.Profile]


@pytest.mark.parametrize(
    ("level", "candidate"), [(0.0, 0), (0.04, 0), (0.06, 1), (0.2, 2), (0.35, 3)]
)
def test_the_nearest_level_is_chosen(
    make_profile: ProfileMaker, level: float, candidate: int
) -> None:
    profile = make_profile([0.1, 0.2, 0.3, 0.4], [2, 3, 4, 5])
    selection = Fixed(level=level).select(profile, [])
    assert selection.candidate == candidate
    assert selection.statistic == profile.modularity[candidate]
    assert selection.accepted
    assert selection.plateau is None
    assert selection.reason


def test_of_two_levels_as_near_the_denser_is_chosen(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.1, 0.2], [2, 2], levels=[0.25, 0.75])
    assert Fixed(level=0.5).select(profile, []).candidate == 0


def test_a_level_without_two_clusters_is_not_accepted(make_profile: ProfileMaker) -> None:
    selection = Fixed(level=0.1).select(make_profile([0.1, 0.0], [3, 1]), [])
    assert selection.candidate == 1
    assert not selection.accepted
    assert "fewer than two clusters" in selection.reason


def test_a_level_without_edges_is_not_accepted(make_profile: ProfileMaker) -> None:
    selection = Fixed(level=0.1).select(make_profile([0.1, NAN], [3, 2]), [])
    assert math.isnan(selection.statistic)
    assert not selection.accepted
    assert "no edges" in selection.reason


@pytest.mark.parametrize("level", [0.25, 0.85])
def test_a_level_far_outside_the_profile_is_refused(
    make_profile: ProfileMaker, level: float
) -> None:
    # The largest step is 0.2, so that the profile answers for 0.3 … 0.8.
    profile = make_profile([0.1, 0.2, 0.3], [2, 2, 2], levels=[0.4, 0.5, 0.7])
    with pytest.raises(harness.HarnessError, match=r"levels of this run, 0.4 … 0.7"):
        Fixed(level=level).select(profile, [])


@pytest.mark.parametrize(("level", "candidate"), [(0.26, 0), (0.84, 1)])
def test_a_level_just_outside_the_profile_takes_its_end(
    make_profile: ProfileMaker, level: float, candidate: int
) -> None:
    profile = make_profile([0.1, 0.2], [2, 2], levels=[0.4, 0.7])
    assert Fixed(level=level).select(profile, []).candidate == candidate


def test_a_single_level_answers_for_itself_alone(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.3], [2], levels=[0.5])
    assert Fixed(level=0.5).select(profile, []).accepted
    with pytest.raises(harness.HarnessError, match="not among the levels"):
        Fixed(level=0.6).select(profile, [])


@pytest.mark.parametrize("level", [-0.1, NAN, math.inf])
def test_a_level_below_0_or_not_finite_is_refused(level: float) -> None:
    with pytest.raises(harness.HarnessError, match="level must be at least 0"):
        Fixed(level=level)
