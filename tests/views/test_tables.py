"""How tables are printed in the terminal."""

import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from harness.views.fitting import shortened
from harness.views.tables import Column, interval, number, p_text, short, show_table, signed

NAME = Column[tuple[str, str, str]]("name", lambda row: row[0], words=True)
GRAPH = Column[tuple[str, str, str]](
    "graph", lambda row: row[1], words=True, shown="varying", meaning="how it was built"
)
SCORE = Column[tuple[str, str, str]]("score", lambda row: row[2], "mean", shown="filled", drop=1)


def printed(
    rows: list[tuple[str, str, str]], width: int = 80, title: str = "", caption: str = ""
) -> str:
    console = Console(file=io.StringIO(), width=width)
    show_table(console, [NAME, GRAPH, SCORE], rows, title=title, caption=caption)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(-0.0001), "0.000"),
        (number(-4e-17), "0.000"),
        (number(-4e-17, 0), "0"),
        (signed(-4e-17), "+0.00"),
        (interval(-4e-17, 4e-17), "0.00…0.00"),
        (number(None), "–"),
        (number(math.nan), "–"),
        (number(2.345, 1), "2.3"),
        (signed(-0.001), "+0.00"),
        (signed(-0.5), "-0.50"),
        (short(0.5), ".50"),
        (short(-0.25), "-.25"),
        (short(-0.001), ".00"),
        (short(1.0), "1.00"),
        (short(10.0), "10.00"),
        (p_text(0.0001), "<.001"),
        (p_text(1.0), "1.000"),
        (p_text(0.02), ".020"),
        (interval(0.2, 0.271), "0.20…0.27"),
        (interval(-0.001, None), "–"),
    ],
)
def test_every_kind_of_number_has_one_form(text: str, expected: str) -> None:
    assert text == expected


def test_values_that_all_rows_share_are_in_the_caption() -> None:
    shown = printed([("a", "threshold", "1"), ("b", "threshold", "2")], caption="Two rows.")

    above, header, *_, caption = shown.splitlines()
    assert above == "In all rows: graph threshold."
    assert header.split() == ["name", "score"]
    assert caption == "Two rows. score: mean."


def test_what_differs_between_rows_has_a_column() -> None:
    shown = printed([("a", "threshold", "1"), ("b", "mutual", "2")])

    assert shown.split()[:3] == ["name", "graph", "score"]
    assert "graph: how it was built; score: mean." in shown


def test_what_no_row_has_is_not_said_of_all_rows() -> None:
    assert "In all rows" not in printed([("a", "–", "1"), ("b", "–", "2")])


def test_a_column_without_values_is_left_out() -> None:
    assert "score" not in printed([("a", "threshold", "–"), ("b", "mutual", "")])


def test_columns_that_do_not_fit_are_named() -> None:
    rows = [("a" * 14, "b" * 14, "0.123"), ("c" * 14, "d" * 14, "0.456")]

    shown = printed(rows, width=30)
    assert "0.123" not in shown
    assert "No room here for score" in shown
    assert "0.123" in printed(rows, width=36)


def test_long_names_take_one_line_and_can_be_told_apart() -> None:
    names = [f"{'abcdefgh' * 5}{number}{'ijkl' * 9}" for number in range(3)]

    lines = printed([(name, "x", "0.123") for name in names], width=40).splitlines()
    rows = [line for line in lines if "0.123" in line]
    assert len(set(rows)) == len(rows) == 3
    assert all("…" in row for row in rows)
    assert all(len(line) <= 40 for line in lines)


def test_a_long_title_is_shortened() -> None:
    title = "/a/very/long/path" * 10

    shown = printed([("a", "b", "1")], width=40, title=title).splitlines()[0]
    assert len(shown) == 40
    assert shown.endswith("/a/very/long/path")


def test_names_with_markup_or_control_characters_are_shown_as_they_are() -> None:
    shown = printed([("[bold]x[/bold]\x1b[2J", "b", "1")], title="[red]t\x1b", caption="[i]c\x1b")

    assert "[bold]x[/bold]\\x1b[2J" in shown
    assert shown.startswith("[red]t\\x1b\n")
    assert "[i]c\\x1b" in shown
    assert "\x1b" not in shown


CELLS = st.tuples(
    st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=40),
    st.text("abc[]=,/ ", max_size=60),
    st.floats(-9999, 9999).map(number),
)


@given(st.lists(CELLS, min_size=1, max_size=5), st.integers(30, 120))
def test_no_line_is_wider_than_the_console_and_no_number_is_cut(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    shown = printed(rows, width, title="a title " * 9, caption="A caption. " * 9)

    assert all(cell_len(line) <= width for line in shown.splitlines())
    if "No room" not in shown and {row[2] for row in rows} != {"–"}:
        assert all(row[2] in shown for row in rows)


@given(
    st.text("ab=,[]", max_size=12),
    st.floats(0, 9999).map(lambda value: f"{value:.3f}"),
    st.text("ab=,[]", max_size=12),
    st.integers(4, 30),
)
def test_a_name_is_never_shortened_within_a_number(
    before: str, figure: str, after: str, width: int
) -> None:
    shown = shortened(f"{before}{figure}{after}", width)

    assert cell_len(shown) <= width
    assert set(re.findall(r"[0-9.]+", shown)) <= {figure}


def test_a_line_names_as_many_left_out_columns_as_fit() -> None:
    columns = [Column(f"heading{at}", lambda row: row, drop=at) for at in range(20)]
    console = Console(width=40, file=io.StringIO())
    show_table(console, columns, ["x" * 12])

    last = console.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]
    assert re.fullmatch(r"No room here for heading\d+.* and \d+ more\.", last)
    assert len(last) <= 40


def test_labels_stay_whole_before_what_matters_least() -> None:
    columns = [
        Column[str]("name", lambda row: row, words=True),
        Column[str]("least", lambda row: "0.123", drop=1),
        Column[str]("most", lambda row: "0.456", drop=9),
    ]
    console = Console(width=30, file=io.StringIO())
    show_table(console, columns, ["louvain[resolution=0.5]", "spectral[clusters=2]"])

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "louvain[resolution=0.5]" in shown
    assert "0.456" in shown
    assert "0.123" not in shown


def test_a_number_stays_with_its_percent_sign() -> None:
    for width in range(30, 50):
        lines = printed([("a", "b", "1")], width, caption="at a rate of 5 % of all " * 4)
        assert not any(line.startswith("%") for line in lines.splitlines())


def test_an_explanation_of_more_than_three_lines_leaves_the_rest_to_the_glossary() -> None:
    columns = [
        Column[int](f"c{at}", str, "some words that explain the column", drop=at + 1)
        for at in range(12)
    ]
    console = Console(file=io.StringIO(), width=80)
    show_table(console, columns, [1, 2])

    assert isinstance(console.file, io.StringIO)
    below = console.file.getvalue().splitlines()[4:]
    assert len(below) <= 3
    assert " ".join(below).endswith("others: docs/glossary.md.")
    assert "c11: some words" in " ".join(below)
    assert "c0: some words" not in " ".join(below)


def test_what_specs_share_is_said_once_above_the_table() -> None:
    column = Column[str]("model", lambda row: row, words=True, specs=True)
    console = Console(file=io.StringIO(), width=80)
    rows = [f"hf[model=/data/some/where/{name},size=[224,224]]" for name in ("vit", "dino")]
    show_table(console, [column], rows)

    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "In all rows: model hf[size=[224,224]]."
    assert lines[3:] == ["hf[model=vit]", "hf[model=dino]"]
