import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import harness
from harness.planning.progress import SILENT
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation, load, save
from harness_plugins.thesis.vit.evaluation import evaluate
from harness_plugins.thesis.vit.examples import gather
from harness_plugins.thesis.vit.files import checkpoint_file
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT

FASHION_MNIST = "one-layer-vit[checkpoint=fashion-mnist-one-head]"


@pytest.fixture
def rgb_model(tmp_path: Path) -> Path:
    """A random model of RGB images with three heads on a 2×3 grid."""
    torch.manual_seed(0)
    settings = ModelSettings(
        height=8, width=12, channels=3, patch=4, dimension=12, heads=3, classes=2
    )
    save(tmp_path / "rgb.safetensors", Checkpoint(OneLayerViT(settings), Normalisation(0, 1), {}))
    return tmp_path / "rgb.safetensors"


def sample(count: int) -> list[harness.Image]:
    images = harness.make("image set", f"fashion-mnist-sample[count={count}]")
    return [images.load(key) for key in images.keys()]


def test_head_indices_are_all_heads_or_those_named() -> None:
    everything = harness.make("extractor", "one-layer-vit[checkpoint=fashion-mnist-twelve-heads]")
    two = harness.make(
        "extractor", "one-layer-vit[checkpoint=fashion-mnist-twelve-heads,heads=[11,3]]"
    )

    assert everything.head_indices() == [harness.HeadIndex(0, head) for head in range(12)]
    assert two.head_indices() == [harness.HeadIndex(0, 3), harness.HeadIndex(0, 11)]


def test_head_indices_are_known_without_torch() -> None:
    script = (
        "import sys, harness; harness.make('extractor', 'one-layer-vit').head_indices();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_maps_are_the_models_own_attention_with_rows_that_sum_to_one() -> None:
    (image,) = sample(1)
    extractor = harness.make("extractor", FASHION_MNIST)
    checkpoint = load(checkpoint_file("fashion-mnist-one-head"))
    pixels = torch.from_numpy(image.pixels.copy()).permute(2, 0, 1).unsqueeze(0)
    with torch.inference_mode():
        expected = checkpoint.model.attention_maps(checkpoint.normalisation(pixels))[0, 0]

    (attention,) = extractor.extract([image])

    assert attention.grid == (14, 14)
    assert (attention.image, attention.layer, attention.head) == (image.key, 0, 0)
    assert np.abs(attention.weights - expected.numpy()).max() == 0
    assert np.abs(attention.weights.sum(axis=1) - 1).max() < 1e-5


def test_a_map_does_not_depend_on_its_companions_to_the_last_bit() -> None:
    images = sample(7)
    extractor = harness.make("extractor", FASHION_MNIST)

    together = [attention.digest for attention in extractor.extract(images)]
    alone = [next(extractor.extract([image])).digest for image in images]
    reverse = [attention.digest for attention in extractor.extract(images[::-1])]

    assert together == alone == reverse[::-1]


def test_every_head_of_every_image_comes_in_turn(rgb_model: Path) -> None:
    extractor = harness.make("extractor", f"one-layer-vit[checkpoint={rgb_model},heads=[2,0]]")
    images = [
        harness.Image(key, np.full((8, 12, 3), level, dtype=np.uint8))
        for key, level in (("a", 0), ("b", 200))
    ]

    found = [(attention.image, attention.head) for attention in extractor.extract(images)]

    assert found == [("a", 0), ("a", 2), ("b", 0), ("b", 2)]


@pytest.mark.parametrize(("heads", "mean"), [("all", "mean"), ("[2,0]", "[mean,2,0]")])
def test_the_mean_over_the_heads_maps_is_one_map_of_head_0(
    rgb_model: Path, heads: str, mean: str
) -> None:
    image = harness.Image("a", np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8))
    each = harness.make("extractor", f"one-layer-vit[checkpoint={rgb_model},heads={heads}]")
    average = harness.make("extractor", f"one-layer-vit[checkpoint={rgb_model},heads={mean}]")

    expected = np.mean([attention.weights for attention in each.extract([image])], axis=0)
    (attention,) = average.extract([image])

    assert average.head_indices() == [harness.HeadIndex(0, 0)] == [attention.head_index]
    np.testing.assert_allclose(attention.weights, expected, rtol=1e-5)
    assert np.abs(attention.weights.sum(axis=1) - 1).max() < 1e-5


def test_heads_that_are_not_there_cannot_be_averaged(rgb_model: Path) -> None:
    average = harness.make("extractor", f"one-layer-vit[checkpoint={rgb_model},heads=[mean,0,3]]")
    with pytest.raises(harness.HarnessError, match="there is no head 3"):
        average.head_indices()


@pytest.mark.parametrize(
    ("checkpoint", "learned", "images"),
    [
        ("fashion-mnist-one-head", "fashion-mnist-sample", "grey images of 28×28 pixels (t-shirt"),
        ("flowers-one-head", "flowers-sample", "colour images of 112×112 pixels (daisy"),
    ],
)
def test_images_of_other_classes_than_those_learned_are_remarked_on(
    checkpoint: str, learned: str, images: str
) -> None:
    extractor = harness.make("extractor", f"one-layer-vit[checkpoint={checkpoint}]")
    other = harness.make("image set", "noise")

    assert extractor.caveat(harness.make("image set", learned)) == ""
    assert f"trained on {images}" in extractor.caveat(other)


def test_images_without_the_classes_that_they_promise_are_refused_by_their_own_set(
    tmp_path: Path,
) -> None:
    Image.fromarray(np.zeros((20, 20), dtype=np.uint8)).save(tmp_path / "a.png")
    photos = harness.make("image set", f"folder[path={tmp_path},labels=true]")

    assert harness.make("extractor", "one-layer-vit").caveat(photos) == ""
    with pytest.raises(harness.HarnessError, match="no image is in one"):
        photos.keys()


@pytest.mark.parametrize(
    ("image_sets", "checkpoint"),
    [
        (["flowers-sample"], "flowers-one-head"),
        (["tf-flowers", "noise"], "flowers-one-head"),
        (["noise"], "flowers-one-head"),
        ([], "flowers-one-head"),
        (["fashion-mnist-sample[count=2]"], "fashion-mnist-one-head"),
        (["noise", "fashion-mnist", "fashion-mnist-sample"], "fashion-mnist-one-head"),
    ],
)
def test_without_a_checkpoint_the_model_is_the_one_trained_on_the_images(
    image_sets: list[str], checkpoint: str
) -> None:
    images = [harness.make("image set", spec) for spec in image_sets]
    extractor = harness.make("extractor", "one-layer-vit[heads=[0]]")

    chosen = extractor.for_images(images)

    assert chosen == harness.extractor("one-layer-vit", checkpoint=checkpoint, heads=["0"])


def test_a_checkpoint_that_is_named_stays_whatever_the_images() -> None:
    extractor = harness.make("extractor", FASHION_MNIST)

    assert extractor.for_images([harness.make("image set", "flowers-sample")]) == extractor


def test_images_that_different_models_were_trained_on_need_a_checkpoint() -> None:
    images = [harness.make("image set", f"{name}-sample") for name in ("flowers", "fashion-mnist")]

    with pytest.raises(
        harness.HarnessError,
        match="flowers-sample and fashion-mnist-sample have different models, flowers-one-head and "
        "fashion-mnist-one-head; choose one by checkpoint",
    ):
        harness.make("extractor", "one-layer-vit").for_images(images)


def test_an_extractor_made_by_hand_is_the_model_of_flowers() -> None:
    by_hand = harness.make("extractor", "one-layer-vit")
    named = harness.make("extractor", "one-layer-vit[checkpoint=flowers-one-head]")

    assert by_hand.fingerprint() == named.fingerprint()


def test_the_patches_divide_the_whole_image(rgb_model: Path) -> None:
    extractor = harness.make("extractor", f"one-layer-vit[checkpoint={rgb_model}]")
    image = harness.Image("wide", np.zeros((20, 60, 3), dtype=np.uint8))

    (found, *_) = extractor.extract([image])

    assert extractor.patches(image) == harness.Patches(found.grid, (0, 0, 20, 60))


def test_images_of_other_sizes_and_channels_are_fitted(rgb_model: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (50, 31), dtype=np.uint8)
    colour = np.random.default_rng(0).integers(0, 256, (50, 31, 3), dtype=np.uint8)

    for spec, pixels in (
        (f"one-layer-vit[checkpoint={rgb_model}]", grey),
        (FASHION_MNIST, colour),
    ):
        attention = next(harness.make("extractor", spec).extract([pixels]))
        assert np.abs(attention.weights.sum(axis=1) - 1).max() < 1e-5


def test_an_image_smaller_than_the_patch_grid_is_refused_by_name() -> None:
    image = harness.Image("dot.png", np.zeros((1, 1, 3), dtype=np.uint8))

    with pytest.raises(harness.HarnessError, match=r"dot\.png: 1×1 pixels is smaller than"):
        next(harness.make("extractor", "one-layer-vit").extract([image]))


@pytest.mark.parametrize("heads", ["[12]", "[-1]", "[0,0]", "[]"])
def test_heads_that_are_not_there_or_named_twice_are_refused(heads: str) -> None:
    with pytest.raises(harness.HarnessError, match="head"):
        harness.make(
            "extractor", f"one-layer-vit[checkpoint=fashion-mnist-twelve-heads,heads={heads}]"
        ).head_indices()


def test_a_model_without_attention_is_refused(tmp_path: Path) -> None:
    model = OneLayerViT(ModelSettings(attention=False))
    save(tmp_path / "a.safetensors", Checkpoint(model, Normalisation(0, 1), {}))

    with pytest.raises(harness.HarnessError, match="a model without attention"):
        harness.make(
            "extractor", f"one-layer-vit[checkpoint={tmp_path}/a.safetensors]"
        ).head_indices()


def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_text("weights, honestly")

    with pytest.raises(harness.HarnessError, match="not a checkpoint"):
        harness.make(
            "extractor", f"one-layer-vit[checkpoint={tmp_path}/a.safetensors]"
        ).head_indices()


def test_a_name_that_no_shipped_checkpoint_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        harness.HarnessError, match="one-head: no such checkpoint; shipped are fashion-mnist-one-h"
    ):
        harness.make("extractor", "one-layer-vit[checkpoint=one-head]").head_indices()


@pytest.mark.parametrize("heads", [0, -3, 10**12, float("inf"), "two", None])
def test_a_header_with_an_impossible_number_of_heads_is_refused(
    tmp_path: Path, heads: object
) -> None:
    metadata = json.dumps({"model": {"heads": heads, "attention": True}})
    header = json.dumps({"__metadata__": {"harness": metadata}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)

    with pytest.raises(harness.HarnessError, match=r"not a checkpoint .*it claims"):
        harness.make("extractor", f"one-layer-vit[checkpoint={path}]").head_indices()


def test_a_header_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)

    with pytest.raises(harness.HarnessError, match="not a checkpoint"):
        harness.make("extractor", f"one-layer-vit[checkpoint={path}]").head_indices()


def test_a_checkpoint_that_is_not_there_has_no_fingerprint() -> None:
    for missing in ("nowhere", "~nobody-of-that-name/a"):
        with pytest.raises(harness.HarnessError, match="no such checkpoint"):
            harness.make("extractor", f"one-layer-vit[checkpoint={missing}]").fingerprint()


def test_other_weights_have_another_fingerprint() -> None:
    one, twelve = (
        harness.make("extractor", f"one-layer-vit[checkpoint={name}]").fingerprint()
        for name in ("flowers-one-head", "flowers-twelve-heads")
    )

    assert one != twelve


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("fashion-mnist-one-head", 0.88),
        ("fashion-mnist-twelve-heads", 0.88),
        ("flowers-one-head", 0.65),
        ("flowers-twelve-heads", 0.65),
    ],
)
def test_shipped_checkpoints_record_their_accuracy_on_the_test_set(
    name: str, accuracy: float
) -> None:
    assert load(checkpoint_file(name)).record["test_accuracy"] >= accuracy


@pytest.mark.parametrize(
    ("name", "images", "right"),
    [
        ("fashion-mnist-one-head", "fashion-mnist-sample[count=100]", 80),
        ("flowers-one-head", "flowers-sample", 10),
        ("flowers-twelve-heads", "flowers-sample", 10),
    ],
)
def test_the_shipped_models_classify_the_shipped_samples(
    name: str, images: str, right: int
) -> None:
    checkpoint, image_set = load(checkpoint_file(name)), harness.make("image set", images)
    settings = checkpoint.model.settings
    examples = gather(
        image_set, image_set.classes(), (settings.height, settings.width), settings.channels, SILENT
    )

    found = evaluate(checkpoint, examples, SILENT)

    assert (found.predicted == found.labels).sum() >= right
