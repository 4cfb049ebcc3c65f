"""The bundle of the report's page, and its sources."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness
from harness.views.colours import COLOURS
from support import REPOSITORY
from support.report_data import sample_report

FOLDER = REPOSITORY / "harness/views/report"
WEB = FOLDER / "web"
SOURCES = sorted((WEB / "src").iterdir())


def fields(data: Any) -> Iterator[str]:
    """The names of all fields, but those of records that are called by names of the run."""
    if isinstance(data, list):
        for each in data:
            yield from fields(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            yield name
            if name not in ("glossary", "method", "methods"):
                yield from fields(value)


def test_data_have_the_fields_that_the_page_reads(
    documented: Callable[..., Any], deep: Path
) -> None:
    text = (WEB / "src/data.ts").read_text("utf-8")
    known = set(re.findall(r"(\w+)\??:", text))
    report = re.search(r"interface Report \{(.*?)\n\}", text, re.DOTALL)
    assert report is not None
    wanted = set(re.findall(r"^  (\w+):", report[1], re.MULTILINE))

    for data in (documented(harness.open_run(deep)), sample_report(1)):
        assert set(data) == wanted
        assert set(fields(data)) <= known


def test_the_bundle_is_built_from_the_sources() -> None:
    """`nox -s page` builds it anew and compares every character; this needs no node."""
    digest = hashlib.sha256()
    for path in [WEB / "package-lock.json", *SOURCES]:
        digest.update(f"{path.relative_to(WEB).as_posix()}\0".encode() + path.read_bytes())

    head = (FOLDER / "report.js").read_text("utf-8").partition("\n")[0]
    assert digest.hexdigest() in head, "run nox -s page"


def test_no_source_reads_text_as_html_or_as_code() -> None:
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|srcdoc"

    found = {path.name for path in SOURCES if re.search(ways, path.read_text("utf-8"))}

    assert not found


def test_only_a_live_view_makes_requests() -> None:
    ways = r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\("

    found = {path.name for path in SOURCES if re.search(ways, path.read_text("utf-8"))}

    assert found == {"live.ts"}


def test_the_bundle_may_stand_in_a_script_element() -> None:
    assert "</script" not in (FOLDER / "report.js").read_text("utf-8").lower()
    assert "</style" not in (FOLDER / "report.css").read_text("utf-8").lower()


def test_clusters_have_the_colours_of_the_figures() -> None:
    text = (WEB / "src/colours.ts").read_text("utf-8")

    assert tuple(re.findall(r"#[0-9A-F]{6}", text)) == COLOURS


def test_versions_are_exact_and_licences_go_along() -> None:
    package = json.loads((WEB / "package.json").read_text("utf-8"))
    licences = (FOLDER / "report.js.LICENSES.txt").read_text("utf-8")

    assert all(re.fullmatch(r"[\d.]+", version) for version in package["devDependencies"].values())
    plot = package["devDependencies"]["@observablehq/plot"]
    assert f"@observablehq/plot {plot} (ISC)" in licences
