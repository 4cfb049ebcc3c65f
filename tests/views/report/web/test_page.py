"""The page as a whole in a real browser: its sections, what they hold, where it is read."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness
from support.report_data import HOSTILE, sample_report
from support.report_page import Opener, column, figure, heading_of
from support.runs import small_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_the_answer_comes_first(page: "Page", sample: dict[str, Any]) -> None:
    headings = page.locator("main h2:visible").all_inner_texts()

    assert page.locator("main p").first.inner_text() == sample["answer"][0]
    assert headings[:3] == ["Answer", "What was compared", "What this does not show"]


def test_a_section_without_data_is_not_there(open_page: Opener, sample: dict[str, Any]) -> None:
    bare = {**sample, "failures": [], "comparison": None, "layers": None, "curves": []}

    headings = open_page(bare).locator("main h2:visible").all_inner_texts()

    assert not {"Failures", "Comparison", "Layers and heads", "Curves"} & set(headings)


def test_the_page_downloads_all_of_its_data(page: "Page", sample: dict[str, Any]) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all data").click()

    assert json.loads(Path(download.value.path()).read_text("utf-8")) == json.loads(
        json.dumps(sample)
    )


def test_failures_stand_with_their_reasons_the_most_frequent_first(page: "Page") -> None:
    failures = page.locator("#failures .failures > li")

    assert failures.first.inner_text().startswith("5 × labels are no integers: louvain (infomap)")
    failures.first.locator("summary").click()
    assert failures.first.locator("details li").inner_text() == "louvain"


def test_commands_in_sentences_have_no_backticks(open_page: Opener, sample: dict[str, Any]) -> None:
    said = copy.deepcopy(sample)
    said["limits"] = ["See `harness foreground`."]
    said["failures"][0]["reason"] = "3 other reasons, which `harness export` has"
    said["glossary"]["clusterer"]["text"] = "What `harness score` scores."
    page = open_page(said)
    heading_of(page, "clusterer").hover()

    assert page.locator("#limits code").inner_text() == "harness foreground"
    assert page.locator("#failures code").inner_text() == "harness export"
    assert page.get_by_role("tooltip").locator("code").inner_text() == "harness score"


def test_hostile_names_are_shown_and_do_nothing(open_page: Opener) -> None:
    report = sample_report(5, hostile=True)
    report["glossary"] = {}
    report["leaderboard"]["columns"][3]["name"] = "constructor"
    report["leaderboard"]["rows"][0][1] = HOSTILE[1]
    page = open_page(report)
    page.locator("#leaderboard th button").nth(3).hover()
    shown = page.locator(".thumbnail strong").all_inner_texts()
    for at in range(len(shown)):
        page.locator(".thumbnail button").nth(at).click()
        assert page.get_by_role("dialog").locator("h2").inner_text() == shown[at]
        page.keyboard.press("Escape")

    assert page.title() == HOSTILE[1]
    assert set(shown) == set(HOSTILE)
    assert HOSTILE[0] in page.locator("#answer").inner_text()
    assert HOSTILE[1] in column(page, "clusterer")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("picture", ["https://example.org/a.png", "javascript:alert(1)"])
def test_a_picture_that_is_not_in_the_page_is_not_asked_for(
    open_page: Opener, sample: dict[str, Any], picture: str
) -> None:
    report = copy.deepcopy(sample)
    report["gallery"]["images"][0]["picture"] = picture

    page = open_page(report)

    page.locator(".thumbnail button").first.click()
    assert page.get_by_role("dialog").is_visible()


def test_the_page_fits_a_phone(open_page: Opener, sample: dict[str, Any]) -> None:
    page = open_page(sample)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.locator(".thumbnail button").first.click()

    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 390


def test_dark_readers_get_a_dark_page(open_page: Opener, sample: dict[str, Any]) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = open_page(sample, color_scheme="light").evaluate(background)
    dark = open_page(sample, color_scheme="dark").evaluate(background)

    assert light == "rgb(255, 255, 255)"
    assert max(map(int, re.findall(r"\d+", dark))) < 60


def test_paper_has_all_charts_and_details_and_no_buttons(page: "Page") -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    charts = page.locator(".chart").count()
    assert page.locator(".chart:has(svg)").count() == charts > 10
    assert page.locator("#failures details li").first.is_visible()
    assert not page.locator(".filters").is_visible()
    assert not page.get_by_role("button", name="Download").first.is_visible()


def test_the_page_of_a_real_run_shows_all_its_methods_and_levels(
    open_page: Opener, documented: Callable[..., Any], deep: Path
) -> None:
    report = documented(harness.open_run(deep))
    page = open_page(report)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.locator(".thumbnail button").first.click()
    dialog = page.get_by_role("dialog")

    sweeps = [sweep for map_ in report["gallery"]["images"][0]["maps"] for sweep in map_["sweeps"]]
    method = dialog.get_by_role("combobox", name="Method").first
    sweep = sweeps[method.evaluate("element => element.selectedIndex")]
    read = []
    for key in ("Home", *["ArrowRight"] * (len(sweep["levels"]) - 1)):
        page.keyboard.press(key)
        read.append((figure(dialog, "modularity"), figure(dialog, "clusters")))
    assert read == [
        (f"{modularity:z.3f}".replace("-", "−"), str(clusters))
        for modularity, clusters in zip(sweep["modularity"], sweep["clusters"], strict=True)
    ]
    assert len(column(page, "clusterer")) == len(report["leaderboard"]["rows"]) == 4
    assert page.locator(".chart:has(svg)").count() == page.locator(".chart").count() > 4


def test_the_page_of_a_real_run_of_maps_that_failed_in_part_says_so(
    open_page: Opener, documented: Callable[..., Any], planted: Path, hostile: Path, tmp_path: Path
) -> None:
    clusterers = "raising,louvain"
    run = small_run(tmp_path / "out", planted, clusterers=clusterers, plugins=[hostile])
    page = open_page(documented(run))

    assert "raising" in page.locator("#failures").inner_text()
    page.locator(".thumbnail button").first.click()
    assert "louvain" in page.get_by_role("combobox", name="Method").first.inner_text()
