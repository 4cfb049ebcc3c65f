"""The data of a page on real runs: complete, of the page's form, and nothing that is no JSON."""

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import harness
from support import PLUGINS, REPOSITORY
from support.report_data import sample_report
from support.runs import small_run

Document = dict[str, Any]
Documented = Callable[..., Document]


@pytest.fixture(scope="module")
def deep_page(deep: Path, documented: Documented) -> Document:
    return documented(harness.open_run(deep))


def records(page: Document) -> list[dict[str, str]]:
    """Every method that a page names."""
    found = [*page["curves"], *page["effects"], *page["pvalues"]]
    if page["layers"]:
        found += [*page["layers"]["figures"], *page["layers"]["depth"]]
    return [*(each["method"] for each in found), *page["gallery"]["methods"]]


def decoded(text: str, kind: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def fields(data: Any) -> Iterator[str]:
    """The names of all fields, but those of records that are called by names of the run."""
    if isinstance(data, list):
        for each in data:
            yield from fields(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            yield name
            if name not in ("glossary", "method", "methods"):
                yield from fields(value)


def test_it_is_json_without_nan(deep_page: Document) -> None:
    assert json.loads(json.dumps(deep_page, allow_nan=False)) == json.loads(json.dumps(deep_page))


def test_it_has_the_fields_that_the_page_reads(deep_page: Document) -> None:
    text = (REPOSITORY / "harness/views/report/web/src/data.ts").read_text("utf-8")
    known = set(re.findall(r"(\w+)\??:", text))
    report = re.search(r"interface Report \{(.*?)\n\}", text, re.DOTALL)
    assert report is not None
    wanted = set(re.findall(r"^  (\w+):", report[1], re.MULTILINE))

    for data in (deep_page, sample_report(1)):
        assert set(data) == wanted
        assert set(fields(data)) <= known


def test_every_column_is_explained(deep_page: Document) -> None:
    for name in ("leaderboard", "heads", "tests"):
        for column in deep_page[name]["columns"]:
            if not column.get("hidden"):
                assert deep_page["glossary"][column["name"]]["text"]


def test_rows_have_a_cell_for_each_column(deep_page: Document) -> None:
    for name in ("leaderboard", "heads", "tests"):
        table = deep_page[name]
        assert table["rows"]
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}


def test_the_leaderboard_has_the_figures_of_the_run(deep: Path, deep_page: Document) -> None:
    table = deep_page["leaderboard"]
    names = [column["name"] for column in table["columns"]]
    run = harness.open_run(deep).leaderboard()

    for cells, row in zip(table["rows"], run.rows, strict=True):
        found = dict(zip(names, cells, strict=True))
        assert found["clusterer"] == row.method.clusterer
        assert found["effect"] == pytest.approx(row.effect, rel=1e-5)
        assert (found["effect_low"], found["effect_high"]) == pytest.approx(
            (row.effect_low, row.effect_high), rel=1e-5
        )
        assert (found["significant"], found["ok"], found["total"]) == (
            row.significant,
            row.ok,
            row.total,
        )


def test_methods_have_one_name_everywhere(deep_page: Document) -> None:
    clusterers = {each["clusterer"] for each in deep_page["gallery"]["methods"]}
    sweeps = [
        sweep
        for image in deep_page["gallery"]["images"]
        for found in image["maps"]
        for sweep in found["sweeps"]
    ]

    assert clusterers == {"louvain", "infomap"}
    assert {each["clusterer"] for each in records(deep_page)} == clusterers
    assert {sweep["clusterer"] for sweep in sweeps} == clusterers
    assert {each["selector"] for sweep in sweeps for each in sweep["selections"]} == {
        each["selector"] for each in deep_page["gallery"]["methods"]
    }


def test_layers_and_heads_are_those_of_the_model(deep: Path, deep_page: Document) -> None:
    layers = deep_page["layers"]
    rows = harness.open_run(deep).head_rows().rows

    assert (layers["layers"], layers["heads"]) == ([0, 1, 2], [0, 1])
    for figure in (each for each in layers["figures"] if each["name"] == "effect"):
        of = {
            (row.layer, row.head): row.effect
            for row in rows
            if (row.method.clusterer, row.method.selector)
            == (figure["method"]["clusterer"], figure["method"]["selector"])
        }
        for layer, values in zip(layers["layers"], figure["values"], strict=True):
            for head, value in zip(layers["heads"], values, strict=True):
                assert value == pytest.approx(of[layer, head], rel=1e-5)


def test_colours_and_targets_are_bytes_for_each_patch(deep_page: Document) -> None:
    for image in deep_page["gallery"]["images"]:
        for found in image["maps"]:
            nodes, attention = found["nodes"], found["attention"]
            assert found["grid"] == (4, 6)
            targets = decoded(attention["targets"], "<u2").reshape(nodes, attention["top"])
            weights = decoded(attention["weights"], "u1").reshape(nodes, attention["top"])
            assert targets.max() < nodes
            assert (weights[:, 0] == 255).all()
            for sweep in found["sweeps"]:
                colours = decoded(sweep["colours"], "u1").reshape(len(sweep["levels"]), nodes)
                for level, count in zip(colours, sweep["clusters"], strict=True):
                    assert len(set(level.tolist()) - {255}) == count


def test_a_page_of_one_run_names_no_run(deep_page: Document) -> None:
    assert deep_page["title"] == "out"
    assert deep_page["comparison"] is None
    assert not any("run" in each for each in records(deep_page))


def test_two_runs_are_compared_and_named(
    deep: Path, tmp_path: Path, documented: Documented
) -> None:
    other = harness.open_run(shutil.copytree(deep, tmp_path / "other"))

    page = documented(harness.open_run(deep), other)

    assert page["title"] == "out and other"
    assert page["comparison"]["names"] == ["out", "other"]
    assert page["comparison"]["table"]["rows"]
    assert "The runs are the same" in page["comparison"]["notes"][0]
    assert {each["run"] for each in records(page)} == {"out", "other"}
    assert {image["run"] for image in page["gallery"]["images"]} == {"out", "other"}
    assert len(page["provenance"]) == 2


def test_what_holds_for_all_runs_is_said_once_and_what_does_not_names_its_run(
    deep: Path, planted: Path, tmp_path: Path, documented: Documented
) -> None:
    other = small_run(tmp_path / "other", planted)

    limits = documented(harness.open_run(deep), other)["limits"]

    (shared,) = (each for each in limits if "need not be objects" in each)
    assert shared.startswith("Clusters that stand out")
    assert [each for each in limits if "Heads of one image" in each] == [
        "out: Heads of one image are no independent evidence, so intervals are over images."
    ]


def test_a_run_without_a_control_says_so(
    planted: Path, tmp_path: Path, documented: Documented
) -> None:
    page = documented(small_run(tmp_path / "out", planted))

    assert page["limits"][0].startswith("No control was drawn")
    assert page["tests"]["rows"] == page["pvalues"] == []
    assert {each["figure"] for each in page["effects"]} == {"modularity"}


def test_a_run_in_which_all_failed_has_a_page(
    planted: Path, tmp_path: Path, hostile: Path, documented: Documented
) -> None:
    page = documented(small_run(tmp_path / "out", planted, clusterers="raising", plugins=[hostile]))

    assert page["answer"] == ["No method has a result; the failures below say why."]
    assert [group["count"] for group in page["failures"]] == [3]
    assert page["curves"] == []
    assert all(each["maps"][0]["sweeps"] == [] for each in page["gallery"]["images"])


def test_an_image_that_has_changed_has_no_picture_and_the_note_says_why(
    tmp_path: Path, documented: Documented
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(("kept", "changed")):
        pixels = np.full((20, 30, 3), 90 * number, np.uint8)
        Image.fromarray(pixels).save(photos / f"{name}.png")
    run = small_run(
        tmp_path / "out",
        images=f"folder[path={photos}]",
        extractors="deep",
        plugins=[PLUGINS / "deep.py"],
    )
    Image.fromarray(np.full((20, 30, 3), 7, np.uint8)).save(photos / "changed.png")

    page = documented(run)

    images = {image["name"]: image for image in page["gallery"]["images"]}
    assert images["kept.png"]["picture"].startswith("data:image/png;base64,")
    assert (images["kept.png"]["width"], images["kept.png"]["height"]) == (30, 20)
    assert images["changed.png"]["picture"] is None
    assert "not those of the run" in images["changed.png"]["note"]
    assert "No picture of 1 image" in page["gallery"]["note"]


def test_a_score_has_a_table(planted: Path, tmp_path: Path, documented: Documented) -> None:
    run = small_run(tmp_path / "out", planted, controls="permuted-rows", nulls=2)
    run.score("conductance")

    scores = documented(run)["scores"]

    names = [column["name"] for column in scores["columns"]]
    (row,) = (dict(zip(names, cells, strict=True)) for cells in scores["rows"])
    (expected,) = run.leaderboard().rows[0].scores
    assert row["score"] == "conductance"
    assert row["value"] == pytest.approx(expected.value, rel=1e-5)
    assert "A smaller conductance is better." in scores["note"]


def test_the_comparison_has_the_figures_of_the_paired_runs(
    deep: Path, tmp_path: Path, planted: Path, documented: Documented
) -> None:
    one = small_run(tmp_path / "one", planted, selectors="fixed[level=0]")
    other = small_run(tmp_path / "other", planted, selectors="fixed[level=0.5]")

    table = documented(one, other)["comparison"]["table"]

    names = [column["name"] for column in table["columns"]]
    rows = {row[names.index("metric")]: dict(zip(names, row, strict=True)) for row in table["rows"]}
    (method,) = one.compare(other).methods
    expected = next(each for each in method.metrics if each.metric == "modularity")
    for name, figure in (
        ("pairs", expected.pairs),
        ("first", expected.first),
        ("second", expected.second),
        ("change", expected.difference),
        ("change_low", expected.low),
        ("better", expected.wins),
    ):
        assert rows["Q"][name] == pytest.approx(figure, rel=1e-5)


def test_images_of_a_plugin_that_is_gone_have_no_picture(
    tmp_path: Path, documented: Documented
) -> None:
    plugin = Path(shutil.copy(PLUGINS / "centred.py", tmp_path / "centred.py"))
    run = small_run(
        tmp_path / "out", images="banners", extractors="centre-square", plugins=[plugin]
    )
    plugin.unlink()

    images = documented(run)["gallery"]["images"]

    assert images
    for image in images:
        assert image["picture"] is None
        assert "banners" in image["note"]
        assert image["maps"][0]["region"]
