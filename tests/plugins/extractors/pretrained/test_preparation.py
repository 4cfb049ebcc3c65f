import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.preparation import Preparation, preparation_of

MEAN, DEVIATION = np.array([0.5, 0.4, 0.3]), np.array([0.5, 0.25, 0.2])
Prepares = Callable[..., Preparation]


@pytest.fixture
def preparing(tiny: Callable[[str], Path]) -> Prepares:
    """Makes the preparation of a family's model, patches of 8 pixels."""

    def made(family: str, size: tuple[int, ...] | None = None, patch: int = 8) -> Preparation:
        return preparation_of(tiny(family), family, (patch, patch), 3, size)

    return made


def changed(folder: Path, **entries: Any) -> Path:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    return folder


def refused(folder: Path, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason) as caught:
        preparation_of(folder, "it", (8, 8), 3, None)
    assert "\n" not in str(caught.value)


def ramp(height: int, width: int) -> harness.Image:
    """An image whose pixels tell where they are: red grows downwards, green to the right."""
    rows, columns = np.mgrid[:height, :width]
    return harness.Image("ramp", np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8))


def shown(pixels: torch.Tensor) -> NDArray[np.float64]:
    """What was standardised, back as (height, width, 3) of 0 … 255."""
    standardised = pixels[0].permute(1, 2, 0).numpy().astype(np.float64)
    return (standardised * DEVIATION + MEAN) * 255


@pytest.mark.parametrize("family", ["vit", "dinov2"])
@pytest.mark.parametrize("size", [(50, 70), (70, 50), (36, 36), (20, 200), (9, 9), (51, 37)])
def test_pixels_are_exactly_those_of_the_models_own_processor(
    preparing: Prepares,
    tiny: Callable[[str], Path],
    family: str,
    size: tuple[int, int],
) -> None:
    from transformers import AutoImageProcessor

    random = np.random.default_rng(0)
    image = harness.Image("a", random.integers(0, 256, (*size, 3), dtype=np.uint8))
    processor = AutoImageProcessor.from_pretrained(tiny(family), backend="pil")
    own = processor(image.pixels, return_tensors="pt")["pixel_values"]

    assert torch.equal(preparing(family)(image).pixels, own)


def test_dinov3_is_prepared_without_torchvision_as_it_says(preparing: Prepares) -> None:
    random = np.random.default_rng(0)
    image = harness.Image("a", random.integers(0, 256, (50, 70, 3), dtype=np.uint8))
    # Its own processor scales to 0 … 1, resizes bilinearly with antialiasing, standardises.
    unit = torch.from_numpy(image.pixels.copy()).permute(2, 0, 1)[None] / 255
    resized = torch.nn.functional.interpolate(
        unit, (32, 32), mode="bilinear", antialias=True, align_corners=False
    )

    found = shown(preparing("dinov3")(image).pixels) / 255

    # Pillow rounds to whole bytes, twice.
    assert np.abs(found - resized[0].permute(1, 2, 0).numpy()).max() <= 1.01 / 255


@pytest.mark.parametrize(
    ("family", "size"),
    [("vit", None), ("dinov2", None), ("vit", (64,)), ("dinov2", (40, 56)), ("vit", (100,))],
)
@pytest.mark.parametrize("shape", [(80, 120), (200, 90), (64, 64)])
def test_the_region_is_where_the_patches_lie_on_the_image(
    preparing: Prepares, family: str, size: tuple[int, ...] | None, shape: tuple[int, int]
) -> None:
    prepared = preparing(family, size)(ramp(*shape))

    top, left, height, width = prepared.region
    rows, columns = prepared.grid
    seen = shown(prepared.pixels)[: rows * 8, : columns * 8]
    # The middle of each patch is the mean of its pixels on a ramp; borders are blurred.
    means = seen.reshape(rows, 8, columns, 8, 3).mean(axis=(1, 3))
    expected_rows = top + (np.arange(rows) + 0.5) * height / rows - 0.5
    expected_columns = left + (np.arange(columns) + 0.5) * width / columns - 0.5
    within = np.s_[1:-1, 1:-1]
    tolerance = 0.6 + max(shape) / 250
    assert np.abs(means[..., 0] - expected_rows[:, None])[within].max() < tolerance
    assert np.abs(means[..., 1] - expected_columns)[within].max() < tolerance


def test_without_a_crop_the_region_is_the_whole_image(preparing: Prepares) -> None:
    assert preparing("vit")(ramp(50, 70)).region == (0, 0, 50, 70)
    assert preparing("dinov2", (40,))(ramp(50, 70)).region == (0, 0, 50, 70)


def test_a_centre_crop_is_a_region_in_the_middle(preparing: Prepares) -> None:
    # 72×144 pixels are scaled to 36×72, of which 32×32 are cut out: 64×64 pixels.
    assert preparing("dinov2")(ramp(72, 144)).region == (4, 40, 64, 64)


def test_pixels_beyond_the_last_whole_patch_are_outside_the_region(preparing: Prepares) -> None:
    prepared = preparing("vit", patch=10)(ramp(64, 64))

    assert prepared.grid == (3, 3)
    assert prepared.region == (0, 0, 60, 60)


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        ((48,), (50, 70), (48, 64)),
        ((48,), (70, 50), (64, 48)),
        ((44,), (50, 50), (48, 48)),
        ((1,), (50, 200), (8, 8)),
        ((40, 61), (50, 70), (40, 64)),
    ],
)
def test_sizes_are_rounded_to_whole_patches(
    preparing: Prepares, size: tuple[int, ...], shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = ramp(*shape)
    if expected == (8, 8):
        with pytest.raises(harness.HarnessError, match=r"ramp: 8×8 pixels hold 1×1 patches of 8×8"):
            preparing("dinov2", size)(image)
    else:
        assert tuple(preparing("dinov2", size)(image).pixels.shape[2:]) == expected


@pytest.mark.parametrize("size", [(10**6,), (10**5, 10**6)])
def test_sizes_that_no_memory_holds_are_refused_before_they_are_made(
    preparing: Prepares, size: tuple[int, ...]
) -> None:
    with pytest.raises(harness.HarnessError, match="patches are more than 32768; give a smaller"):
        preparing("vit", size)(ramp(50, 70))


def test_grey_images_are_made_rgb(preparing: Prepares) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 40, 1), dtype=np.uint8)

    one = preparing("vit")(harness.Image("a", grey))
    three = preparing("vit")(harness.Image("a", grey.repeat(3, axis=2)))

    assert torch.equal(one.pixels, three.pixels)


def test_images_of_three_pixels_a_side_are_not_taken_for_channels(preparing: Prepares) -> None:
    random = np.random.default_rng(0)
    image = harness.Image("a", random.integers(0, 256, (3, 3, 3), dtype=np.uint8))

    assert preparing("vit")(image).grid == (4, 4)


def test_without_a_processor_nothing_is_made_up(copied: Path) -> None:
    (copied / "preprocessor_config.json").unlink()
    refused(copied, "how it takes images is unknown: there is no preprocessor_config.json or")


@pytest.mark.parametrize("text", ["{", "[]", '{"image_processor_type": "NoSuchProcessor"}'])
def test_a_broken_processor_is_refused(copied: Path, text: str) -> None:
    (copied / "preprocessor_config.json").write_text(text)
    refused(copied, "it: its image processor cannot be used: .")


def test_a_processor_of_code_of_its_own_is_refused_and_not_run(copied: Path) -> None:
    (copied / "theirs.py").write_text(f"open({str(copied / 'ran')!r}, 'w').close()\n")
    folder = changed(
        copied, image_processor_type="Theirs", auto_map={"AutoImageProcessor": "theirs.Theirs"}
    )
    refused(folder, "it: its image processor cannot be used: .")
    assert not (copied / "ran").exists()


def test_a_processor_that_pads_is_refused(copied: Path) -> None:
    refused(changed(copied, do_pad=True), "its processor pads images")


def test_a_processor_that_cuts_without_telling_where_is_refused(copied: Path) -> None:
    folder = changed(
        copied,
        image_processor_type="ConvNextImageProcessor", crop_pct=0.9, size={"shortest_edge": 32},
    )  # fmt: skip
    refused(folder, "crops images without reporting where")


def test_a_crop_larger_than_the_image_is_refused_by_name(copied: Path) -> None:
    folder = changed(
        copied,
        image_processor_type="CLIPImageProcessor", do_center_crop=True,
        crop_size={"height": 40, "width": 40},
    )  # fmt: skip
    with pytest.raises(harness.HarnessError, match=r"ramp: .*crops 40×40 from 32×32 pixels"):
        preparation_of(folder, "it", (8, 8), 3, None)(ramp(50, 50))


def test_what_a_processor_does_not_take_is_refused_by_name(copied: Path) -> None:
    folder = changed(copied, image_mean=[0.5, 0.5])
    with pytest.raises(harness.HarnessError, match=r"ramp: cannot be prepared for the model: "):
        preparation_of(folder, "it", (8, 8), 3, None)(ramp(50, 50))


def test_what_transformers_cannot_import_is_the_reason(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise ModuleNotFoundError("see the log") from RuntimeError("operator torchvision::nms")

    monkeypatch.setattr("transformers.AutoImageProcessor.from_pretrained", failing)

    refused(tiny("dinov2"), "it: its image processor cannot be used: operator torchvision::nms")
