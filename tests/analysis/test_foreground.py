from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

import harness
from harness.analysis.foreground import Excluded, ForegroundAgreement
from harness.analysis.masks import BrightnessThreshold, Masks
from harness.errors import HarnessError
from support.runs import small_run

FIXED, NEVER = "fixed[level=0.6]", "stable-phase[minimum_length=50,beyond_noise=false]"
GRID = 14
SAMPLE = "fashion-mnist-sample[count=6]"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run of two heads on six images; one selector accepts every level, one none."""
    return small_run(
        tmp_path_factory.mktemp("foreground") / "out",
        images=SAMPLE,
        extractors="one-layer-vit[checkpoint=fashion-mnist-twelve-heads,heads=[[0,3]]]",
        selectors=[FIXED, NEVER],
    )


@pytest.fixture(scope="module")
def found(run: harness.Run) -> ForegroundAgreement:
    return run.foreground(BrightnessThreshold(0))


def pixels_of(key: str) -> np.ndarray:
    return harness.make("image set", SAMPLE).load(key).pixels


def test_every_map_is_compared_with_its_own_image(
    run: harness.Run, found: ForegroundAgreement
) -> None:
    measured = [each for each in found.maps if each.method.selector == FIXED]
    assert len(measured) == 12
    for each in measured:
        side = GRID
        # Patches are whole pixels here, so that means over them are plain ones.
        bright = (pixels_of(each.image) > 0).reshape(side, 28 // side, side, 28 // side)
        patches = bright.mean(axis=(1, 3)).ravel() >= 0.5
        place = f"louvain@selector=fixed,head={each.head}"
        labels = run.partition(each.image, place).labels
        assert (labels >= 0).all()
        assert each.clusters.ami == pytest.approx(adjusted_mutual_info_score(patches, labels))
        assert each.foreground == patches.mean()


def test_a_methods_figure_is_the_mean_over_images_of_means_over_heads(
    found: ForegroundAgreement,
) -> None:
    method = found.methods[0]
    by_image: dict[str, list[float]] = {}
    for each in found.maps:
        if each.clusters is not None:
            by_image.setdefault(each.image, []).append(each.clusters.ami)
    assert method.figure("ami").mean.mean == pytest.approx(
        np.mean([np.mean(v) for v in by_image.values()])
    )
    assert (method.images, method.counted, method.failed) == (6, 12, 0)


def test_differences_from_a_baseline_are_paired(found: ForegroundAgreement) -> None:
    for figure in found.methods[0].figures:
        names = [each.name for each in figure.baselines]
        assert names == ["spatial_blocks", "pixel_kmeans", "chance"]
        for each in figure.baselines:
            assert each.difference.mean == pytest.approx(figure.mean.mean - each.mean.mean)
            assert each.difference.low <= each.difference.mean <= each.difference.high


def test_a_row_has_the_clusters_figures_and_those_of_the_baselines_under_their_names(
    found: ForegroundAgreement,
) -> None:
    for each in found.maps:
        row = each.row()
        assert row["image"] == each.image
        assert row["ari"] == (each.clusters and each.clusters.ari)
        assert row["chance_union_iou"] == (each.chance and each.chance.union_iou)
    assert len({tuple(each.row()) for each in found.maps}) == 1


def test_foreground_fractions_of_salient_clusters_lie_on_both_sides_of_the_images(
    found: ForegroundAgreement,
) -> None:
    for each in found.maps:
        if each.n_clusters == 2 and each.coverage == 1:
            shares = sorted([each.most_salient, each.least_salient])
            bright = (pixels_of(each.image) > 0).mean()
            assert shares[0] <= bright <= shares[1]


def test_levels_that_were_not_accepted_are_counted_apart(found: ForegroundAgreement) -> None:
    method = next(each for each in found.methods if each.method.selector == NEVER)
    assert (method.images, method.counted, method.not_accepted) == (0, 0, 12)
    assert (method.n_clusters, method.figures, method.salient) == (None, (), None)


def test_levels_that_were_not_accepted_count_when_asked_for(run: harness.Run) -> None:
    found = run.foreground(BrightnessThreshold(0), candidates=True)
    assert [method.counted for method in found.methods] == [12, 12]


def test_images_that_are_all_background_are_counted_apart(run: harness.Run) -> None:
    found = run.foreground(BrightnessThreshold(254))
    method = found.methods[0]
    assert method.undefined > 0
    assert method.counted + method.undefined == 12
    assert {each.reason for each in found.maps if each.clusters is None} == {
        "no patch is foreground",
        "no level was accepted",
    }
    (excluded,) = found.excluded
    assert excluded.what == "images in which no patch is foreground"
    assert len(excluded.names) == method.undefined / 2


def test_maps_without_images_are_refused(planted_maps: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted_maps, selectors=FIXED)
    with pytest.raises(HarnessError, match=r"its map comes from arrays.*, not an image"):
        run.foreground(BrightnessThreshold(0))


def drawn_masks(folder: Path, **changes: np.ndarray | None) -> Masks:
    """Masks of the bright pixels, except of some images; None is no mask."""
    for key in harness.make("image set", SAMPLE).keys():
        pixels = changes.get(key.partition("-")[0], 255 * (pixels_of(key)[:, :, 0] > 0))
        if pixels is not None:
            Pictures.fromarray(pixels.astype(np.uint8)).save(folder / f"{key}.png")
    return Masks(harness.make("image set", f"folder[path={folder}]"), "drawn")


def test_masks_that_do_not_match_are_listed_and_the_other_images_count(
    run: harness.Run, found: ForegroundAgreement, tmp_path: Path
) -> None:
    keys = [each.image for each in found.maps if each.method.selector == FIXED][::2]
    without, wrong, empty = (key.partition("-")[0] for key in keys[:3])
    masks = drawn_masks(
        tmp_path, **{without: None, wrong: np.ones((5, 6)), empty: np.zeros((28, 28))}
    )
    (tmp_path / f"{keys[3]}.png").write_text("no picture")
    Pictures.new("L", (28, 28)).save(tmp_path / "stranger.png")

    measured = run.foreground(masks)

    assert set(measured.excluded) == {
        Excluded("images without a mask", (keys[0],)),
        Excluded("masks of another size than their image", (f"{keys[1]}.png",)),
        Excluded("images in which no patch is foreground", (keys[2],)),
        Excluded("masks that cannot be read", (f"{keys[3]}.png",)),
        Excluded("masks without an image", ("stranger.png",)),
    }
    method = measured.methods[0]
    assert (method.counted, method.unmatched, method.undefined) == (4, 6, 2)
    of_others = [each for each in found.maps if each.image in keys[4:]]
    assert [each for each in measured.maps if each.image in keys[4:]] == of_others
    assert measured.maps[0].reason == f"drawn: there is no mask {keys[0]}.png for {keys[0]}"


def test_a_run_none_of_whose_images_has_a_usable_mask_is_refused(
    run: harness.Run, tmp_path: Path
) -> None:
    Pictures.new("L", (28, 28)).save(tmp_path / "stranger.png")
    masks = Masks(harness.make("image set", f"folder[path={tmp_path}]"), "drawn")

    with pytest.raises(
        HarnessError,
        match=r"^masks in drawn: no image of the run has a mask that can be used: images without a "
        r"mask \(6\): .* and 3 more; masks without an image \(1\): stranger\.png; a mask is "
        r"named like its image: KEY\.png$",
    ):
        run.foreground(masks)


def test_several_objects_are_told_apart(run: harness.Run, tmp_path: Path) -> None:
    for key in harness.make("image set", SAMPLE).keys():
        pixels = np.zeros((28, 28), dtype=np.uint8)
        pixels[4:24, :14], pixels[4:24, 14:] = 3, 9
        Pictures.fromarray(pixels).save(tmp_path / f"{key}.png")
    images = harness.make("image set", f"folder[path={tmp_path},as_labels=true]")

    one, several = (run.foreground(Masks(images, "drawn", each)).maps[0] for each in (False, True))

    assert (one.n_objects, several.n_objects) == (1, 2)
    assert one.foreground == several.foreground
    assert one.clusters.union_iou == several.clusters.union_iou
    labels = run.partition(several.image, f"louvain@selector=fixed,head={several.head}").labels
    truth = np.zeros((14, 14), dtype=int)
    truth[2:12, :7], truth[2:12, 7:] = 3, 9
    assert several.clusters.ari == pytest.approx(adjusted_rand_score(truth.ravel(), labels))
