"""How tables are printed in the terminal."""

import io
import math

import pytest
from rich.console import Console

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

    header, *_, caption = shown.splitlines()
    assert header.split() == ["name", "score"]
    assert caption == "Two rows. In all rows: graph threshold. score: mean."


def test_what_differs_between_rows_has_a_column() -> None:
    shown = printed([("a", "threshold", "1"), ("b", "mutual", "2")])

    assert shown.split()[:3] == ["name", "graph", "score"]
    assert "graph: how it was built; score: mean." in shown


def test_a_column_without_values_is_left_out() -> None:
    assert "score" not in printed([("a", "threshold", "–"), ("b", "mutual", "")])


def test_columns_that_do_not_fit_are_named() -> None:
    rows = [("a" * 14, "b" * 14, "0.123"), ("c" * 14, "d" * 14, "0.456")]

    shown = printed(rows, width=30)
    assert "0.123" not in shown
    assert "No room here for score" in shown
    assert "0.123" in printed(rows, width=36)


def test_long_names_are_folded_and_nothing_is_lost() -> None:
    shown = printed([("abcdefgh" * 5, "x", "0.123"), ("b", "y", "0.456")], width=40)

    folded = "".join(line.split()[0] for line in shown.splitlines()[2:5])
    assert folded.startswith("abcdefgh" * 5)
    assert all(len(line) <= 40 for line in shown.splitlines())


def test_a_long_title_is_not_broken() -> None:
    title = "/a/very/long/path" * 10

    assert printed([("a", "b", "1")], width=40, title=title).splitlines()[0] == title


def test_names_with_markup_or_control_characters_are_shown_as_they_are() -> None:
    shown = printed([("[bold]x[/bold]\x1b[2J", "b", "1")], title="[red]t\x1b", caption="[i]c\x1b")

    assert "[bold]x[/bold]\\x1b[2J" in shown
    assert shown.startswith("[red]t\\x1b\n")
    assert "[i]c\\x1b" in shown
    assert "\x1b" not in shown
