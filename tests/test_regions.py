"""Where on its image a map's grid lies, from the extractor to those who read a run."""

from pathlib import Path
from typing import Any

import pytest

import harness
from harness.analysis.inputs import attention_of
from harness.analysis.masks import BrightnessThreshold
from harness.cli.main import main
from harness.store import open_for_reading
from support import PLUGINS
from support.runs import small_run

PLUGIN = PLUGINS / "centred.py"
# The centre squares of 24×61 and 61×24 pixels.
REGIONS = {"wide": (0.0, 18.5, 24.0, 24.0), "tall": (18.5, 0.0, 24.0, 24.0)}


def run_of(out: Path, **more: Any) -> harness.Run:
    given = {
        "images": "banners",
        "extractors": "centre-square",
        "graphs": "needs-region",
        "controls": "uniform-noise,permuted-rows",
        "perturbations": "log-jitter",
        "stability_draws": 1,
        "nulls": 2,
        "levels": 2,
        "plugins": [PLUGIN],
    }
    return small_run(out, **{**given, **more})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return run_of(tmp_path_factory.mktemp("regions") / "out")


def test_every_cell_sees_the_region_perturbed_and_control_ones_too(run: harness.Run) -> None:
    cells = run.cells()

    assert set(cells["status"]) == {"ok"}
    assert set(cells["role"]) == {"observed", "control", "perturbation"}


def test_maps_and_both_kinds_of_controls_keep_the_region_of_their_image(run: harness.Run) -> None:
    with open_for_reading(run.folder) as store:
        maps = store.maps()
        planned = store.connection.execute("SELECT DISTINCT image, control, map FROM planned")
        found = {(image, control): maps[key].region for image, control, key in planned}

    assert {control.partition("[")[0] for _, control in found} == {
        "", "uniform-noise", "permuted-rows", "log-jitter",
    }  # fmt: skip
    for (image, _), region in found.items():
        assert region == REGIONS[image]


def test_the_tables_have_the_region(run: harness.Run) -> None:
    assert run.image_report("wide").region == REGIONS["wide"]
    with open_for_reading(run.folder) as store:
        query = "SELECT map FROM planned WHERE role = 'observed' AND image = 'tall'"
        (key,) = store.connection.execute(query).fetchone()
        assert attention_of(store, key, "tall").region == REGIONS["tall"]


def test_the_foreground_is_that_of_the_region(run: harness.Run) -> None:
    found = run.foreground(BrightnessThreshold(0), [PLUGIN], candidates=True)

    # Clusters and foreground are the two sides; over the whole image nothing like that is there.
    # One region begins in the middle of a pixel.
    assert [each.clusters.best_iou for each in found.maps] == pytest.approx([11.5 / 12.5, 1.0])
    assert [each.clusters.ami for each in found.maps] == pytest.approx([1.0, 1.0])
    assert [each.foreground for each in found.maps] == [0.5, 0.5]
    assert [each.pixel_kmeans.ami for each in found.maps] == pytest.approx([1.0, 1.0])


def test_an_image_is_refused_if_its_region_leaves_it_and_the_others_are_computed(
    tmp_path: Path,
) -> None:
    run = run_of(
        tmp_path / "out", extractors="centre-square[wrong=tall]", controls="none",
        perturbations="none",
    )  # fmt: skip
    cells = run.cells().set_index("image")

    assert cells["status"].to_dict() == {"wide": "ok", "tall": "skipped"}
    assert cells["reason"]["tall"].endswith(
        "centre-square[wrong=tall] gave 'tall' a map of a region that is not within its 61×24 "
        "pixels: 24×24 pixels from (18.5, 1)"
    )


def test_equal_weights_of_two_regions_are_two_maps(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "out", extractors="twins", controls="permuted-rows", perturbations="none"
    )

    assert run.image_report("left").region == (0.0, 0.0, 4.0, 6.0)
    assert run.image_report("right").region == (0.0, 1 / 3, 4.0, 6.0)
    assert set(run.cells()["status"]) == {"ok"}


def test_an_image_is_shown_with_its_region(
    run: harness.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["show", str(run.folder), "wide", "--plugin", str(PLUGIN), "--out", str(tmp_path / "x")]
    )

    assert code == 0
    assert "grid of 4×6 over 24×24 pixels from (0, 18)" in capsys.readouterr().out
    names = {path.stem for path in (tmp_path / "x").glob("*.png")}
    assert {name.rpartition("@")[2] for name in names} == {
        "profile",
        "overlay-louvain",
        "panels-louvain",
        "query",
    }


@pytest.mark.slow
def test_cells_on_dask_see_the_region(tmp_path: Path) -> None:
    run = run_of(tmp_path / "out", dask="local", isolation="process", perturbations="none")

    assert set(run.cells()["status"]) == {"ok"}
