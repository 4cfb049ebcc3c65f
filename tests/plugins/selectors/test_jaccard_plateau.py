from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import harness
from harness_plugins.selectors.jaccard_plateau import JaccardPlateau

NODES = 24
HALVES = np.arange(NODES) // 12
THIRDS = np.arange(NODES) // 8
OTHER_THIRDS = np.arange(NODES) % 3
ALONE = np.arange(NODES)
ONE = np.zeros(NODES, dtype=int)
NEARLY_THIRDS = np.where(np.arange(NODES) == 0, 1, THIRDS)


def profile_of(
    partitions: Sequence[Any], largest_component_fraction: Sequence[float] | None = None
) -> harness.Profile:
    shares = (
        [1.0] * len(partitions)
        if largest_component_fraction is None
        else largest_component_fraction
    )
    return harness.Profile(
        [
            harness.Point(
                level=index / 10,
                threshold=0.0,
                density=1.0,
                modularity=0.3 + index / 100,
                modularity_full=0.3,
                z_modularity=0.3,
                n_clusters=len(set(labels.tolist())),
                coverage=1.0,
                largest_component_fraction=share,
                isolated_fraction=0.0,
                jaccard_previous=float("nan"),
                seconds=0.0,
                labels=labels,
            )
            for index, (labels, share) in enumerate(zip(partitions, shares, strict=True))
        ]
    )


def test_the_block_is_where_partitions_stay_although_others_have_as_many_clusters() -> None:
    profile = profile_of([OTHER_THIRDS, OTHER_THIRDS, THIRDS, THIRDS, THIRDS, HALVES])

    found = JaccardPlateau().select(profile, [])

    assert found.plateau == (2, 4)
    assert found.candidate in (2, 3, 4)
    assert found.statistic == pytest.approx(3)
    assert found.accepted


def test_the_candidate_is_most_like_the_others_of_its_block() -> None:
    profile = profile_of([NEARLY_THIRDS, THIRDS, THIRDS, HALVES])

    found = JaccardPlateau().select(profile, [])

    assert (found.plateau, found.candidate) == ((0, 2), 1)
    alike = harness.best_match_jaccard(THIRDS, NEARLY_THIRDS)
    assert found.statistic == pytest.approx((3 + 2 + 4 * alike) / 3)


def test_a_stricter_likeness_parts_a_block() -> None:
    profile = profile_of([NEARLY_THIRDS] * 3 + [THIRDS] * 4)

    assert JaccardPlateau().select(profile, []).plateau == (0, 6)
    assert JaccardPlateau(likeness=0.99).select(profile, []).plateau == (3, 6)


def test_trivial_and_fragmented_levels_are_in_no_block() -> None:
    profile = profile_of(
        [ONE] * 4 + [ALONE] * 4 + [THIRDS] * 5,
        largest_component_fraction=[1.0] * 8 + [1.0, 1.0, 1.0, 0.4, 0.3],
    )

    assert JaccardPlateau().select(profile, []).plateau == (8, 10)


def test_a_block_that_controls_have_too_is_not_accepted() -> None:
    profile, shorter = profile_of([THIRDS] * 5), profile_of([THIRDS] * 4 + [HALVES])

    assert JaccardPlateau().select(profile, [shorter] * 19).accepted
    found = JaccardPlateau().select(profile, [profile, *[shorter] * 18])
    assert not found.accepted
    assert found.reason.endswith("but 1 of 19 controls reach as much")


def test_without_a_block_the_candidate_is_the_level_of_largest_modularity() -> None:
    found = JaccardPlateau().select(profile_of([THIRDS, HALVES, OTHER_THIRDS]), [])

    assert (found.candidate, found.statistic, found.accepted) == (2, 0.0, False)
    assert found.plateau is None


def test_the_names_of_clusters_do_not_matter() -> None:
    profile = profile_of([THIRDS, NEARLY_THIRDS, THIRDS, HALVES])
    renamed = harness.Profile(
        [replace(each, labels=(each.labels + 1) % 3) for each in profile.points]
    )

    assert JaccardPlateau().select(renamed, []) == JaccardPlateau().select(profile, [])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"likeness": 0.0}, "likeness must be above 0 and at most 1"),
        ({"minimum_length": 0}, "minimum_length must be at least 1"),
        ({"alpha": 0.0}, "alpha must be above 0 and below 1"),
        ({"minimum_giant_share": 2.0}, "minimum_giant_share must be 0 … 1"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        JaccardPlateau(**parameters)
