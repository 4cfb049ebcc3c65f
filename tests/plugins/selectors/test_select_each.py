"""Every shipped selector selects on many profiles as on each of them with the others."""

import numpy as np
import pytest

import harness

SPECS = (
    "excess-modularity",
    "excess-modularity[by=z]",
    "excess-modularity[by=excess,alpha=0.3]",
    "fixed[level=0.5]",
    "jaccard-plateau[likeness=0.3,minimum_length=2,alpha=0.2]",
    "max-modularity",
    "stable-phase",
    "stable-phase[tolerance=1,alpha=0.3,minimum_length=2]",
    "stable-phase[beyond_noise=false]",
)


def random_profile(random: np.random.Generator, *, coarse: bool) -> harness.Profile:
    """Four levels, some without edges or fragmented; coarse figures tie with others."""
    places = 1 if coarse else 15
    return harness.Profile(
        [
            harness.Point(
                level=level,
                threshold=0.1,
                density=1 - level,
                modularity=random.choice([np.nan, *random.normal(size=9).round(places)]),
                modularity_full=0.2,
                z_modularity=random.choice([np.nan, *random.normal(size=9).round(places)]),
                n_clusters=int(random.integers(1, 4)),
                coverage=1.0,
                largest_component_fraction=random.choice([0.3, 0.6, 1.0, 1.0]),
                isolated_fraction=0.0,
                jaccard_previous=np.nan,
                seconds=0.1,
                labels=random.integers(0, 3, 10) if random.random() < 0.5 else np.arange(10) // 4,
            )
            for level in (0.0, 0.25, 0.5, 0.75)
        ]
    )


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("spec", SPECS)
def test_selections_on_all_profiles_are_those_on_each_with_the_others(
    spec: str, coarse: bool
) -> None:
    selector = harness.make("selector", spec)
    random = np.random.default_rng(5)
    for count in (2, 3, 12):
        profiles = [random_profile(random, coarse=coarse) for _ in range(count)]

        found = list(selector.select_each(profiles))

        alone = [
            selector.select(profile, [*profiles[:index], *profiles[index + 1 :]])
            for index, profile in enumerate(profiles)
        ]
        assert list(map(repr, found)) == list(map(repr, alone))
