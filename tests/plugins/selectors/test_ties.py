"""No selector lets rounding decide."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import harness

ProfileMaker = Callable[..., harness.Profile]
SELECTORS = (
    "max-modularity",
    "excess-modularity",
    "excess-modularity[by=z]",
    "excess-modularity[by=excess]",
    "stable-phase",
    "stable-phase[cluster_penalty=0.1]",
    "jaccard-plateau",
    "fixed[level=0.15]",
)
LEVELS = 5


def rounded(profile: harness.Profile, noise: Sequence[float]) -> harness.Profile:
    """A profile whose modularities and levels are off by rounding."""
    return harness.Profile(
        [
            replace(point, modularity=point.modularity + each, level=point.level + each)
            for point, each in zip(profile.points, noise, strict=True)
        ]
    )


@pytest.mark.parametrize("spec", SELECTORS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 22))
def test_rounding_changes_no_selection(
    make_profile: ProfileMaker, spec: str, seed: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    # Few different values, so that many tie.
    exact = [
        make_profile(random.integers(0, 3, LEVELS) / 7, random.integers(1, 4, LEVELS))
        for _ in range(count + 1)
    ]
    noise = random.uniform(-1e-15, 1e-15, LEVELS)
    other = [rounded(each, noise * random.choice([-1, 0, 1])) for each in exact]
    selector = harness.make("selector", spec)

    found, again = (selector.select(first, rest) for first, *rest in (exact, other))

    assert (again.candidate, again.accepted, again.plateau) == (
        found.candidate,
        found.accepted,
        found.plateau,
    )
    assert again.statistic == pytest.approx(found.statistic, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("spec", SELECTORS)
def test_no_reason_has_a_negative_zero(make_profile: ProfileMaker, spec: str) -> None:
    profiles = [make_profile([-4e-17, 1e-17, -1e-16, 0.0, -4e-17], [3] * LEVELS)] * 20

    found = harness.make("selector", spec).select(profiles[0], profiles[1:])

    assert "-0.0" not in found.reason
    if spec in ("max-modularity", "excess-modularity", "excess-modularity[by=z]"):
        assert not found.accepted
