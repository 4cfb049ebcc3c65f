"""Writes results: tables, figures, and a report in Markdown and HTML."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from harness import HarnessError
from harness.command import DEFAULT_FORMATS, escape_controls, replacing, save
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Output, Verdict

TITLE = "The thesis' tables and figures again"
# Rows of a table that the HTML report shows; the CSV file has all rows.
ROWS = 40
# The formats of figures that pages show; to others they link.
SHOWN = ("png", "svg")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; font-size: 14px; margin: 1rem 0; display: block;
  overflow-x: auto; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #ddd; }
img { max-width: 100%; height: auto; }
.summary { font-weight: 600; }
.missing { color: #8a3b00; }
"""


@dataclass(frozen=True, eq=False)
class Result:
    """An exhibit with its output, or why there is none: a missing requirement or a failure."""

    exhibit: Exhibit
    made: Output
    missing: str = ""
    failed: str = ""

    @property
    def heading(self) -> str:
        """Name and title of the exhibit, and what it is about."""
        about = self.made.subject or self.exhibit.about
        return f"{self.exhibit.name}: {self.exhibit.title}{f', {about}' if about else ''}"

    @property
    def trouble(self) -> str:
        """Why there is no output; "" if there is."""
        return self.missing or self.failed


def write_exhibit(folder: Path, result: Result, formats: Sequence[str] = DEFAULT_FORMATS) -> None:
    """Write tables as CSV and Markdown, and figures in the formats."""
    try:
        for kind in ("tables", "figures"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, table in result.made.tables.items():
            path = folder / "tables" / f"{name}.csv"
            with replacing(path) as new:
                table.to_csv(new, index=False)
            path.with_suffix(".md").write_text(_markdown(table) + "\n", encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error
    for name, figure in result.made.figures.items():
        save(figure, folder / "figures", name, formats)


def write_report(
    folder: Path,
    results: Sequence[Result],
    command: str,
    deviations: Sequence[str],
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> None:
    """Write report.md and report.html over all results, whose figures are in the formats."""
    shown = next((each for each in SHOWN if each in formats), formats[0])
    pages = {
        "report.md": _text(results, command, deviations, shown),
        "report.html": _page(results, command, deviations, shown),
    }
    try:
        for name, content in pages.items():
            (folder / name).write_text(escape_controls(content), encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error


def _verdicts(results: Sequence[Result]) -> list[Verdict]:
    return [verdict for result in results for verdict in result.made.verdicts]


def _findings(results: Sequence[Result]) -> pandas.DataFrame:
    """The claims and whether each held, without numbers; empty if none was looked at."""
    return pandas.DataFrame(
        [(each.number, each.claim, each.finding) for each in _verdicts(results)],
        columns=["number", "claim of the thesis", "here"],
    )


def _summary(results: Sequence[Result]) -> list[str]:
    """How many claims held and how many exhibits are made, in sentences."""
    verdicts = _verdicts(results)
    sentences = []
    if verdicts:
        held, not_held, not_tested = (
            _counted([each.number for each in verdicts if each.finding == finding])
            for finding in ("held", "not held", "not tested")
        )
        sentences.append(
            f"Of {len(verdicts)} claims of the thesis, {held} held here, {not_held} did not, and "
            f"{not_tested} could not be tested."
        )
    made = sum(not result.trouble for result in results)
    sentences.append(f"{made} of {len(results)} exhibits were made.")
    return sentences


def _counted(numbers: Sequence[int]) -> str:
    """How many there are, and which."""
    return f"{len(numbers)} ({', '.join(map(str, numbers))})" if numbers else "none"


def _text(results: Sequence[Result], command: str, deviations: Sequence[str], shown: str) -> str:
    parts = [f"# {TITLE}", " ".join(_summary(results))]
    if not (findings := _findings(results)).empty:
        parts.append(_markdown(findings))
    parts += [f"Made by `{command}`. Settings and versions: `provenance.json`."]
    parts += ["## Contents", "\n".join(f"- {_line(result)}" for result in results)]
    parts += ["## Where it differs from the thesis", "\n".join(f"- {one}" for one in deviations)]
    for result in results:
        parts.append(f"## {result.heading}")
        if result.trouble:
            parts.append(f"Not made: {result.trouble}")
        parts += result.made.remarks
        sign = "!" if shown in SHOWN else ""
        parts += [
            f"{sign}[{result.exhibit.title}](figures/{name}.{shown})"
            for name in result.made.figures
        ]
        parts += [
            f"`tables/{name}.csv`\n\n{_markdown(table)}"
            for name, table in _worth_showing(result.made)
        ]
    return "\n\n".join(parts) + "\n"


def _line(result: Result) -> str:
    return result.heading + (" (not made)" if result.trouble else "")


def _page(results: Sequence[Result], command: str, deviations: Sequence[str], shown: str) -> str:
    parts = [
        f"<h1>{html.escape(TITLE)}</h1>",
        f'<p class="summary">{html.escape(" ".join(_summary(results)))}</p>',
        *([] if (findings := _findings(results)).empty else [_html_table(findings)]),
        f"<p>Made by <code>{html.escape(command)}</code>. Settings and versions: "
        '<a href="provenance.json">provenance.json</a>.</p>',
        "<h2>Contents</h2>",
        "<ul>"
        + "".join(
            f'<li><a href="#{html.escape(result.exhibit.name)}">{html.escape(_line(result))}</a>'
            "</li>"
            for result in results
        )
        + "</ul>",
        "<h2>Where it differs from the thesis</h2>",
        "<ul>" + "".join(f"<li>{_prose(one)}</li>" for one in deviations) + "</ul>",
    ]
    for result in results:
        name = html.escape(result.exhibit.name)
        parts.append(f'<h2 id="{name}">{html.escape(result.heading)}</h2>')
        if result.trouble:
            parts.append(f'<p class="missing">Not made: {_prose(result.trouble)}</p>')
        parts += [f"<p>{_prose(remark)}</p>" for remark in result.made.remarks]
        for figure in map(html.escape, result.made.figures):
            path, title = f"figures/{figure}.{shown}", html.escape(result.exhibit.title)
            picture = f'<img src="{path}" alt="{title}">' if shown in SHOWN else path
            parts.append(f'<p><a href="{path}">{picture}</a></p>')
        for table_name, table in _worth_showing(result.made):
            path = html.escape(f"tables/{table_name}.csv")
            parts.append(f'<p><a href="{path}">{path}</a></p>')
            parts.append(_html_table(table))
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(TITLE)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _prose(text: str) -> str:
    """Text as HTML: what stands between backticks is code."""
    parts = [html.escape(part) for part in text.split("`")]
    # A backtick without a partner stays as it is.
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )


def _html_table(table: pandas.DataFrame) -> str:
    shown = _rounded(table.head(ROWS)).map(_prose)
    shown.columns = pandas.Index([html.escape(str(name)) for name in shown.columns])
    return shown.to_html(index=False, border=0, escape=False)


def _worth_showing(made: Output) -> list[tuple[str, pandas.DataFrame]]:
    """The tables that the report shows; the numbers behind a figure are in a file only."""
    return [(name, table) for name, table in made.tables.items() if name not in made.figures]


def _markdown(table: pandas.DataFrame) -> str:
    shown = _rounded(table)
    rows = [list(map(str, shown.columns)), ["---"] * len(shown.columns)]
    rows += [[str(value) for value in row] for row in shown.itertuples(index=False)]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
        for row in rows
    )


def _rounded(table: pandas.DataFrame) -> pandas.DataFrame:
    """A table for readers: text, with headings that can be broken between words."""

    def text(value: Any) -> str:
        if pandas.api.types.is_scalar(value) and pandas.isna(value):
            return "–"
        if pandas.api.types.is_bool(value):
            return "yes" if value else "no"
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    return table.map(text).rename(columns=lambda name: str(name).replace("_", " "))
