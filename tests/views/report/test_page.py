"""The report's page in a real browser."""

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.views.report.html import html
from support.browser import watch
from support.report_data import CONTROLS, HOSTILE, LEVELS, sample_report
from support.report_page import column, figure, heading_of
from support.runs import small_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow

Opener = Callable[..., "Page"]


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


def test_the_answer_comes_first(page: "Page", sample: dict[str, Any]) -> None:
    headings = page.locator("main h2:visible").all_inner_texts()

    assert page.locator("main p").first.inner_text() == sample["answer"][0]
    assert headings[:3] == ["Answer", "What was compared", "What this does not show"]


def test_a_section_without_data_is_not_there(open_page: Opener, sample: dict[str, Any]) -> None:
    bare = {**sample, "failures": [], "comparison": None, "layers": None, "curves": []}

    headings = open_page(bare).locator("main h2:visible").all_inner_texts()

    assert not {"Failures", "Comparison", "Layers and heads", "Curves"} & set(headings)


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


def test_the_gallery_says_where_the_selector_accepts_no_structure(page: "Page") -> None:
    captions = page.locator(".thumbnail figcaption")
    assert not any("not accepted" in each for each in captions.all_inner_texts())

    page.get_by_role("combobox", name="Clusters of").select_option(label="louvain · max-modularity")

    assert all(each.endswith("not accepted") for each in captions.all_inner_texts())


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


def test_an_image_without_any_clusters_does_not_open(
    open_page: Opener, sample: dict[str, Any]
) -> None:
    report = copy.deepcopy(sample)
    report["gallery"]["images"][0]["maps"][0]["sweeps"] = []
    report["gallery"]["images"][1]["maps"] = []

    buttons = open_page(report).locator(".thumbnail button")

    assert [each.is_disabled() for each in buttons.all()] == [True, True, *[False] * 4]


def test_a_press_beside_the_dialog_closes_it(opened: "Locator") -> None:
    opened.page.mouse.click(4, 450)

    assert not opened.is_visible()


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
