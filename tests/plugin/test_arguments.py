from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas
import pytest

import harness
from harness.plugin.arguments import checked, checked_class, convert

LEFT = Literal["left", "right"]


@pytest.mark.parametrize(
    ("hint", "given", "converted"),
    [
        (int, np.int64(8), 8),
        (int, np.uint8(8), 8),
        (float, np.float32(0.5), 0.5),
        (float, 1, 1.0),
        (float, np.int16(3), 3.0),
        (bool, np.bool_(True), True),
        (str, np.str_("a"), "a"),
        (Path, "a", Path("a")),
        (str | Path, Path("a"), Path("a")),
        (int | None, None, None),
        (float | None, np.float64(2), 2.0),
        (Sequence[str], "louvain", ("louvain",)),
        (Sequence[str], np.array(["a", "b"]), ("a", "b")),
        (Sequence[str | Path], Path("a"), (Path("a"),)),
        (Sequence[str], (), ()),
        (Sequence[str], {"b", "a"}, ("a", "b")),
        (Sequence[str], (text for text in "ab"), ("a", "b")),
        (Sequence[str], pandas.Index(["b", "a"]), ("b", "a")),
        (tuple[int, ...], {3, 2}, (2, 3)),
        (tuple[float, ...], pandas.Series([1, 2]), (1.0, 2.0)),
        (Mapping[str, str | int], {"head": np.int64(3)}, {"head": 3}),
        (tuple[int, int] | None, [np.int64(2), 3], (2, 3)),
        (tuple[int, ...], 3, (3,)),
        (LEFT, "left", "left"),
        (Any, ..., ...),
    ],
)
def test_a_value_is_converted_to_its_type(hint: Any, given: Any, converted: Any) -> None:
    found = convert("value", given, hint)

    assert found == converted
    assert type(found) is type(converted)


@pytest.mark.parametrize(
    ("hint", "given", "expected"),
    [
        (int, True, "a whole number, not True"),
        (int, 8.0, "a whole number, not 8.0"),
        (int, "8", "a whole number, not '8'"),
        (float, "1", "a number, not '1'"),
        (float, 10**400, "a number, not 1000"),
        (float, 1j, "a number, not 1j"),
        (bool, "no", "true or false, not 'no'"),
        (bool, 1, "true or false, not 1"),
        (str, 3, "text, not 3"),
        (str, None, "text, not None"),
        (str | Path, 3, "a path, not 3"),
        (int | None, "x", "a whole number, not 'x'"),
        (Sequence[str], 3, "text or a list of such, not 3"),
        (Sequence[str], {"a": 1}, "text or a list of such, not {'a': 1}"),
        (Sequence[str], ["a", 3], "text or a list of such, not ['a', 3]"),
        (Mapping[str, str], ["head"], "a mapping of text to text, not ['head']"),
        (tuple[int, int], (1, 2, 3), "a list of 2: a whole number, a whole number, not (1, 2, 3)"),
        (LEFT, "up", "left or right, not 'up'"),
        (LEFT, np.ones(3), "left or right, not array"),
        (harness.Graph, 3, "a Graph, not 3"),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_line(
    hint: Any, given: Any, expected: str
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        convert("value", given, hint)

    assert str(refused.value).startswith(f"value: expected {expected}")
    assert "\n" not in str(refused.value)


@checked_class
@dataclass(frozen=True)
class Shelf:
    folder: Path
    width: int = 1

    def find(self, title: str, *, author: str = "") -> tuple[str, str]:
        return title, author


@checked
def free(*, loud: bool = False, **others: int) -> Any:
    return loud, others


def test_constructor_and_methods_of_a_class_are_checked() -> None:
    shelf = Shelf("a", np.int64(3))  # type: ignore[arg-type]

    assert shelf == Shelf(Path("a"), 3)
    assert shelf.find("b", author="c") == ("b", "c")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Shelf("a").find("b", autor="c"),
            "Shelf.find has no keyword 'autor'; did you mean",
        ),
        (lambda: Shelf("a").find(), "Shelf.find: missing a required argument: 'title'"),
        (lambda: Shelf("a").find("b", "c"), "Shelf.find: too many positional arguments"),
        (lambda: Shelf("a", wide=3), "Shelf has no keyword 'wide'; did you mean 'width'"),
        (lambda: Shelf(3), "folder: expected a path, not 3"),
        (lambda: free(loud="x"), "loud: expected true or false, not 'x'"),
    ],
)
def test_a_wrong_call_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        call()

    assert message in str(refused.value)


def test_keywords_of_any_name_are_passed_on() -> None:
    assert free(loud=np.bool_(True), wide=3) == (True, {"wide": 3})
