"""Means over levels and matches of partitions, on points made by hand."""

import numpy as np
import pandas
import pytest
from level_means import levels, refinements

TWO, THREE = [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 2, 2]


def point(image: str, control: str, level: float, modularity: float, labels: list[int]) -> dict:
    return {
        "clusterer": "louvain",
        "image": image,
        "control": control,
        "level": level,
        "modularity": modularity,
        "n_clusters": len(set(labels)),
        "largest_component_fraction": 1.0 if level < 0.5 else 0.5,
        "labels": np.array(labels),
    }


@pytest.fixture
def points() -> pandas.DataFrame:
    rows = [
        point(image, control, level, modularity, THREE if level else TWO)
        for image, modularity in (("a", 0.2), ("b", 0.4))
        for control in ("", "uniform-noise")
        for level in (0.0, 0.9)
    ]
    return pandas.DataFrame(rows)


def test_a_row_is_the_mean_over_the_maps_of_a_control_at_a_level(points: pandas.DataFrame) -> None:
    found = levels(points).set_index(["control", "level"])

    assert len(found) == 4
    row = found.loc[("uniform-noise", 0.9)]
    assert (row.modularity, row.largest, row.maps) == pytest.approx((0.3, 0.4, 2))
    assert (row.clusters, row.in_pieces) == (3, 1)


def test_clusters_that_only_split_match_better_than_shuffled_ones(points: pandas.DataFrame) -> None:
    two = refinements(points).set_index("k").loc[2]

    assert two.images == 2
    # The node alone in its label is in no cluster, so one pair of clusters shares 2 of 3 nodes.
    assert two.jaccard == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    assert two.shuffled < two.jaccard
