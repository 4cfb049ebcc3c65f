"""Charts of a report in a real browser."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from support.report_data import LEVELS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_charts_out_of_sight_are_drawn_too(page: "Page") -> None:
    page.locator("#layers .chart").last.locator("svg").first.wait_for()

    assert page.evaluate("window.scrollY") == 0


def test_a_curve_is_read_where_the_pointer_is(page: "Page", sample: dict[str, Any]) -> None:
    chart = page.locator("#curves .chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg").wait_for()
    chart.hover()

    images = sample["curves"][0]["modularity"][0]["mean"]
    read = chart.locator("text", has_text="at 0.").inner_html()
    level = LEVELS.index(float(re.search(r"at ([\d.]+)", read)[1]))  # type: ignore[index]
    assert f"images {images[level]:.2f}" in read


def test_layers_show_the_chosen_figure(page: "Page") -> None:
    page.locator("#layers").get_by_role("combobox", name="Figure").first.select_option(label="Q")

    assert page.locator("#layers h3").first.inner_text() == "Layers × heads: Q"
