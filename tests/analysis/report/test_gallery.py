"""The images of a report, and what is shown of each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import harness
from harness.analysis.outcomes import outcomes
from harness.analysis.report import gallery as module
from harness.analysis.report.contents import RunReport
from harness.analysis.report.gallery import ShownMap, gallery
from harness.errors import HarnessError
from harness.metrics.partition import drop_singletons
from support import PLUGINS
from support.runs import small_run


@pytest.fixture(scope="module")
def first_map(deep_report: RunReport) -> ShownMap:
    return deep_report.gallery.images[0].maps[0]


def test_images_are_ordered_by_their_mean_effect(deep: Path, deep_report: RunReport) -> None:
    shown = deep_report.gallery.images
    scores = [image.score for image in shown]

    assert scores == sorted(scores, reverse=True)
    assert deep_report.gallery.of_images == len(shown) == 3
    assert [image.picture for image in shown] == [
        f"{image.image_set} {image.image}" for image in shown
    ]


def test_where_there_is_room_all_maps_are_shown(deep_report: RunReport) -> None:
    found = deep_report.gallery

    assert (found.maps, found.of_maps) == (6, 6)
    assert [len(image.maps) for image in found.images] == [6, 6, 6]


def test_of_many_maps_some_are_shown_evenly_by_their_effect(
    deep: Path, reported: Callable[..., RunReport]
) -> None:
    found = reported(deep, budget=1).gallery

    assert (found.maps, found.of_maps) == (module.FEW_MAPS, 6)
    (image,) = found.images
    layers = [each.layer for each in image.maps]
    assert len(layers) == module.FEW_MAPS
    # Layer 0 is noise.
    assert layers[0] > 0
    assert layers[-1] == 0


def test_less_room_shows_fewer_images_the_first_and_the_last_among_them(
    deep: Path, deep_report: RunReport, reported: Callable[..., RunReport]
) -> None:
    of_one = module.PHOTO * 1.4

    found = reported(deep, budget=int(2 * of_one)).gallery

    shown = [image.image for image in deep_report.gallery.images]
    assert [image.image for image in found.images] == [shown[0], shown[-1]]
    assert found.of_images == 3


def test_at_least_one_image_is_shown(deep: Path, reported: Callable[..., RunReport]) -> None:
    assert len(reported(deep, budget=1).gallery.images) == 1


def test_figures_and_clusters_are_those_of_the_points(
    deep: Path, deep_report: RunReport, first_map: ShownMap
) -> None:
    points = (
        harness.open_run(deep)
        .points()
        .query("role == 'observed' and layer == @first_map.layer and head == @first_map.head")
    )
    points = points[points["image"] == deep_report.gallery.images[0].image]

    for sweep in first_map.sweeps:
        of = points[points["clusterer"] == sweep.method.clusterer]
        for name in ("level", "threshold", "modularity", "n_clusters", "coverage"):
            assert sweep.figures[name].tolist() == of[name].tolist()
        for numbers, labels in zip(sweep.numbers, of["labels"], strict=True):
            assert adjusted_rand_score(numbers, drop_singletons(labels)) == 1


def test_noise_is_that_of_the_image(deep: Path, deep_report: RunReport) -> None:
    image = deep_report.gallery.images[0]
    points = harness.open_run(deep).points().query("role == 'control' and image == @image.image")

    for shown in image.maps:
        for sweep in shown.sweeps:
            (noise,) = sweep.noise
            of = points.query(
                "clusterer == @sweep.method.clusterer and layer == @shown.layer "
                "and head == @shown.head"
            ).groupby("point")["modularity"]
            assert np.allclose(noise.modularity, of.mean())
            assert np.allclose(noise.highest, of.max())


def test_selections_have_their_plateau_tests_and_stabilities(
    deep: Path, deep_report: RunReport
) -> None:
    run = harness.open_run(deep)
    selections = run.selections().set_index(["cell", "selector"])
    stabilities = run.stabilities().groupby(["cell", "selector"])

    for image in deep_report.gallery.images:
        for each in (
            one for shown in image.maps for sweep in shown.sweeps for one in sweep.selections
        ):
            key = each.outcome.cell, each.outcome.method.selector
            row = selections.loc[key]
            assert each.outcome.candidate == row["candidate"]
            assert each.plateau is None or each.plateau[0] == row["plateau_first"]
            kinds = set(stabilities.get_group(key)["kind"]) if key in stabilities.groups else set()
            assert set(each.stabilities) == kinds
            assert set(each.outcome.tests) == {"uniform-noise"}


def test_targets_are_the_strongest_of_each_patch(deep: Path, deep_report: RunReport) -> None:
    run = harness.open_run(deep)
    image = deep_report.gallery.images[0]
    shown = image.maps[0]
    report = run.image_report(image.image, {"layer": shown.layer, "head": shown.head})
    (weights,) = run.weights(report, alone=True).values()

    assert shown.targets is not None
    for row, patches, found in zip(
        weights, shown.targets.patches, shown.targets.weights, strict=True
    ):
        assert found.tolist() == sorted(row.tolist(), reverse=True)[: module.TARGETS]
        assert row[patches].tolist() == found.tolist()


def test_a_picture_that_cannot_be_had_is_missing_with_the_reason(deep: Path) -> None:
    def refuse(image_set: str, image: str) -> str:
        raise HarnessError(f"{image}: gone")

    run = harness.open_run(deep)
    found = run._read(lambda store: gallery(store, outcomes(store), refuse))

    for image in found.images:
        assert (image.picture, image.missing) == ("", f"{image.image}: gone")
        assert image.maps


def test_stored_maps_have_neither_size_nor_picture(
    planted: Path, tmp_path: Path, reported: Callable[..., RunReport]
) -> None:
    run = small_run(tmp_path / "out", planted)

    for image in reported(run.folder).gallery.images:
        assert (image.size, image.picture, image.missing) == (None, "", "")
        assert [each.grid for each in image.maps] == [None]


def test_a_map_whose_file_is_lost_has_no_targets(
    planted: Path, tmp_path: Path, reported: Callable[..., RunReport]
) -> None:
    run = small_run(tmp_path / "out", planted)
    for path in (run.folder / "maps").iterdir():
        path.unlink()

    for image in reported(run.folder).gallery.images:
        assert [each.targets for each in image.maps] == [None]
        assert image.maps[0].sweeps


def test_images_without_a_result_come_last(
    planted: Path, tmp_path: Path, reported: Callable[..., RunReport]
) -> None:
    np.save(planted / "a-wrong.npy", np.full((4, 4), np.nan))
    run = small_run(tmp_path / "out", planted)

    *_, last = reported(run.folder).gallery.images

    assert (last.image, last.score, last.maps) == ("a-wrong", None, ())


def test_a_map_of_a_part_of_its_image_has_its_region(
    tmp_path: Path, reported: Callable[..., RunReport]
) -> None:
    run = small_run(
        tmp_path / "out",
        images="banners",
        extractors="centre-square",
        plugins=[PLUGINS / "centred.py"],
    )

    for image in reported(run.folder).gallery.images:
        assert image.size is not None
        height, width = image.size
        side = min(height, width)
        for shown in image.maps:
            assert shown.region == ((height - side) / 2, (width - side) / 2, side, side)
