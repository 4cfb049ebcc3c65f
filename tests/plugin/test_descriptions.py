from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest

import harness
from harness.plugin.descriptions import Description, describe
from harness.plugin.installed import Source


@dataclass(frozen=True)
class Documented(harness.Clusterer):
    """Says what it does.

    A paragraph that says more,
    note: in two lines.

    first: what comes first,
        said in two lines.
    second: what comes second,
    said in two lines as well.

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
class Numpydoc(Documented):
    """Documents itself as numpydoc says.

    A paragraph: with a colon.

    Parameters
    ----------
    first : int
        What comes first,
        in two lines.

        And a paragraph.
    third, fourth
        Where and what.
    fifth : tuple of str and bool, default: x
    cluster
        No parameter of the component.

    References
    ----------
    .. [1] Somebody (2001).

    Examples
    --------
    >>> Numpydoc(first=1).first
    1
    """

    name: ClassVar[str] = "numpydoc"


@dataclass(frozen=True)
class Silent(harness.Clusterer):
    name: ClassVar[str] = "silent"
    size: int = 1

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.zeros(graph.n, dtype=np.int64)


@pytest.fixture
def documented() -> Description:
    return describe(Documented, Source("", "", "here.py"))


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
        "first": "what comes first, said in two lines.",
        "second": "what comes second, said in two lines as well.",
        "third": "",
        "fourth": "",
        "fifth": "",
    }


def test_types_are_written_as_specs_write_their_values(documented: Description) -> None:
    assert [parameter.type for parameter in documented.parameters] == [
        "int", "[float or none, …] or none", "path", "a or 2", "[str, bool]",
    ]  # fmt: skip


def test_a_parameter_has_a_default_or_is_required(documented: Description) -> None:
    assert [(parameter.required, parameter.default) for parameter in documented.parameters] == [
        (True, None), (False, None), (False, Path("here")), (False, "a"), (False, ("x", True)),
    ]  # fmt: skip


def test_a_component_without_a_docstring_has_an_empty_summary() -> None:
    silent = describe(Silent, Source("", "", "here.py"))

    assert (silent.summary, silent.text) == ("", "")
    assert [parameter.name for parameter in silent.parameters] == ["size"]


def test_base_classes_document_the_parameters_that_a_docstring_leaves_out() -> None:
    described = describe(Derived, Source("", "", "here.py"))

    docs = {parameter.name: parameter.doc for parameter in described.parameters}
    assert docs["first"] == "what comes first here."
    assert docs["second"] == "what comes second, said in two lines as well."
    assert docs["sixth"] == "what comes last."


def test_a_numpydoc_section_documents_parameters_and_is_no_text() -> None:
    described = describe(Numpydoc, Source("", "", "here.py"))

    assert {parameter.name: parameter.doc for parameter in described.parameters} == {
        "first": "What comes first, in two lines. And a paragraph.",
        "second": "what comes second, said in two lines as well.",
        "third": "Where and what.",
        "fourth": "Where and what.",
        "fifth": "",
    }
    assert described.summary == "Documents itself as numpydoc says."


def test_the_text_holds_the_other_numpydoc_sections_but_for_examples() -> None:
    described = describe(Numpydoc, Source("", "", "here.py"))

    assert described.text.split("\n\n") == [
        "A paragraph: with a colon.",
        "References",
        ".. [1] Somebody (2001).",
    ]
