from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest

import harness
from harness.plugin.descriptions import Description, describe
from harness.plugin.registry import Registered, Source


@dataclass(frozen=True)
class Documented(harness.Clusterer):
    """Says what it does.

    A paragraph that says more,
    note: in two lines.

    first: what comes first,
        told in two lines.
    second: what comes second,
    told in two lines as well.

    And a last word.
    """

    name: ClassVar[str] = "documented"
    first: int
    second: tuple[float | None, ...] | None = None
    third: Path = Path("here")
    fourth: Literal["a", 2] = "a"
    fifth: tuple[str, bool] = field(default_factory=lambda: ("x", True))

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.zeros(graph.n, dtype=np.int64)


@dataclass(frozen=True)
class Derived(Documented):
    """Does it otherwise.

    first: what comes first here.
    sixth: what comes last.
    """

    name: ClassVar[str] = "derived"
    sixth: int = 6


@dataclass(frozen=True)
class Silent(harness.Clusterer):
    name: ClassVar[str] = "silent"
    size: int = 1

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.zeros(graph.n, dtype=np.int64)


@pytest.fixture
def documented() -> Description:
    return describe(Registered(Documented, Source("", "", "here.py")))


def test_the_first_line_is_the_summary_and_the_rest_is_text(documented: Description) -> None:
    assert documented.summary == "Says what it does."
    assert documented.text.split() == (
        [
            "A",
            "paragraph",
            "that",
            "says",
            "more,",
            "note:",
            "in",
            "two",
            "lines.",
            "And",
            "a",
            "last",
            "word.",
        ]
    )


def test_parameters_are_documented_by_the_lines_that_begin_with_their_name(
    documented: Description,
) -> None:
    docs = {parameter.name: parameter.doc for parameter in documented.parameters}

    assert docs == {
        "first": "what comes first, told in two lines.",
        "second": "what comes second, told in two lines as well.",
        "third": "",
        "fourth": "",
        "fifth": "",
    }


def test_types_are_told_in_the_words_of_a_spelling(documented: Description) -> None:
    assert [parameter.type for parameter in documented.parameters] == [
        "int", "[float or none, …] or none", "path", "a or 2", "[str, bool]",
    ]  # fmt: skip


def test_defaults_are_told_and_what_has_none_is_required(documented: Description) -> None:
    assert [(parameter.required, parameter.default) for parameter in documented.parameters] == [
        (True, None), (False, None), (False, Path("here")), (False, "a"), (False, ("x", True)),
    ]  # fmt: skip


def test_a_component_without_a_docstring_has_an_empty_summary() -> None:
    silent = describe(Registered(Silent, Source("", "", "here.py")))

    assert (silent.summary, silent.text) == ("", "")
    assert [parameter.name for parameter in silent.parameters] == ["size"]


def test_what_a_docstring_does_not_document_its_bases_do() -> None:
    described = describe(Registered(Derived, Source("", "", "here.py")))

    docs = {parameter.name: parameter.doc for parameter in described.parameters}
    assert docs["first"] == "what comes first here."
    assert docs["second"] == "what comes second, told in two lines as well."
    assert docs["sixth"] == "what comes last."
