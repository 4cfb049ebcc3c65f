"""The bundle of the report's page, and its sources."""

import hashlib
import json
import re

from harness.views.colours import COLOURS
from support import REPOSITORY

FOLDER = REPOSITORY / "harness/views/report"
WEB = FOLDER / "web"
SOURCES = sorted((WEB / "src").iterdir())


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
