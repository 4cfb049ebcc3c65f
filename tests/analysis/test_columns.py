"""How users name columns."""

import re

import pytest

from harness.analysis.columns import MEANINGS, field_named, heading_of
from harness.analysis.leaderboard import SORTABLE
from harness.errors import HarnessError
from harness.views.leaderboard import COLUMNS, method_columns
from support import REPOSITORY


@pytest.mark.parametrize("field", SORTABLE)
def test_a_field_is_known_by_its_name_and_its_heading_in_any_case(field: str) -> None:
    heading = heading_of(field)

    for text in (field, field.upper(), field.replace("_", "-"), heading, heading.upper()):
        assert field_named(text, SORTABLE, "") == field


@pytest.mark.parametrize("text", ["mine[a=-1]", "mine[ a=-1.00 ]"])
def test_a_score_with_parameters_is_known_by_its_spec_however_that_is_written(text: str) -> None:
    assert field_named(text, ["mine[a=1.0]", "mine[a=-1.0]"], "") == "mine[a=-1.0]"


@pytest.mark.parametrize("column", [*method_columns(), *COLUMNS], ids=lambda each: each.heading)
def test_every_heading_of_the_leaderboard_names_a_column(column: object) -> None:
    assert field_named(column.heading, SORTABLE, "") in SORTABLE  # type: ignore[attr-defined]


def test_an_unknown_name_is_refused_with_the_closest_one() -> None:
    with pytest.raises(HarnessError, match=r"--by Jacard: no such column; did you mean 'Jaccard'"):
        field_named("Jacard", SORTABLE, "--by Jacard: no such column")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda each: each.heading)
def test_the_glossary_explains_every_column_by_heading_and_name(column: object) -> None:
    page = (REPOSITORY / "docs" / "glossary.md").read_text()
    heading = column.heading  # type: ignore[attr-defined]

    assert f"\n| {heading} | `{field_named(heading, SORTABLE, '')}`" in page


def explained() -> dict[str, tuple[str, str]]:
    """The heading and the meaning of each column, and of each term, on the page."""
    page = (REPOSITORY / "docs" / "glossary.md").read_text()
    terms = re.findall(r"^- \*\*([^*]+)\*\*(?: \([^)]*\))?: (.*)\.$", page, re.MULTILINE)
    rows = re.findall(r"^\| (.+) \| `(\w+)`(?:, `\w+`)* \| (.+) \|$", page, re.MULTILINE)
    of_terms = {term.casefold().replace(" ", "_"): (term, meaning) for term, meaning in terms}
    return of_terms | {name: (heading, meaning) for heading, name, meaning in rows}


@pytest.mark.parametrize("name", MEANINGS)
def test_the_glossary_says_what_a_column_means_in_the_same_words(name: str) -> None:
    heading, meaning = explained()[{"graph": "graph_builder"}.get(name, name)]

    assert meaning == MEANINGS[name]
    if not heading[0].isupper():
        assert heading == heading_of(name)
