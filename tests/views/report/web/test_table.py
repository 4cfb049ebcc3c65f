"""Tables of a report in a real browser."""

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.report_page import Opener, column, heading_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_a_heading_sorts_its_column_the_best_first_and_then_turns_it(page: "Page") -> None:
    heading_of(page, "effect").click()
    falling = column(page, "effect")
    heading_of(page, "effect").click()
    rising = column(page, "effect")

    figures = sorted(map(float, set(falling) - {"–"}))
    assert falling == [*(f"{value:.3f}" for value in reversed(figures)), "–"]
    assert rising == [*(f"{value:.3f}" for value in figures), "–"]


def test_the_sorted_column_is_said_to_those_who_do_not_see_it(page: "Page") -> None:
    heading_of(page, "clusterer").click()

    heading = page.get_by_role("columnheader", name="clusterer").first
    assert heading.get_attribute("aria-sort") == "ascending"


def test_a_sorted_heading_keeps_the_focus(page: "Page") -> None:
    heading_of(page, "modularity").click()

    assert page.evaluate("document.activeElement.textContent").startswith("Q")


def test_a_heading_is_explained_by_the_glossary_on_hover_and_on_focus(page: "Page") -> None:
    heading = heading_of(page, "modularity")
    tooltip = page.get_by_role("tooltip")

    heading.hover()
    assert tooltip.inner_text().startswith("Modularity at the selected level.")
    page.mouse.move(0, 0)
    assert not tooltip.is_visible()
    heading.focus()
    assert tooltip.is_visible()
    page.keyboard.press("Escape")
    assert not tooltip.is_visible()


def test_an_interval_is_a_bar_with_its_ends(page: "Page") -> None:
    cells = page.get_by_role("region", name="Methods", exact=True).locator("td.interval")

    assert cells.first.inner_text().strip() == "0.35 … 0.46"
    assert cells.locator("svg rect").count() == 5
    assert cells.last.locator("svg").count() == 0


def test_a_long_table_begins_short(open_page: Opener, sample: dict[str, Any]) -> None:
    many = copy.deepcopy(sample)
    many["tests"]["rows"] *= 20
    page = open_page(many)
    table = page.get_by_role("region", name="Tests against each control")

    assert table.locator("tbody tr").count() == 30
    page.get_by_role("button", name="Show all rows").click()
    assert table.locator("tbody tr").count() == 240


def test_a_table_downloads_as_json(page: "Page", sample: dict[str, Any]) -> None:
    with page.expect_download() as download:
        page.locator("[data-key='download leaderboard']").click()

    rows = json.loads(Path(download.value.path()).read_text("utf-8"))
    names = [each["name"] for each in sample["leaderboard"]["columns"]]
    assert rows == [dict(zip(names, row, strict=True)) for row in sample["leaderboard"]["rows"]]
