from pathlib import Path

import pandas
import pytest

from harness.errors import HarnessError
from harness.views.figures.style import new_figure, style
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Output, Verdict
from harness_plugins.thesis.reproduction.report import Result, write_exhibit, write_report

EVIL = "<script>alert(1)</script> | $x$"


def result(**changes: object) -> Result:
    table = pandas.DataFrame({"image": [EVIL], "share": [1 / 3], "none": [float("nan")]})
    with style():
        figure, _ = new_figure(1, 1, 3, 2, EVIL)
    made = Output({"table-1": table, "figure-1": table}, {"figure-1": figure}, (EVIL,))
    exhibit = Exhibit("table-1", EVIL, lambda study: made)
    return Result(exhibit, **{"made": made, **changes})  # type: ignore[arg-type]


def test_an_exhibit_is_written_as_tables_and_figures(tmp_path: Path) -> None:
    write_exhibit(tmp_path, result())

    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")) == [
        "figures/figure-1.png",
        "figures/figure-1.svg",
        "tables/figure-1.csv",
        "tables/figure-1.md",
        "tables/table-1.csv",
        "tables/table-1.md",
    ]
    again = pandas.read_csv(tmp_path / "tables" / "table-1.csv")
    assert again["image"][0] == EVIL
    assert again["share"][0] == 1 / 3


@pytest.mark.parametrize("formats", [("pdf", "svg", "png"), ("pdf", "svg"), ("pdf",)])
def test_pages_show_a_figure_that_was_written_or_link_to_it(
    tmp_path: Path, formats: tuple[str, ...]
) -> None:
    write_exhibit(tmp_path, result(), formats)
    write_report(tmp_path, [result()], "harness reproduce", [], formats)

    written = {f"figures/{path.name}" for path in (tmp_path / "figures").iterdir()}
    path = f"figures/figure-1.{formats[-1]}"
    assert written == {f"figures/figure-1.{each}" for each in formats}
    page = (tmp_path / "report.html").read_text("utf-8")
    assert f'href="{path}"' in page
    assert (f'<img src="{path}"' in page) == (formats != ("pdf",))
    text = (tmp_path / "report.md").read_text("utf-8")
    assert (f"]({path})" in text, "\n![" in text) == (True, formats != ("pdf",))


def test_markup_in_names_is_escaped_in_html(tmp_path: Path) -> None:
    write_report(tmp_path, [result()], f"harness reproduce {EVIL}", [])

    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_bars_in_cells_of_markdown_tables_are_escaped_and_gaps_are_dashes(tmp_path: Path) -> None:
    write_report(tmp_path, [result()], "harness reproduce", [])

    lines = (tmp_path / "report.md").read_text("utf-8").splitlines()
    (row,) = [line for line in lines if "0.3333" in line]
    assert "\\| $x$ | 0.3333" in row
    assert row.endswith("| 0.3333 | – |")


def test_the_numbers_behind_a_figure_are_not_in_the_report(tmp_path: Path) -> None:
    write_report(tmp_path, [result()], "harness reproduce", [])

    text = (tmp_path / "report.md").read_text("utf-8")
    assert "tables/table-1.csv" in text
    assert "tables/figure-1.csv" not in text
    assert "figures/figure-1.png" in text


def test_code_in_sentences_is_marked_up_in_html_and_a_single_backtick_stays(tmp_path: Path) -> None:
    trouble = result(made=Output(), missing="needs `harness data`; see 'a`b'")
    differences = ["`stable-phase` chooses <b>"]
    write_report(tmp_path, [trouble], "harness reproduce", differences)
    write_exhibit(tmp_path, trouble)

    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<li><code>stable-phase</code> chooses &lt;b&gt;</li>" in page
    assert "needs `harness data`; see &#x27;a`b&#x27;" in page


def test_a_missing_value_of_any_kind_is_a_dash(tmp_path: Path) -> None:
    values = pandas.Series([pandas.NA, None, float("nan"), pandas.NaT], dtype=object)
    made = Output({"table-1": pandas.DataFrame({"a": values})})
    write_report(tmp_path, [result(made=made)], "harness reproduce", [])

    assert (tmp_path / "report.html").read_text("utf-8").count("<td>–</td>") == 4


def test_headings_have_spaces_and_truth_is_yes_or_no(tmp_path: Path) -> None:
    made = Output({"table-1": pandas.DataFrame({"was_accepted": [True, False]})})
    write_report(tmp_path, [result(made=made)], "harness reproduce", [])

    assert "| was accepted |\n| --- |\n| yes |\n| no |" in (tmp_path / "report.md").read_text(
        "utf-8"
    )
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<th>was accepted</th>" in page
    assert "<td>yes</td>" in page


def test_the_report_begins_with_how_many_claims_held_and_exhibits_were_made(tmp_path: Path) -> None:
    verdicts = (
        Verdict(1, "One.", "held", "1 > 0"),
        Verdict(2, "Two.", "not held", "0 < 1"),
        Verdict(3, "Three.", "not tested", "needs more"),
        Verdict(4, "Four.", "held", "2 > 0"),
    )
    results = [result(made=Output(verdicts=verdicts)), result(made=Output(), missing="needs more")]
    write_report(tmp_path, results, "harness reproduce", [])

    for name in ("report.md", "report.html"):
        text = (tmp_path / name).read_text("utf-8")
        assert (
            "Of 4 claims of the thesis, 2 (1, 4) held here, 1 (2) did not, and 1 (3) could not be "
            "tested. 1 of 2 exhibits were made."
        ) in text.partition("Contents")[0]
    beginning = (tmp_path / "report.md").read_text("utf-8").partition("Contents")[0]
    assert "| 2 | Two. | not held |" in beginning
    page = (tmp_path / "report.html").read_text("utf-8").partition("Contents")[0]
    assert page.index("<td>Two.</td>") < page.index("<td>not held</td>")


def test_contents_link_to_every_exhibit_and_say_which_are_not_made(tmp_path: Path) -> None:
    about = result(made=Output(subject="Tulips"))
    trouble = Result(Exhibit("table-2", "Title", about.exhibit.make), Output(), missing="needs")
    write_report(tmp_path, [about, trouble], "harness reproduce", [])

    page = (tmp_path / "report.html").read_text("utf-8")
    assert ", Tulips</a></li>" in page
    assert '<li><a href="#table-2">table-2: Title (not made)</a></li>' in page
    assert '<h2 id="table-2">' in page


def test_a_missing_requirement_is_reported(tmp_path: Path) -> None:
    trouble = result(made=Output(), missing="needs & wants")
    write_report(tmp_path, [trouble], "harness reproduce", [])

    assert "Not made: needs & wants" in (tmp_path / "report.md").read_text("utf-8")
    assert "Not made: needs &amp; wants" in (tmp_path / "report.html").read_text("utf-8")


def test_a_folder_that_cannot_be_written_to_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HarnessError, match="file: cannot be written to"):
        write_exhibit(tmp_path / "file", result())
