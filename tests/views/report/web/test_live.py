"""The page of a live view in a real browser."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from harness.views.report.html import html
from support.browser import watch
from support.report_data import sample_report
from support.report_page import column, figure, heading_of
from support.site import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture
def live(browser: "Browser") -> Iterator[tuple["Page", Callable[[dict[str, Any]], None]]]:
    """A live view, and what gives it new data."""
    with serve() as site:
        report = sample_report(live=True, done=10)
        site.files["view/"] = html(report).encode()

        def give(data: dict[str, Any]) -> None:
            site.files["view/data.json"] = json.dumps(data).encode()

        give(report)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        witness = watch(page)
        page.goto(f"{site.address}/view/")
        yield page, give
        page.close()
        assert witness.complaints == []
        asked = {name for name, _ in site.asked}
        assert asked <= {"view/", "view/data.json", "favicon.ico"}


Live = tuple["Page", Callable[[dict[str, Any]], None]]


def test_a_live_view_says_how_far_the_run_is(live: Live) -> None:
    page, give = live
    progress = page.locator("#progress")
    assert "10 of 200 cells done, 1 failed, 4 skipped, 185 to come; about 65 seconds left." in (
        progress.inner_text()
    )

    give(sample_report(live=True, done=50))

    progress.get_by_text("50 of 200 cells done").wait_for()


def test_a_live_view_shows_failures_once_and_its_progress_leads_to_them(live: Live) -> None:
    page, _ = live
    reasons = page.get_by_text("took longer than 60 s")
    assert reasons.count() == 1

    page.locator("#progress").get_by_role("link", name="1 failed").click()

    assert page.locator(":target").get_attribute("id") == "failures"


def test_a_live_view_keeps_what_the_reader_sees_and_chose(live: Live) -> None:
    page, give = live
    page.get_by_role("combobox", name="clusterer").select_option("louvain")
    heading_of(page, "selector").click()
    heading_of(page, "selector").click()
    page.locator("#failures summary").first.click()
    page.locator(".thumbnail button").nth(2).click()
    page.keyboard.press("Home")
    name = page.get_by_role("dialog").locator("h2").inner_text()
    scrolled = page.evaluate("window.scrollY")

    after = sample_report(live=True, done=60)
    after["leaderboard"]["rows"][0][3] = 0.987
    give(after)
    page.get_by_text("60 of 200 cells done").wait_for(state="attached")

    dialog = page.get_by_role("dialog")
    assert dialog.locator("h2").inner_text() == name
    assert figure(dialog, "level") == "0.000"
    assert page.evaluate("window.scrollY") == scrolled
    page.keyboard.press("Escape")
    assert column(page, "clusterer") == ["louvain"] * 2
    assert column(page, "selector") == ["max-modularity", "excess-modularity"]
    assert column(page, "modularity")[1] == "0.987"
    assert page.locator("#failures details").first.get_attribute("open") is not None


def test_a_live_view_leaves_the_list_of_a_filter_open(live: Live) -> None:
    page, give = live
    filters = page.get_by_role("combobox", name="clusterer").element_handle()

    after = sample_report(live=True, done=60)
    after["leaderboard"]["rows"][0][3] = 0.987
    give(after)
    page.get_by_text("0.987").first.wait_for(state="attached")

    # A list closes when its element leaves the page.
    assert filters.evaluate("each => each.isConnected")


def test_a_live_view_asks_no_more_when_the_run_has_finished(live: Live) -> None:
    page, give = live
    give(sample_report(live=True, done=195))
    page.get_by_text("Finished.").wait_for()

    give(sample_report(live=True, done=60))
    page.wait_for_timeout(2500)

    assert page.get_by_text("Finished.").is_visible()
