import gc
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import harness
from harness.cli.main import main
from harness_plugins.extractors.pretrained import extraction
from support.runs import small_command

Make = Callable[..., harness.Extractor]
Stack = NDArray[np.float32]


def own_attention(folder: Path, image: harness.Image) -> list[Stack]:
    """What transformers itself gives, by layer (heads, tokens, tokens)."""
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, ViTImageProcessorPil

    dinov3 = AutoConfig.from_pretrained(folder).model_type == "dinov3_vit"
    # DINOv3's own needs torchvision.
    load = ViTImageProcessorPil.from_pretrained if dinov3 else AutoImageProcessor.from_pretrained
    processor = load(folder, **({} if dinov3 else {"backend": "pil"}))
    pixels = processor(image.pixels, return_tensors="pt")["pixel_values"]
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        output = getattr(model, "vision_model", model)(pixels, output_attentions=True)
    return [layer[0].numpy() for layer in output.attentions]


def maps_of(extractor: harness.Extractor, *images: harness.Image) -> list[harness.AttentionMap]:
    return list(extractor.extract(images))


def test_maps_are_the_models_own_attention_in_every_layer_and_head(
    family: str,
    tiny: Callable[[str], Path],
    extractor: Make,
    photo: harness.Image,
    prefix_tokens: Mapping[str, int],
) -> None:
    expected = own_attention(tiny(family), photo)

    found = maps_of(extractor(family, "layers=all,prefix=keep"), photo)

    assert [(each.layer, each.head) for each in found] == [
        (layer, head) for layer in range(3) for head in range(4)
    ]
    for each in found:
        assert each.n == prefix_tokens[family] + 16
        assert each.grid == (None if prefix_tokens[family] else (4, 4))
        np.testing.assert_allclose(each.weights, expected[each.layer][each.head], atol=1e-5)


def test_maps_come_image_by_image_in_the_order_of_the_head_indices(
    extractor: Make, photo: harness.Image
) -> None:
    several = extractor("vit", "layers=[0,2],heads=[1,3]")
    other = harness.Image("other.png", photo.pixels[::-1], variant=harness.Variant("control", "x"))

    found = maps_of(several, photo, other)

    assert [each.head_index for each in found] == 2 * list(several.head_indices())
    assert [each.image for each in found] == 4 * ["photo.png"] + 4 * ["other.png"]
    assert [each.variant.name for each in found] == 4 * [""] + 4 * ["x"]


def test_a_map_does_not_depend_on_its_companions_to_the_last_bit(
    extractor: Make, photo: harness.Image
) -> None:
    last = extractor("dinov2")
    others = [harness.Image(str(turn), np.rot90(photo.pixels, turn).copy()) for turn in (1, 2)]

    together = [each.digest for each in maps_of(last, photo, *others)]
    alone = [each.digest for image in (photo, *others) for each in maps_of(last, image)]

    assert together == alone


@pytest.mark.parametrize(
    ("parameters", "layers", "heads"),
    [
        ("", [2], [0, 1, 2, 3]),
        ("layers=0-1,heads=last", [0, 1], [3]),
        ("layers=all,heads=mean", [0, 1, 2], [0]),
        ("layers=mean,heads=[1,2]", [0], [1, 2]),
        ("layers=[2,0],rollout=true", [0, 2], [0]),
    ],
)
def test_head_indices_are_the_chosen_layers_and_heads(
    extractor: Make, parameters: str, layers: list[int], heads: list[int]
) -> None:
    assert extractor("vit", parameters).head_indices() == [
        harness.HeadIndex(layer, head) for layer in layers for head in heads
    ]


def test_means_are_those_of_the_layers_and_heads_chosen(
    extractor: Make, tiny: Callable[[str], Path], photo: harness.Image
) -> None:
    own = np.array(own_attention(tiny("vit"), photo))

    (heads,) = maps_of(extractor("vit", "layers=1,heads=[mean,1-3],prefix=keep"), photo)
    (both,) = maps_of(extractor("vit", "layers=[mean,0-1],heads=mean,prefix=keep"), photo)

    np.testing.assert_allclose(heads.weights, own[1, 1:].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(both.weights, own[:2].mean(axis=(0, 1)), atol=1e-5)


def test_rollout_goes_through_all_tokens_of_all_layers_up_to_each(
    extractor: Make, tiny: Callable[[str], Path], photo: harness.Image
) -> None:
    first, second, third = (
        (layer.mean(axis=0) + np.eye(18)) / 2 for layer in own_attention(tiny("deit"), photo)
    )

    middle, last = maps_of(extractor("deit", "layers=[1,2],rollout=true,prefix=keep"), photo)
    (patches,) = maps_of(extractor("deit", "rollout=true,prefix=drop"), photo)

    np.testing.assert_allclose(middle.weights, second @ first, atol=1e-5)
    np.testing.assert_allclose(last.weights, third @ second @ first, atol=1e-5)
    np.testing.assert_allclose(patches.weights, (third @ second @ first)[2:, 2:], atol=1e-5)


def test_prefix_tokens_are_dropped_with_their_attention_or_rows_are_rescaled(
    extractor: Make, photo: harness.Image
) -> None:
    kept, dropped, renormalised = (
        maps_of(extractor("dinov2-registers", f"heads=0,prefix={prefix}"), photo)[0]
        for prefix in ("keep", "drop", "renormalise")
    )

    patches = kept.weights[5:, 5:]
    np.testing.assert_array_equal(dropped.weights, patches)
    np.testing.assert_allclose(
        renormalised.weights, patches / patches.sum(axis=1, keepdims=True), rtol=1e-5
    )
    assert (kept.grid, dropped.grid, renormalised.grid) == (None, (4, 4), (4, 4))


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ("48", (6, 8)),
        ("[48]", (6, 8)),
        ("[40,56]", (5, 7)),
        ("[37,61]", (5, 8)),
        ("[8,16]", (1, 2)),
    ],
)
def test_a_size_gives_the_whole_image_in_whole_patches(
    extractor: Make, photo: harness.Image, size: str, grid: tuple[int, int]
) -> None:
    (found,) = maps_of(extractor("clip", f"heads=0,size={size}"), photo)

    assert found.grid == grid
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-5)


def test_every_family_takes_images_that_are_not_square(
    family: str, extractor: Make, photo: harness.Image
) -> None:
    (found,) = maps_of(extractor(family, "heads=0,size=[40,56]"), photo)

    assert found.grid == (5, 7)


def test_maps_tell_which_part_of_the_image_their_patches_cover(
    extractor: Make, photo: harness.Image
) -> None:
    # 50×70 pixels are scaled to 36×50, of which 32×32 are cut out of the middle.
    (cut,) = maps_of(extractor("dinov2", "heads=0"), photo)
    (whole,) = maps_of(extractor("dinov2", "heads=0,size=40"), photo)
    (kept,) = maps_of(extractor("dinov2", "heads=0,prefix=keep"), photo)

    assert cut.region == pytest.approx((2 * 50 / 36, 9 * 70 / 50, 32 * 50 / 36, 32 * 70 / 50))
    assert whole.region == (0, 0, 50, 70)
    assert kept.region is None
    before = extractor("dinov2", "heads=0").patches(photo)
    assert before == harness.Patches(cut.grid, cut.region)


def test_grey_images_are_taken_as_coloured_ones(extractor: Make) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (40, 40, 1), dtype=np.uint8)

    (one,) = maps_of(extractor("vit", "heads=0"), harness.Image("a", grey))
    (three,) = maps_of(extractor("vit", "heads=0"), harness.Image("a", grey.repeat(3, axis=2)))

    assert one.digest == three.digest


def test_nothing_of_an_image_is_held_when_the_next_one_is_taken(
    extractor: Make, photo: harness.Image
) -> None:
    held: list[list[tuple[int, ...]]] = []

    def images() -> Iterator[harness.Image]:
        for _ in range(3):
            yield photo
            found = [each for each in gc.get_objects() if type(each) is torch.Tensor]
            square = [each for each in found if each.ndim >= 3 and each.shape[-2:] == (17, 17)]
            held.append([tuple(each.shape) for each in square])

    for parameters in ("layers=all", "layers=all,prefix=keep", "rollout=true"):
        deque(extractor("vit", parameters).extract(images()), maxlen=0)

    assert held == 9 * [[]]


def test_maps_too_large_for_memory_are_refused_before_the_model_is_run(
    extractor: Make, photo: harness.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 16 patches: 12 maps, and the layer at work has 2 times 4.
    monkeypatch.setattr(extraction, "MOST_BYTES", 4 * 16**2 * (12 + 8))
    everything = extractor("vit", "layers=all")

    assert len(maps_of(everything, photo)) == 12
    monkeypatch.setattr(extraction, "MOST_BYTES", extraction.MOST_BYTES - 1)
    with pytest.raises(harness.HarnessError, match=r"12 maps of 16 patches.*fewer layers or heads"):
        maps_of(everything, photo)


def test_of_a_head_mean_only_the_mean_counts_as_held(
    extractor: Make, photo: harness.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "MOST_BYTES", 4 * 16**2 * (3 + 8))

    assert len(maps_of(extractor("vit", "layers=all,heads=mean"), photo)) == 3
    assert len(maps_of(extractor("vit", "layers=all,rollout=true"), photo)) == 3


def test_an_image_too_large_for_memory_is_refused_by_name(
    extractor: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "MOST_BYTES", 4 * 30**2 * 12)
    long = harness.Image("long.png", np.zeros((10, 90, 3), dtype=np.uint8))

    with pytest.raises(harness.HarnessError, match=r"long\.png: 4 maps of 36 patches"):
        maps_of(extractor("vit", "size=16"), long)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("layers=3", r"vit: there is no layer 3; there are 0 … 2"),
        ("heads=0-4", r"vit: there is no head 4; there are 0 … 3"),
        ("layers=[0,0-1]", "names one twice"),
        ("layers=first", "layers takes numbers"),
        ("layers=mean,rollout=true", "rollout cannot be combined with layers=mean"),
        ("size=0", "size takes the shorter side"),
        ("size=[1,2,3]", "size takes the shorter side"),
        ("revision=main", "a folder has no revision"),
    ],
)
def test_unknown_or_unsuitable_parameters_are_refused(
    extractor: Make, parameters: str, reason: str
) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        extractor("vit", parameters).head_indices()


def test_a_model_that_suits_no_image_is_refused_before_one_is_taken(extractor: Make) -> None:
    def images() -> Iterator[harness.Image]:
        raise AssertionError("an image was taken")
        yield

    with pytest.raises(harness.HarnessError, match=r"yolos: its 22 tokens do not end with one for"):
        next(extractor("yolos").extract(images()))


def test_other_weights_have_another_fingerprint_and_copies_the_same(
    extractor: Make, copied: Path
) -> None:
    copy = harness.make("extractor", f"hf[model={copied}]")
    same = extractor("vit").fingerprint() == copy.fingerprint()
    content = bytearray((copied / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copied / "model.safetensors").write_bytes(content)

    assert same
    assert copy.fingerprint() != extractor("vit").fingerprint() != extractor("deit").fingerprint()


def test_the_extractor_is_made_and_listed_without_torch_or_transformers() -> None:
    script = (
        "import sys, harness; harness.make('extractor', 'hf[model=nowhere]');"
        "assert not {'torch', 'transformers'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_another_model_of_one_configuration_does_not_change_how_attention_is_computed(
    tiny: Callable[[str], Path], extractor: Make, photo: harness.Image
) -> None:
    from transformers import AutoConfig, AutoModel

    running = extractor("vit").extract(iter([photo, photo]))
    first = [next(running).digest for _ in range(4)]
    config = AutoConfig.from_pretrained(tiny("vit"))
    AutoModel.from_config(deepcopy(config), attn_implementation="sdpa")

    assert [each.digest for each in running] == first


def test_a_run_over_all_layers_has_cells_for_every_head_despite_an_unreadable_image(
    tiny: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    images, out = tmp_path / "images", tmp_path / "run"
    images.mkdir()
    random = np.random.default_rng(0)
    for name, size in (("wide", (30, 70)), ("tall", (64, 33))):
        pixels = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"{name}.png")
    (images / "broken.png").write_text("no picture")

    code = main(
        small_command(
            images=f"folder[path={images}]",
            extractors=f"hf[model={tiny('dinov2')},layers=all,size=24]",
            controls="uniform-noise",
            out=out,
        )
    )

    printed = capsys.readouterr()
    assert code == 2, printed
    assert "broken.png" in printed.err
    cells = harness.open_run(out).cells()
    finished = cells[cells["status"] == "ok"]
    assert set(finished["image"]) == {"wide.png", "tall.png"}
    assert set(zip(finished["layer"], finished["head"], strict=True)) == {
        (layer, head) for layer in range(3) for head in range(4)
    }
    assert set(cells[cells["status"] != "ok"]["image"]) <= {"broken.png"}
