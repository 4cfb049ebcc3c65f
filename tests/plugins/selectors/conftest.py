"""Profiles made by hand, which the selectors' tests share."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

import harness

ProfileMaker = Callable[..., harness.Profile]


@pytest.fixture
def make_profile() -> ProfileMaker:
    """Makes a profile of given modularities and cluster counts at evenly spaced levels.

    Modularity on the graphs is also the Z-modularity unless it is given.
    """

    def make(
        modularity: Sequence[float],
        n_clusters: Sequence[int],
        *,
        ranked: Sequence[float] | None = None,
        levels: Sequence[float] | None = None,
        largest_component_fraction: Sequence[float] | None = None,
    ) -> harness.Profile:
        count = len(modularity)
        columns = zip(
            np.arange(count) / 10 if levels is None else levels,
            modularity,
            modularity if ranked is None else ranked,
            n_clusters,
            [1.0] * count if largest_component_fraction is None else largest_component_fraction,
            strict=True,
        )
        return harness.Profile([point(*column) for column in columns])

    return make


def point(
    level: float,
    modularity: float,
    ranked: float,
    n_clusters: int,
    largest_component_fraction: float,
) -> harness.Point:
    return harness.Point(
        level=float(level),
        threshold=0.0,
        density=1.0 - float(level),
        modularity=modularity,
        modularity_full=modularity,
        z_modularity=ranked,
        n_clusters=n_clusters,
        coverage=1.0,
        largest_component_fraction=largest_component_fraction,
        isolated_fraction=0.0,
        jaccard_previous=float("nan"),
        seconds=0.0,
        labels=np.arange(20) % max(n_clusters, 1),
    )
