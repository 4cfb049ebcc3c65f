"""A report's sentences say what the tests found, and no more."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.analysis.report.contents import RunReport, run_report
from harness.store import open_for_writing
from harness.views.report import sentences
from harness.views.report.values import Labels
from support.maps import planted_weights
from support.runs import small_run

Report = Callable[..., RunReport]
PLAIN = Labels({})


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a run on so many planted maps and uniform ones, where nothing is found."""

    def make(planted: int, uniform: int, **changes: Any) -> RunReport:
        maps = tmp_path_factory.mktemp("sentences")
        for number in range(planted):
            np.save(maps / f"planted-{number}.npy", planted_weights(number, n=16, signal=4))
        for number in range(uniform):
            np.save(maps / f"uniform-{number}.npy", np.full((16, 16), (number + 1) / 16))
        settings: Mapping[str, Any] = {
            "controls": "permuted-rows",
            "selectors": "fixed[level=0.5]",
            "nulls": 60,
            **changes,
        }
        run = small_run(maps / "out", maps, **settings)
        return run._read(run_report, lambda image_set, image: "")

    return make


def test_the_answer_begins_with_the_maps_on_which_a_method_stands_out(report_of: Report) -> None:
    report = report_of(3, 1)
    (row,) = report.board.rows

    first, second, *_ = sentences.answer(report, PLAIN)

    assert row.significant == 3
    assert first == "The clusters of louvain stand out from permuted-rows on 3 of 4 maps."
    assert second.startswith(f"The modularity of louvain's clusters is {row.effect:.3f} above ")


def test_where_nothing_stands_out_the_answer_says_so(report_of: Report) -> None:
    found = sentences.answer(report_of(0, 4), PLAIN)

    assert found[0] == "The clusters of louvain stand out from permuted-rows on none of 4 maps."
    assert "Nothing here is more than the control shows." in found


def test_too_few_draws_leave_it_open(report_of: Report) -> None:
    first, *_ = sentences.answer(report_of(3, 1, nulls=2), PLAIN)

    assert first.startswith("Whether the clusters of louvain stand out is open: ")
    assert "of permuted-rows are too few to tell" in first


def test_each_control_is_named_with_its_own_count(deep: Path) -> None:
    run = harness.open_run(deep)
    report = run._read(run_report, lambda image_set, image: "")
    row = report.board.rows[0]
    tests = tuple(
        replace(row.controls[0], control=control, significant=count)
        for control, count in (("one", 4), ("other", 0))
    )
    board = replace(
        report.board,
        comparisons=[replace(report.board.comparisons[0], rows=[replace(row, controls=tests)])],
        verdicts=[
            replace(each, control=control, nulls=None, reach=replace(each.reach, needed=1))
            for each in report.board.verdicts
            for control in ("one", "other")
        ],
    )

    first, *_ = sentences.answer(replace(report, board=board), PLAIN)

    assert first.endswith(f" stand out from one on 4 of {row.ok} maps and from other on none.")


def test_methods_that_tests_cannot_tell_apart_are_named_together(deep: Path) -> None:
    report = harness.open_run(deep)._read(run_report, lambda image_set, image: "")
    tiers = [row.tier for row in report.board.rows]

    found = sentences.answer(report, PLAIN)

    assert tiers.count(1) > 1
    (line,) = (each for each in found if each.startswith("Tests cannot tell "))
    assert "louvain" in line
    assert "infomap" in line


def test_what_was_compared_names_every_component_and_count(deep: Path) -> None:
    report = harness.open_run(deep)._read(run_report, lambda image_set, image: "")

    text = " ".join(sentences.compared(report, PLAIN))

    assert "Images: 3 images of noise[count=3]." in text
    assert "Attention: deep (3 layers, 6 maps of each image)." in text
    assert "Methods: louvain and infomap on graphs of threshold at 3 levels" in text
    assert "Noise: uniform-noise" in text


def test_an_unfinished_run_says_so_first(tmp_path: Path, planted: Path) -> None:
    run = small_run(tmp_path / "out", planted)
    with open_for_writing(run.folder) as store:
        store.delete_cells([run.cells()["cell"][0]])

    first, *_ = sentences.answer(run._read(run_report, lambda image_set, image: ""), PLAIN)

    assert first.startswith("The run is unfinished: 2 of 3 cells are computed")


def test_few_images_and_many_heads_are_limits(deep: Path) -> None:
    report = harness.open_run(deep)._read(run_report, lambda image_set, image: "")

    found = sentences.limits(report, PLAIN)

    assert any(each.startswith("3 images are few") for each in found)
    assert any("Heads of one image are no independent evidence" in each for each in found)


def test_caveats_of_controls_are_limits(report_of: Report) -> None:
    report = report_of(2, 0, controls="preserved-strengths", nulls=2)
    (caveat,) = report.board.caveats.values()

    assert f"preserved-strengths: {caveat}." in sentences.limits(report, PLAIN)


def test_tests_that_more_draws_would_settle_are_open(report_of: Report) -> None:
    report = report_of(2, 2, nulls=19)
    (verdict,) = report.board.verdicts

    first, second, *_ = sentences.answer(report, PLAIN)

    assert verdict.nulls is not None
    assert first.startswith("Whether the clusters of louvain stand out is open: ")
    assert f"--nulls {verdict.nulls} would settle it." in second


def test_many_methods_are_counted_not_listed(deep: Path) -> None:
    report = harness.open_run(deep)._read(run_report, lambda image_set, image: "")
    (comparison,) = report.board.comparisons
    row = replace(comparison.rows[0], tier=1)
    rows = [
        replace(row, method=row.method._replace(clusterer=f"method-{number}"))
        for number in range(20)
    ]
    board = replace(
        report.board,
        comparisons=[replace(comparison, rows=rows)],
        verdicts=[
            replace(each, nulls=None, reach=replace(each.reach, needed=1))
            for each in report.board.verdicts
        ],
    )

    found = sentences.answer(replace(report, board=board), PLAIN)

    assert sum(each.startswith("The clusters of method-") for each in found) == 4
    assert any(each.startswith("Of 16 other methods, ") for each in found)
    (line,) = (each for each in found if each.startswith("Tests cannot tell "))
    assert line.endswith("method-3 and 16 others apart.")
