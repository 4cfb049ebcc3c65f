import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import harness
from harness_plugins.selectors.excess_modularity import ExcessModularity

NAN = float("nan")
ProfileMaker = Callable[..., harness.Profile]


@pytest.fixture
def noise(make_profile: ProfileMaker) -> list[harness.Profile]:
    """Modularity that rises with the level, and varies more where it is high."""
    random = np.random.default_rng(0)
    means, deviations = np.array([0.1, 0.2, 0.4, 0.8]), np.array([0.01, 0.02, 0.02, 0.1])
    return [make_profile(means + deviations * random.normal(size=4), [3] * 4) for _ in range(39)]


def test_the_level_is_where_modularity_stands_out_and_not_where_it_is_largest(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    profile = make_profile([0.12, 0.3, 0.42, 0.95], [3] * 4)

    assert ExcessModularity(by="z").select(profile, noise).candidate == 1
    assert ExcessModularity(by="excess").select(profile, noise).candidate == 3


def test_the_statistic_is_the_z_score_among_all_profiles(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    profile = make_profile([0.12, 0.3, 0.42, 0.95], [3] * 4)
    pool = np.array([each.modularity for each in (profile, *noise)])

    found = ExcessModularity(by="z").select(profile, noise)

    assert found.statistic == pytest.approx(stats.zscore(pool, axis=0)[0].max())


def test_by_ranks_the_level_has_the_largest_z_modularity(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    profile = make_profile([0.12, 0.3, 0.42, 0.95], [3] * 4, ranked=[0.2, 0.1, 0.3, 0.1])

    assert ExcessModularity().select(profile, noise).candidate == 2


def test_by_ranks_the_statistic_is_the_z_score_among_the_largest_of_all_profiles(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    profile = make_profile([0.12, 0.3, 0.42, 0.95], [3] * 4, ranked=[0.2, 0.1, 2.3, 0.1])
    largest = [each.column("z_modularity").max() for each in (profile, *noise)]

    found = ExcessModularity().select(profile, noise)

    assert found.statistic == pytest.approx(stats.zscore(largest)[0])


def test_by_ranks_the_profiles_of_a_pool_are_in_the_order_of_their_largest(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    pool = [make_profile([0.1] * 4, [3] * 4, ranked=[0.2, 0.1, 0.8, 0.1]), *noise]
    largest = [each.column("z_modularity").max() for each in pool]

    found = [
        ExcessModularity().select(each, pool[:index] + pool[index + 1 :]).statistic
        for index, each in enumerate(pool)
    ]

    assert np.argsort(found).tolist() == np.argsort(largest).tolist()


def test_every_profile_of_a_pool_is_judged_by_the_same_moments(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    pool = [make_profile([0.12, 0.3, 0.42, 0.95], [3] * 4), *noise]
    scores = stats.zscore(np.array([each.modularity for each in pool]), axis=0).max(axis=1)

    found = [
        ExcessModularity(by="z").select(each, pool[:index] + pool[index + 1 :]).statistic
        for index, each in enumerate(pool)
    ]

    assert found == pytest.approx(scores.tolist())


def test_what_stands_out_no_more_than_controls_is_not_accepted(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    found = ExcessModularity(by="z").select(make_profile([0.1, 0.2, 0.4, 0.8], [3] * 4), noise)

    assert not found.accepted
    assert "of 39 controls reach as much" in found.reason


def test_a_single_cluster_is_not_accepted(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    found = ExcessModularity().select(make_profile([0.1, 0.9, 0.4, 0.8], [1] * 4), noise)

    assert not found.accepted
    assert found.reason.endswith("but has fewer than two clusters")


def test_where_controls_are_all_alike_the_larger_excess_is_chosen(
    make_profile: ProfileMaker,
) -> None:
    flat = [make_profile([0.0, 0.0, 0.0], [1] * 3)] * 19

    found = ExcessModularity().select(make_profile([0.1, 0.4, 0.2], [3] * 3), flat)

    assert (found.candidate, found.accepted) == (1, True)
    assert found.statistic == pytest.approx(math.sqrt(19))


def test_fragmented_levels_and_levels_without_edges_are_passed_over(
    make_profile: ProfileMaker,
) -> None:
    controls = [make_profile([0.1, 0.1, 0.1], [2] * 3)] * 19
    profile = make_profile([0.9, 0.2, NAN], [4] * 3, largest_component_fraction=[0.4, 1.0, 0.0])

    assert ExcessModularity().select(profile, controls).candidate == 1
    assert ExcessModularity(minimum_giant_share=0.3).select(profile, controls).candidate == 0


def test_a_profile_without_a_level_that_counts_still_has_a_candidate(
    make_profile: ProfileMaker,
) -> None:
    nothing = make_profile([NAN, NAN], [0, 0])

    found = ExcessModularity().select(nothing, [nothing] * 3)

    assert (found.candidate, found.accepted, found.plateau) == (0, False, None)
    assert math.isnan(found.statistic)


def test_the_phase_has_the_candidates_number_of_clusters(
    make_profile: ProfileMaker, noise: list[harness.Profile]
) -> None:
    profile = make_profile([0.12, 0.3, 0.42, 0.82], [2, 3, 3, 4])

    assert ExcessModularity(by="z").select(profile, noise).plateau == (1, 2)


def test_without_controls_it_says_what_is_missing(make_profile: ProfileMaker) -> None:
    with pytest.raises(harness.HarnessError, match="needs the profile of a control"):
        ExcessModularity().select(make_profile([0.1], [2]), [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    by=st.sampled_from(["ranks", "z"]),
    shift=st.floats(-0.3, 0.3),
    scale=st.floats(0.1, 3),
    seed=st.integers(0, 100),
)
def test_the_statistic_does_not_depend_on_where_modularity_starts_nor_on_its_scale(
    make_profile: ProfileMaker, by: Literal["ranks", "z"], shift: float, scale: float, seed: int
) -> None:
    drawn = np.random.default_rng(seed).normal(0.5, 0.1, size=(20, 3))

    def choose(modularity: NDArray[np.float64]) -> harness.Selection:
        first, *others = [make_profile(row, [3] * 3) for row in modularity]
        return ExcessModularity(by=by).select(first, others)

    moved, still = choose(drawn * scale + shift), choose(drawn)
    assert moved.candidate == still.candidate
    assert moved.statistic == pytest.approx(still.statistic, abs=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"by": "t"}, "by: expected ranks or z or excess"),
        ({"alpha": 1.0}, "alpha must be above 0 and below 1"),
        ({"minimum_giant_share": -0.1}, "minimum_giant_share must be 0 … 1"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        ExcessModularity(**parameters)
