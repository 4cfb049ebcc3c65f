import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import harness
from harness_plugins.selectors.stable_phase import StablePhase

NAN = float("nan")

ProfileMaker = Callable[..., harness.Profile]


def test_the_best_level_of_the_longest_run_is_chosen(make_profile: ProfileMaker) -> None:
    profile = make_profile(
        [0.1, 0.2, 0.2, 0.2, 0.3, 0.5, 0.4, 0.3, 0.9],
        [2, 3, 3, 3, 5, 5, 5, 5, 8],
    )
    selection = StablePhase().select(profile, [])
    assert selection.candidate == 5
    assert selection.statistic == 4
    assert selection.accepted
    assert selection.plateau == (4, 7)
    assert selection.reason == "5 clusters at 4 consecutive levels, 0.4 … 0.7"


def test_of_equally_long_runs_the_one_at_lower_thresholds_is_chosen(
    make_profile: ProfileMaker,
) -> None:
    profile = make_profile([0.1, 0.2, 0.1, 0.4, 0.5, 0.4], [4, 4, 4, 3, 3, 3])
    selection = StablePhase().select(profile, [])
    assert selection.plateau == (0, 2)
    assert selection.candidate == 1


def test_of_equal_levels_of_a_phase_the_one_at_the_lower_threshold_is_chosen(
    make_profile: ProfileMaker,
) -> None:
    profile = make_profile([0.1, 0.5, 0.5, 0.4], [3, 3, 3, 3])
    assert StablePhase().select(profile, []).candidate == 1


@pytest.mark.parametrize(
    ("penalty", "plateau"),
    [
        (0.0, (3, 7)),  # 5 levels of 6 clusters, the longest
        (0.4, (3, 7)),  # 5 − 2.4 = 2.6 against 3 − .8 = 2.2 and 3 − .8
        (0.5, (0, 2)),  # 5 − 3 = 2 against 3 − 1 = 2: equal, the lower thresholds
        (0.6, (0, 2)),  # 5 − 3.6 = 1.4 against 3 − 1.2 = 1.8
        (9.0, (0, 2)),
    ],
)
def test_each_further_cluster_costs_a_phase_so_many_levels(
    make_profile: ProfileMaker, penalty: float, plateau: tuple[int, int]
) -> None:
    profile = make_profile(
        [0.2] * 11, [2, 2, 2, 6, 6, 6, 6, 6, 2, 2, 2], levels=[level / 11 for level in range(11)]
    )
    selection = StablePhase(cluster_penalty=penalty).select(profile, [])
    assert selection.plateau == plateau
    assert selection.statistic == plateau[1] - plateau[0] + 1


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0]),
    st.integers(1, 4),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_phase_is_longer_less_the_penalty_than_the_one_chosen(
    make_profile: ProfileMaker, counts: list[int], penalty: float, minimum_length: int
) -> None:
    profile = make_profile([0.3] * len(counts), counts)
    chosen = StablePhase(minimum_length=minimum_length, cluster_penalty=penalty).select(profile, [])
    # Every run, those that could be longer as well: they are never better.
    runs = [
        (first, last)
        for first in range(len(counts))
        for last in range(first + minimum_length - 1, len(counts))
        if len(set(counts[first : last + 1])) == 1 and counts[first] >= 2
    ]
    best = max(
        runs,
        key=lambda run: (run[1] - run[0] + 1 - penalty * counts[run[0]], -run[0]),
        default=None,
    )
    assert chosen.plateau == best


@pytest.mark.parametrize("penalty", [-0.1, math.inf, NAN])
def test_an_invalid_penalty_is_refused(penalty: float) -> None:
    with pytest.raises(harness.HarnessError, match="cluster_penalty must be at least 0"):
        StablePhase(cluster_penalty=penalty)


def test_levels_of_a_single_cluster_are_no_phase(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.5, 0.5, 0.5, 0.5, 0.2, 0.3, 0.2], [1, 1, 1, 1, 2, 2, 2])
    assert StablePhase().select(profile, []).plateau == (4, 6)


def test_fragmented_levels_are_no_part_of_a_phase(make_profile: ProfileMaker) -> None:
    profile = make_profile(
        [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        [4, 4, 4, 4, 4, 4, 4],
        largest_component_fraction=[1.0, 0.9, 0.7, 0.5, 0.49, 0.4, 0.3],
    )
    selection = StablePhase().select(profile, [])
    assert selection.plateau == (0, 3)
    assert selection.candidate == 3
    assert StablePhase(minimum_giant_share=0.8).select(profile, []).plateau is None
    assert StablePhase(minimum_giant_share=0.0).select(profile, []).plateau == (0, 6)


def test_an_undefined_modularity_parts_a_run(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.2, 0.2, NAN, 0.2, 0.3, 0.2], [2] * 6)
    assert StablePhase().select(profile, []).plateau == (3, 5)


def test_the_minimum_length_says_what_is_a_phase(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.2, 0.3, 0.3], [2, 3, 3])
    assert StablePhase().select(profile, []).plateau is None
    assert StablePhase(minimum_length=2).select(profile, []).plateau == (1, 2)


def test_a_tolerance_bridges_counts_that_flicker(make_profile: ProfileMaker) -> None:
    profile = make_profile(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
        [2, 5, 6, 5, 6, 7, 9],
    )
    assert StablePhase().select(profile, []).plateau is None
    selection = StablePhase(tolerance=1).select(profile, [])
    assert selection.plateau == (1, 4)
    assert selection.reason == "5 to 6 clusters at 4 consecutive levels, 0.1 … 0.4"
    assert StablePhase(tolerance=2).select(profile, []).plateau == (1, 5)


def test_without_a_phase_the_candidate_is_the_best_level_of_two_clusters(
    make_profile: ProfileMaker,
) -> None:
    profile = make_profile([0.9, 0.2, 0.4, 0.3], [1, 2, 3, 4])
    selection = StablePhase().select(profile, [])
    assert selection.candidate == 2
    assert selection.statistic == 0
    assert not selection.accepted
    assert selection.plateau is None
    assert "3 consecutive levels" in selection.reason


def test_a_phase_without_positive_modularity_is_not_accepted(make_profile: ProfileMaker) -> None:
    profile = make_profile([-0.1, 0.0, -0.2, 0.3], [3, 3, 3, 5])
    selection = StablePhase().select(profile, [])
    assert selection.candidate == 1
    assert not selection.accepted
    assert selection.plateau == (0, 2)
    assert selection.reason.startswith("3 clusters at 3 consecutive levels")
    assert selection.reason.endswith("but without positive modularity")


def test_where_all_levels_are_trivial_the_largest_modularity_is_the_candidate(
    make_profile: ProfileMaker,
) -> None:
    selection = StablePhase().select(make_profile([-0.1, 0.0, NAN], [1, 1, 0]), [])
    assert selection.candidate == 1
    assert not selection.accepted
    assert selection.reason == "no level has two clusters of two nodes"


def test_where_all_levels_are_fragmented_the_reason_says_so(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.1, 0.2, 0.3], [3, 3, 3], largest_component_fraction=[0.1, 0.1, 0.1])
    selection = StablePhase().select(profile, [])
    assert selection.candidate == 2
    assert not selection.accepted
    assert "fragmented" in selection.reason


def test_a_profile_without_edges_still_has_a_candidate(make_profile: ProfileMaker) -> None:
    selection = StablePhase().select(make_profile([NAN, NAN], [0, 0]), [])
    assert (selection.candidate, selection.statistic) == (0, 0)
    assert not selection.accepted


def test_a_single_level_is_no_phase(make_profile: ProfileMaker) -> None:
    selection = StablePhase().select(make_profile([0.5], [2]), [])
    assert (selection.candidate, selection.accepted) == (0, False)


def test_a_phase_that_controls_have_too_is_not_accepted(make_profile: ProfileMaker) -> None:
    four_levels = make_profile([0.3] * 4, [2] * 4)
    three_levels = make_profile([0.3] * 4, [2, 3, 3, 3])
    longer_than_all = StablePhase().select(four_levels, [three_levels] * 19)
    as_long_as_one = StablePhase().select(four_levels, [four_levels, *[three_levels] * 18])

    assert longer_than_all.accepted
    assert not as_long_as_one.accepted
    assert as_long_as_one.plateau == (0, 3)
    assert as_long_as_one.reason.endswith("but 1 of 19 controls reach as much")


def test_too_few_controls_give_no_decision(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.3] * 4, [2] * 4)
    selection = StablePhase().select(profile, [make_profile([0.3] * 4, [1] * 4)] * 18)

    assert not selection.accepted
    assert selection.reason.endswith("but 18 controls are too few to tell (at least 19)")


def test_the_thesis_rule_takes_no_notice_of_controls(make_profile: ProfileMaker) -> None:
    profile = make_profile([0.3] * 4, [2] * 4)
    selector = StablePhase(beyond_noise=False)

    assert selector.select(profile, [profile] * 19) == selector.select(profile, [])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.lists(
        st.tuples(
            st.one_of(st.just(NAN), st.floats(-0.5, 1)),
            st.integers(0, 5),
            st.sampled_from([0.2, 0.5, 1.0]),
        ),
        min_size=1,
        max_size=12,
    ),
    tolerance=st.integers(0, 2),
    minimum_length=st.integers(1, 4),
)
def test_the_phase_is_the_longest_of_all_ranges_that_keep_the_rule(
    make_profile: ProfileMaker,
    columns: list[tuple[float, int, float]],
    tolerance: int,
    minimum_length: int,
) -> None:
    modularity, counts, largest_component_fraction = (
        list(column) for column in zip(*columns, strict=True)
    )

    def is_phase(first: int, last: int) -> bool:
        inside = slice(first, last + 1)
        return (
            max(counts[inside]) - min(counts[inside]) <= tolerance
            and min(counts[inside]) >= 2
            and min(largest_component_fraction[inside]) >= 0.5
            and not any(math.isnan(value) for value in modularity[inside])
        )

    longest = max(
        (
            last - first + 1
            for first in range(len(columns))
            for last in range(first, len(columns))
            if is_phase(first, last)
        ),
        default=0,
    )
    selector = StablePhase(minimum_length=minimum_length, tolerance=tolerance)
    profile = make_profile(
        modularity, counts, largest_component_fraction=largest_component_fraction
    )
    selection = selector.select(profile, [])
    assert selection.reason
    assert selection.statistic == (longest if longest >= minimum_length else 0)
    if longest < minimum_length:
        assert not selection.accepted
        assert selection.plateau is None
    else:
        assert selection.plateau is not None
        first, last = selection.plateau
        assert is_phase(first, last)
        assert last - first + 1 == longest
        best = max(modularity[first : last + 1])
        assert modularity[selection.candidate] == pytest.approx(best, abs=1e-8)
        assert selection.accepted == harness.exceeds(modularity[selection.candidate], 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"minimum_length": 0}, "minimum_length must be at least 1"),
        ({"tolerance": -1}, "tolerance must be at least 0"),
        ({"minimum_giant_share": 1.5}, "minimum_giant_share must be 0 … 1"),
        ({"minimum_giant_share": NAN}, "minimum_giant_share must be 0 … 1"),
        ({"alpha": 0.0}, "alpha must be above 0 and below 1"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        StablePhase(**parameters)
