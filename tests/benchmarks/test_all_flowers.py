"""Shares and differences over images, on a table made by hand."""

import pandas
import pytest
from all_flowers import differences, shares

CONTROL = "uniform-noise"


@pytest.fixture
def images() -> pandas.DataFrame:
    """Four images of two classes; two methods, which are half of modularity apart."""
    rows = [
        {
            "split": "test",
            "image": f"{name}-{number}",
            "class": name,
            "right": name == "roses",
            "clusterer": method,
            "selector": "excess-modularity",
            "clusters": 2,
            "level": 0.5,
            "threshold": 0.01,
            "modularity": (0.8 if name == "roses" else 0.6) - (0.5 if method == "infomap" else 0),
            "plateau": 1,
            "accepted": True,
            f"{CONTROL} p": 0.01 if name == "roses" else 0.5,
            f"{CONTROL} q": 0.2,
            f"{CONTROL} statistic": 3.0,
            f"{CONTROL} own": own,
        }
        for name in ("roses", "tulips")
        for number, own in enumerate((1.0, 3.0))
        for method in ("louvain", "infomap")
    ]
    return pandas.DataFrame(rows)


def test_shares_count_small_p_by_class_and_prediction(images: pandas.DataFrame) -> None:
    louvain = shares(images).query("clusterer == 'louvain'").set_index("group")

    assert louvain["p05"].to_dict() == {"all": 0.5, "roses": 1, "tulips": 0, "right": 1, "wrong": 0}
    assert louvain.loc["all", ["q05_count", "q05_of"]].tolist() == [0, 4]


def test_wilsons_interval_of_all_four_of_four(images: pandas.DataFrame) -> None:
    everything = shares(images.assign(**{f"{CONTROL} p": 0.01})).query("group == 'all'").iloc[0]

    # z² = 3.8415; the lower end is n / (n + z²).
    assert everything["p05_low"] == pytest.approx(4 / (4 + 3.8415), abs=1e-4)
    assert everything["p05_high"] == 1


def test_a_draw_that_ties_with_its_image_is_not_counted(images: pandas.DataFrame) -> None:
    everything = shares(images).query("group == 'all' and clusterer == 'louvain'").iloc[0]

    assert (everything["above_of"], everything["above"]) == (2, 1)


def test_differences_are_of_the_same_images_and_of_right_and_wrong(
    images: pandas.DataFrame,
) -> None:
    found = differences(images).query("figure == 'modularity'").set_index("difference")["mean"]

    assert found["louvain − infomap"] == pytest.approx(0.5)
    assert found["right − wrong, louvain"] == pytest.approx(0.2)
