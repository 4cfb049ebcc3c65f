"""Filters of a report in a real browser."""

from typing import TYPE_CHECKING

import pytest

from support.report_data import CONTROLS
from support.report_page import column

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_filters_hold_for_tables_and_charts(page: "Page") -> None:
    page.get_by_role("combobox", name="clusterer").select_option("sdp")

    assert set(column(page, "clusterer")) == {"sdp"}
    assert set(column(page, "clusterer", "Tests against each control")) == {"sdp"}
    assert page.locator("#curves h3").all_inner_texts() == ["sdp"]


def test_a_filter_of_controls_leaves_the_methods_alone(page: "Page") -> None:
    page.get_by_role("combobox", name="control").select_option(CONTROLS[1])

    assert set(column(page, "control", "Tests against each control")) == {CONTROLS[1]}
    assert len(column(page, "clusterer")) == 6


def test_all_filters_are_taken_away_at_once(page: "Page") -> None:
    page.get_by_role("combobox", name="clusterer").select_option("sdp")
    page.get_by_role("combobox", name="selector").select_option("max-modularity")
    page.get_by_role("button", name="Show all", exact=True).click()

    assert len(column(page, "clusterer")) == 6
