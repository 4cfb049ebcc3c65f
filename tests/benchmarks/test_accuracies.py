"""Means over seeds and paired differences of accuracy, on records made by hand."""

from typing import Any

import pandas
import pytest
from accuracies import accuracies, differences, models


def record(heads: int, seed: int, test: float) -> dict[str, Any]:
    return {
        "model": {"attention": heads > 0, "heads": max(heads, 1), "mlp": True},
        "training": {"optimiser": "adamw", "epochs": 80, "seed": seed},
        "splits": {"test": {"images": 4}, "validation": {"images": 4}},
        "test_accuracy": test,
        "validation_accuracy": 0.5,
    }


@pytest.fixture
def table() -> pandas.DataFrame:
    return models(
        {
            "flowers/none-0": record(0, 0, 0.5),
            "flowers/none-1": record(0, 1, 0.25),
            "flowers/one-0": record(1, 0, 0.75),
            "flowers/one-1": record(1, 1, 0.75),
            "flowers/one-2": record(1, 2, 0.0),
        }
    )


def test_models_that_differ_in_the_seed_alone_are_one_row(table: pandas.DataFrame) -> None:
    found = accuracies(table).set_index("heads")

    assert list(found.seeds) == [2, 3]
    assert found.loc[0, "test"] == pytest.approx(37.5)
    assert found.loc[0, "test_deviation"] == pytest.approx(25 / 2**0.5)
    assert found.loc[1, "each"] == "75.00 75.00 0.00"


def test_a_difference_is_that_of_seeds_which_both_kinds_have(table: pandas.DataFrame) -> None:
    predicted = pandas.DataFrame(
        {
            "image": ["a", "b", "c", "d"],
            "class": ["rose"] * 4,
            "flowers/none-0": ["rose", "rose", "daisy", "daisy"],
            "flowers/none-1": ["rose", "daisy", "daisy", "daisy"],
            "flowers/one-0": ["rose", "rose", "rose", "daisy"],
            "flowers/one-1": ["rose", "rose", "rose", "daisy"],
            "flowers/one-2": ["daisy"] * 4,
        }
    )
    (found,) = differences(table, predicted).itertuples()

    assert (found.heads, found.less_heads, found.seeds) == (1, 0, 2)
    assert found.points == pytest.approx(37.5)
    assert found.each == "+25.00 +50.00"
    assert found.low <= found.points <= found.high
