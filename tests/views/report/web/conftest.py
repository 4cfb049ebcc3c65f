"""A report's page in a browser, for the tests of its parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.views.report.html import html
from support.browser import watch
from support.report_data import sample_report
from support.report_page import Opener

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    return sample_report()


@pytest.fixture
def open_page(browser: "Browser", tmp_path: Path) -> Iterator[Opener]:
    """Opens a report from a file. In the end it has complained of nothing and asked for nothing."""
    contexts, witnesses = [], []

    def opened(report: dict[str, Any], **options: Any) -> "Page":
        path = tmp_path / "report.html"
        path.write_text(html(report), "utf-8")
        context = browser.new_context(viewport={"width": 1200, "height": 900}, **options)
        page = context.new_page()
        contexts.append(context)
        witnesses.append(watch(page))
        page.goto(path.as_uri())
        return page

    yield opened
    for witness in witnesses:
        assert witness.complaints == []
        outside = [url for url in witness.requests if not url.startswith(("data:", "blob:"))]
        assert [url.rpartition("/")[2] for url in outside] == ["report.html"]
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Opener, sample: dict[str, Any]) -> "Page":
    return open_page(sample)


@pytest.fixture
def opened(page: "Page") -> "Locator":
    """The dialog of the gallery's first image."""
    page.locator(".thumbnail button").first.click()
    dialog = page.get_by_role("dialog")
    # The profile is there when the panel has been drawn.
    dialog.locator(".profile svg").first.wait_for()
    return dialog
