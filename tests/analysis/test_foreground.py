from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from sklearn.metrics import adjusted_mutual_info_score

import harness
from harness.analysis.foreground import BrightnessThreshold, ForegroundAgreement, Masks
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
        extractors="one-layer-vit[checkpoint=twelve-heads,heads=[[0,3]]]",
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
        assert each.ami == pytest.approx(adjusted_mutual_info_score(patches, labels))
        assert each.foreground == patches.mean()


def test_a_methods_figure_is_the_mean_over_images_of_means_over_heads(
    found: ForegroundAgreement,
) -> None:
    method = found.methods[0]
    by_image: dict[str, list[float]] = {}
    for each in found.maps:
        if each.ami is not None:
            by_image.setdefault(each.image, []).append(each.ami)
    assert method.ami.mean == pytest.approx(np.mean([np.mean(v) for v in by_image.values()]))
    assert (method.images, method.counted, method.failed) == (6, 12, 0)


def test_differences_from_a_baseline_are_paired(found: ForegroundAgreement) -> None:
    method = found.methods[0]
    assert [each.name for each in method.baselines] == ["spatial_blocks", "pixel_kmeans"]
    for each in method.baselines:
        assert each.difference.mean == pytest.approx(method.ami.mean - each.ami.mean)
        assert each.difference.low <= each.difference.mean <= each.difference.high


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
    assert (method.ami, method.baselines, method.salient) == (None, (), None)


def test_levels_that_were_not_accepted_count_when_asked_for(run: harness.Run) -> None:
    found = run.foreground(BrightnessThreshold(0), candidates=True)
    assert [method.counted for method in found.methods] == [12, 12]


def test_images_that_are_all_background_are_counted_apart(run: harness.Run) -> None:
    found = run.foreground(BrightnessThreshold(254))
    method = found.methods[0]
    assert method.undefined > 0
    assert method.counted + method.undefined == 12
    assert {each.reason for each in found.maps if each.ami is None} == {
        "no patch is foreground",
        "no level was accepted",
    }


def test_maps_without_images_are_refused(planted_maps: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted_maps, selectors=FIXED)
    with pytest.raises(HarnessError, match=r"its map comes from arrays.*, not an image"):
        run.foreground(BrightnessThreshold(0))


def masks(folder: Path, **drawn: np.ndarray) -> Masks:
    for name, pixels in drawn.items():
        Pictures.fromarray(pixels).save(folder / f"{name}.png")
    return Masks(harness.make("image set", f"folder[path={folder}]"), "drawn")


def image(key: str, pixels: np.ndarray) -> harness.Image:
    return harness.Image(key, pixels.astype(np.uint8))


def test_brighter_pixels_are_foreground() -> None:
    pixels = np.array([[0, 1, 9], [10, 11, 255]])[:, :, None]
    assert BrightnessThreshold(0).mask(image("a", pixels)).tolist() == [
        [False, True, True],
        [True] * 3,
    ]
    assert BrightnessThreshold(10).mask(image("a", pixels)).tolist() == [
        [False] * 3,
        [False, True, True],
    ]


def test_brightness_defines_no_foreground_in_a_colour_image() -> None:
    with pytest.raises(
        HarnessError, match=r"a\.jpg: brightness defines no foreground in a colour image"
    ):
        BrightnessThreshold(0).mask(image("a.jpg", np.ones((2, 2, 3))))


@pytest.mark.parametrize("value", [-1, 255])
def test_a_brightness_that_no_pixel_or_every_pixel_has_is_refused(value: int) -> None:
    with pytest.raises(HarnessError, match=rf"from 0 to 254, not {value}"):
        BrightnessThreshold(value)


@pytest.mark.parametrize("key", ["rose", "rose.jpg"])
def test_pixels_that_are_not_black_in_the_mask_of_that_name_are_foreground(
    tmp_path: Path, key: str
) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    drawn[1, 2] = 1
    found = masks(tmp_path, rose=drawn).mask(image(key, np.zeros((2, 3, 3))))
    assert found.tolist() == (drawn > 0).tolist()


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(HarnessError, match=r"drawn: there is no mask tulip\.png for tulip"):
        masks(tmp_path, rose=drawn).mask(image("tulip", np.zeros((2, 3, 1))))


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(HarnessError, match=r"rose\.png is 2×3 pixels, its image 3×2"):
        masks(tmp_path, rose=drawn).mask(image("rose", np.zeros((3, 2, 1))))
