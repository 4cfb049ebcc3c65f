import pytest

import harness
from harness_plugins.extractors.heads import Chosen, check, choose


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (("last",), (11,)),
        (("all",), tuple(range(12))),
        (("3",), (3,)),
        (("0-2",), (0, 1, 2)),
        (("11", "0", "4-5"), (0, 4, 5, 11)),
        (("0", "last"), (0, 11)),
    ],
)
def test_numbers_ranges_and_words_name_layers_in_increasing_order(
    texts: tuple[str, ...], numbers: tuple[int, ...]
) -> None:
    assert choose(texts, 12, "layers", "model") == Chosen(numbers, mean=False)


def test_mean_alone_is_the_mean_of_all() -> None:
    assert choose(("mean",), 3, "heads", "model") == Chosen((0, 1, 2), mean=True)


def test_mean_next_to_other_values_is_the_mean_of_those() -> None:
    assert choose(("mean", "0-1"), 3, "heads", "model") == Chosen((0, 1), mean=True)


def test_a_mean_has_the_number_0_and_others_their_own() -> None:
    assert choose(("mean", "2"), 3, "heads", "model").names == (0,)
    assert choose(("1-2",), 3, "heads", "model").names == (1, 2)


@pytest.mark.parametrize("text", ["first", "-1", "5-3", "1.5", "", "0-", "٣"])
def test_what_names_no_layer_of_any_model_is_refused(text: str) -> None:
    with pytest.raises(harness.HarnessError, match="layers takes numbers from 0, ranges"):
        check([text], "layers")


def test_an_empty_choice_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="layers is empty"):
        check([], "layers")


@pytest.mark.parametrize("text", ["12", "10-12", "0-9999999999999"])
def test_a_missing_layer_is_refused_by_number(text: str) -> None:
    with pytest.raises(harness.HarnessError, match=r"model: there is no layer .*2?; .* 0 … 11"):
        choose([text], 12, "layers", "model")


@pytest.mark.parametrize("texts", [("1", "0-3"), ("all", "last"), ("mean", "mean")])
def test_a_layer_named_twice_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(harness.HarnessError, match="twice"):
        choose(texts, 12, "layers", "model")
