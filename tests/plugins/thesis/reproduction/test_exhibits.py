import pytest

from harness.errors import HarnessError
from harness_plugins.thesis.reproduction.exhibits import EXHIBITS, chosen


def test_the_names_of_exhibits_are_unique() -> None:
    names = [exhibit.name for exhibit in EXHIBITS]

    assert len(set(names)) == len(names)


def test_every_table_and_figure_of_the_thesis_is_an_exhibit() -> None:
    names = {exhibit.name for exhibit in EXHIBITS}

    assert {f"table-4.{number}" for number in range(1, 7)} <= names
    assert {f"figure-4.{number}" for number in range(1, 15)} <= names
    assert {f"figure-A.{number}" for number in range(1, 7)} <= names


def test_named_exhibits_come_in_the_order_of_the_thesis() -> None:
    names = [exhibit.name for exhibit in chosen(["table-4.3", "figure-4.1"])]

    assert names == ["figure-4.1", "table-4.3"]


def test_all_are_chosen_if_none_is_named() -> None:
    assert chosen([]) == list(EXHIBITS)


def test_a_name_that_no_exhibit_has_is_refused_with_a_hint() -> None:
    with pytest.raises(HarnessError, match=r"no exhibit 'table-4.33'; did you mean.*table-4.3"):
        chosen(["table-4.33"])
