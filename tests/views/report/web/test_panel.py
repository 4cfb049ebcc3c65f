"""One partition of an opened image in a real browser: its patches, profile and tests."""

import base64
import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.report_data import LEVELS
from support.report_page import Opener, figure

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.slow


def pixels(canvas: "Locator") -> list[int]:
    """The red, green and blue in the middle of each patch of a 14 × 14 grid."""
    script = """canvas => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        return Array.from({ length: 196 }, (_, patch) => {
            const x = ((patch % 14) + 0.5) * canvas.width / 14;
            const y = (Math.floor(patch / 14) + 0.5) * canvas.height / 14;
            const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
            return 65536 * red + 256 * green + blue;
        });
    }"""
    found: list[int] = canvas.evaluate(script)
    return found


def test_the_profile_moves_to_the_level_that_is_pressed(opened: "Locator") -> None:
    profile = opened.locator(".profile svg").first
    cursor = profile.locator(".cursor")
    before = cursor.get_attribute("x1")

    profile.click(position={"x": 60, "y": 80})

    assert cursor.get_attribute("x1") != before
    assert float(figure(opened, "level")) < 0.2


def test_a_cluster_keeps_its_colour_from_level_to_level(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    plain = copy.deepcopy(sample)
    for image in plain["gallery"]["images"]:
        image["picture"] = None
    page = open_page(plain)
    page.locator(".thumbnail button").first.click()
    canvas = page.locator(".panel canvas").first
    letters = page.locator(".panel .clusters").first

    seen: dict[int, set[str]] = {}
    moved = 0
    before: list[int] = []
    for key in ("Home", *["ArrowRight"] * 12):
        page.keyboard.press(key)
        colours = pixels(canvas)
        listed = letters.locator("li").evaluate_all(
            "all => all.map(each => [each.textContent[0], "
            "each.querySelector('rect').getAttribute('fill')])"
        )
        for letter, fill in listed:
            seen.setdefault(ord(letter), set()).add(fill)
        moved += colours != before
        before = colours

    assert moved > 2
    assert all(len(fills) == 1 for fills in seen.values())
    assert len({fill for fills in seen.values() for fill in fills}) == len(seen)


def test_patches_of_a_cluster_have_its_colour(open_page: Opener, sample: dict[str, Any]) -> None:
    plain = copy.deepcopy(sample)
    for image in plain["gallery"]["images"]:
        image["picture"] = None
    page = open_page(plain)
    page.locator(".thumbnail button").first.click()
    page.locator(".profile svg").first.wait_for()
    painted = pixels(page.locator(".panel canvas").first)

    sweep = plain["gallery"]["images"][0]["maps"][0]["sweeps"][0]
    labels = base64.b64decode(sweep["colours"])[15 * 196 : 16 * 196]
    for label in set(labels):
        colours = [each for each, at in zip(painted, labels, strict=True) if at == label]
        # All but the patch that has the letter.
        assert colours.count(max(set(colours), key=colours.count)) >= len(colours) - 1


def test_the_patch_under_the_pointer_shows_its_attention(opened: "Locator") -> None:
    canvas = opened.locator(".panel canvas").first
    text = opened.locator(".patch").first
    before = pixels(canvas)
    canvas.hover(position={"x": 100, "y": 100})

    assert re.match(r"Patch at row \d+, column \d+: in cluster [A-I] ", text.inner_text())
    assert pixels(canvas) != before
    opened.page.mouse.move(5, 5)
    assert text.inner_text() == "Point at a patch to see what it attends to."
    assert pixels(canvas) == before


def test_arrow_keys_move_over_the_patches_of_a_focused_image(opened: "Locator") -> None:
    canvas = opened.locator(".panel canvas").first
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        opened.page.keyboard.press(key)

    assert opened.locator(".patch").first.inner_text().startswith("Patch at row 2, column 2:")
    assert figure(opened, "level") == f"{LEVELS[15]:.3f}"


def test_tests_and_stability_of_the_choice_stand_below(opened: "Locator") -> None:
    block = opened.locator(".panel").first.locator(".selection")

    assert block.first.locator("td.figure").all_inner_texts() == [".050", ".050", "4.2"] * 2
    assert "levels 0.83, seeds 0.90" in block.first.inner_text()
    assert "does not accept it as structure: no plateau" in block.nth(1).inner_text()


def test_maps_without_a_grid_are_shown_as_strips(open_page: Opener, sample: dict[str, Any]) -> None:
    report = copy.deepcopy(sample)
    for image in report["gallery"]["images"]:
        image.update(picture=None, width=0, height=0)
        image["maps"][0].update(grid=None, region=None, attention=None)
    page = open_page(report)
    page.locator(".thumbnail button").first.click()
    page.locator(".panel canvas").first.hover(position={"x": 10, "y": 10})

    assert page.locator(".patch").first.inner_text().startswith("Node 0:")
