"""The opened image of a report in a real browser: its level, and the methods beside each other."""

import copy
from typing import TYPE_CHECKING, Any

import pytest

from support.report_data import LEVELS
from support.report_page import Opener, figure

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow


def test_an_image_opens_at_the_level_that_its_selector_chose(opened: "Locator") -> None:
    assert figure(opened, "level") == f"{LEVELS[15]:.3f}"
    assert opened.get_by_role("combobox", name="Levels").input_value() == "excess-modularity"


def test_an_image_keeps_its_aspect_ratio(opened: "Locator", sample: dict[str, Any]) -> None:
    image = sample["gallery"]["images"][0]
    box = opened.locator(".panel canvas").first.bounding_box()

    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(image["width"] / image["height"], rel=0.01)


def test_an_image_opens_and_closes_by_keyboard_and_gives_the_focus_back(page: "Page") -> None:
    thumbnail = page.locator(".thumbnail button").nth(1)
    thumbnail.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()

    page.keyboard.press("Escape")

    assert not page.get_by_role("dialog").is_visible()
    assert thumbnail.evaluate("element => element === document.activeElement")


def test_arrow_keys_move_the_slider_through_the_levels(opened: "Locator") -> None:
    keyboard = opened.page.keyboard
    keyboard.press("ArrowRight")
    assert figure(opened, "level") == f"{LEVELS[16]:.3f}"
    keyboard.press("Home")
    assert figure(opened, "level") == "0.000"
    assert figure(opened, "clusters") == "3"
    keyboard.press("End")
    assert figure(opened, "level") == f"{LEVELS[-1]:.3f}"
    assert opened.get_by_role("combobox", name="Levels").input_value() == ""


def test_page_down_turns_to_the_next_image(opened: "Locator", sample: dict[str, Any]) -> None:
    names = [image["name"] for image in sample["gallery"]["images"]]
    opened.page.keyboard.press("PageDown")
    assert opened.locator("h2").inner_text() == names[1]
    opened.page.keyboard.press("PageUp")
    assert opened.locator("h2").inner_text() == names[0]


def test_methods_stand_beside_each_other(opened: "Locator") -> None:
    opened.get_by_role("button", name="Another method beside").click()

    shown = [choice.input_value() for choice in opened.get_by_role("combobox", name="Method").all()]
    assert len(set(shown)) == len(shown) == 3


def test_each_method_shows_the_level_that_its_own_selector_chose(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    report = copy.deepcopy(sample)
    sweeps = report["gallery"]["images"][0]["maps"][0]["sweeps"]
    sweeps[1]["selections"][0]["level"] = 4
    page = open_page(report)
    page.locator(".thumbnail button").first.click()
    dialog = page.get_by_role("dialog")

    assert figure(dialog, "level", 0) == f"{LEVELS[15]:.3f}"
    assert figure(dialog, "level", 1) == f"{LEVELS[4]:.3f}"


def test_the_next_image_shows_the_same_methods_though_it_lacks_some(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    report = copy.deepcopy(sample)
    incomplete = report["gallery"]["images"][1]["maps"][0]
    incomplete["sweeps"] = incomplete["sweeps"][1:]
    page = open_page(report)
    page.locator(".thumbnail button").first.click()
    shown = page.get_by_role("dialog").get_by_role("combobox", name="Method")
    assert [each.inner_text() for each in shown.locator("option:checked").all()] == [
        "louvain",
        "infomap",
    ]

    page.keyboard.press("PageDown")

    assert [each.inner_text() for each in shown.locator("option:checked").all()] == ["infomap"]


def test_a_press_beside_the_dialog_closes_it(opened: "Locator") -> None:
    opened.page.mouse.click(4, 450)

    assert not opened.is_visible()
