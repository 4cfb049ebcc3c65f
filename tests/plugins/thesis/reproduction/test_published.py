import pytest

from harness_plugins.image_sets.flowers_sample import FlowersSample
from harness_plugins.thesis.reproduction.exhibits import EXHIBITS
from harness_plugins.thesis.reproduction.published import (
    PICTURES,
    cases,
    everything,
    printed,
    published,
    subjects,
)

FLOWERS = FlowersSample().classes()


def test_the_thesis_values_belong_to_exhibits() -> None:
    names = {exhibit.name for exhibit in EXHIBITS}

    assert set(everything()["exhibit"]) <= names


def test_values_are_numbers_as_printed_with_their_sources() -> None:
    table = everything()

    assert [float(value) for value in table["thesis"]]
    assert "0.380" in set(table["thesis"])
    assert (table["source"] != "").all()


def test_where_the_thesis_gives_two_values_both_are_shown() -> None:
    table = published("table-4.3")
    louvain = (table["subject"] == "Tulips") & (table["case"] == "Louvain")

    assert list(table[louvain & (table["quantity"] == "modularity")]["thesis"]) == [
        "0.612",
        "0.527",
    ]
    assert printed("table-4.3", "Tulips", "Louvain")["modularity"] == "0.612 (section 5.5: 0.527)"


def test_gains_are_the_differences_of_the_accuracies() -> None:
    for data in subjects("table-4.1"):
        given = {name: float(value) for name, value in printed("table-4.1", data).items()}
        gain = given["12 heads"] - given["without attention"]

        assert given["gain"] == pytest.approx(gain, abs=0.01)


def test_the_pictures_probabilities_add_up_to_one_hundred() -> None:
    for picture in PICTURES.values():
        given = printed("table-4.2", picture)

        assert list(given) == list(FLOWERS)
        assert sum(map(float, given.values())) == pytest.approx(100, abs=0.02)


@pytest.mark.parametrize("exhibit", ["table-4.4", "table-4.5", "table-4.6"])
def test_logits_are_given_for_every_class_and_case(exhibit: str) -> None:
    (picture,) = subjects(exhibit)

    assert cases(exhibit, picture)[0] == "nothing"
    for case in cases(exhibit, picture):
        assert list(printed(exhibit, picture, case)) == list(FLOWERS)


def test_what_the_thesis_does_not_give_is_empty() -> None:
    assert printed("table-4.3", "Sunflower", "SDP") == {}


def test_the_pictures_are_in_the_sample() -> None:
    assert set(PICTURES) <= set(FlowersSample().keys())
