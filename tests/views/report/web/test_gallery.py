"""The gallery of a report in a real browser."""

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.report_data import sample_report
from support.report_page import Opener

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_the_gallery_is_ordered_by_effect(page: "Page") -> None:
    captions = page.locator(".thumbnail figcaption").all_inner_texts()

    effects = [float(re.search(r"effect ([\d.]+)", caption)[1]) for caption in captions]  # type: ignore[index]
    assert effects == sorted(effects, reverse=True)


def test_without_a_control_the_gallery_is_of_modularity(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    bare = copy.deepcopy(sample)
    for image in bare["gallery"]["images"]:
        image["figure"] = "modularity"
    page = open_page(bare)
    first = bare["gallery"]["images"][0]

    captions = page.locator(".thumbnail figcaption").all_inner_texts()
    page.locator(".thumbnail button").first.click()
    facts = page.get_by_role("dialog").locator("header p").inner_text()

    assert f"modularity {first['effect']:.3f}" in captions[0]
    assert f"modularity {first['effect']:.3f} · image 1 of 6, by modularity" in facts
    assert not any("effect" in text for text in (*captions, facts))


@pytest.mark.parametrize("width", [1200, 390])
def test_images_of_a_row_have_one_height_and_fill_it_whatever_their_shapes(
    open_page: Opener, width: int
) -> None:
    mixed = sample_report(12)
    for at, shape in enumerate([(100, 400), (300, 400), (900, 200), (400, 300)]):
        mixed["gallery"]["images"][at].update(width=shape[0], height=shape[1])
    mixed["gallery"]["images"][1]["name"] = "a name that takes up several lines " * 3
    page = open_page(mixed)
    page.set_viewport_size({"width": width, "height": 900})

    edges = "all => all.map(each => each.getBoundingClientRect())"
    (gallery,) = page.locator(".gallery").evaluate_all(edges)
    rows: dict[float, list[dict[str, float]]] = {}
    for box in page.locator(".thumbnail canvas").evaluate_all(edges):
        rows.setdefault(box["top"], []).append(box)

    *full, last = rows.values()
    assert len(full) > 1
    for row in (*full, last):
        assert all(abs(box["height"] - row[0]["height"]) < 0.5 for box in row)
    assert all(abs(row[-1]["right"] - gallery["right"]) < 0.5 for row in full)


def test_the_gallery_says_where_the_selector_accepts_no_structure(page: "Page") -> None:
    captions = page.locator(".thumbnail figcaption")
    assert not any("not accepted" in each for each in captions.all_inner_texts())

    page.get_by_role("combobox", name="Clusters of").select_option(label="louvain · max-modularity")

    assert all(each.endswith("not accepted") for each in captions.all_inner_texts())


def test_an_image_without_any_clusters_does_not_open(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    report = copy.deepcopy(sample)
    report["gallery"]["images"][0]["maps"][0]["sweeps"] = []
    report["gallery"]["images"][1]["maps"] = []

    buttons = open_page(report).locator(".thumbnail button")

    assert [each.is_disabled() for each in buttons.all()] == [True, True, *[False] * 4]
