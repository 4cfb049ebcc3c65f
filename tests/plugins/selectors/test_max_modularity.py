import math
from collections.abc import Callable

import harness
from harness_plugins.selectors.max_modularity import MaxModularity

NAN = float("nan")

ProfileMaker = Callable[..., harness.Profile]


def test_the_level_of_largest_modularity_is_chosen(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([0.1, 0.4, 0.3], [2, 3, 4]), [])
    assert selection.candidate == 1
    assert selection.statistic == 0.4
    assert selection.accepted
    assert selection.plateau is None
    assert selection.reason == "largest modularity, 0.400, at level 0.1"


def test_undefined_modularity_is_passed_over(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([NAN, 0.2, NAN], [5, 2, 5]), [])
    assert selection.candidate == 1
    assert selection.accepted


def test_of_equal_levels_the_denser_is_chosen(make_profile: ProfileMaker) -> None:
    assert MaxModularity().select(make_profile([0.1, 0.3, 0.3], [2, 2, 2]), []).candidate == 1


def test_modularity_that_is_not_positive_is_not_accepted(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([-0.2, 0.0, -0.1], [3, 3, 3]), [])
    assert selection.candidate == 1
    assert selection.statistic == 0.0
    assert not selection.accepted
    assert "not positive" in selection.reason


def test_a_single_cluster_is_not_accepted(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([0.1, 0.3], [2, 1]), [])
    assert selection.candidate == 1
    assert not selection.accepted
    assert "fewer than two clusters" in selection.reason


def test_a_profile_without_edges_still_has_a_candidate(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([NAN, NAN], [0, 0]), [])
    assert selection.candidate == 0
    assert math.isnan(selection.statistic)
    assert not selection.accepted
    assert "undefined at every level" in selection.reason


def test_a_single_level_can_be_chosen(make_profile: ProfileMaker) -> None:
    selection = MaxModularity().select(make_profile([0.5], [2]), [])
    assert (selection.candidate, selection.accepted) == (0, True)


def test_controls_do_not_change_the_choice(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.1, 0.4, 0.3], [2, 3, 4])
    controls = [make_profile([0.9, 0.9, 0.9], [1, 1, 1])]
    assert MaxModularity().select(profile, controls) == MaxModularity().select(profile, [])
