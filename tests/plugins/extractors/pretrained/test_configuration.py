import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_plugins.extractors.pretrained.configuration import read

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
CONVOLUTION = "a convolutional model has no attention"
WINDOWS = "its attention is within windows"
OTHERS = "it does not split images of a fixed size into patches"


def written(folder: Path, **entries: Any) -> Path:
    (folder / "config.json").write_text(json.dumps(entries))
    return folder


def test_layers_heads_patches_and_sizes_are_read(tiny: Callable[[str], Path]) -> None:
    _, found = read(tiny("dinov2"), "it")

    assert (found.kind, found.layers, found.heads) == ("dinov2", 3, 4)
    assert (found.patch, found.image, found.channels) == ((8, 8), (32, 32), 3)
    assert found.classes == ()


def test_the_image_tower_of_a_model_of_images_and_texts_is_read(
    tiny: Callable[[str], Path],
) -> None:
    _, found = read(tiny("clip"), "it")

    assert (found.kind, found.layers, found.heads) == ("clip_vision_model", 3, 4)


def test_a_classifiers_classes_are_named(tiny: Callable[[str], Path]) -> None:
    _, found = read(tiny("vit-classifier"), "it")

    assert found.classes == ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4")


@pytest.mark.parametrize(
    ("configuration", "settings", "reason"),
    [
        ("ViTMAEConfig", {}, "a masked autoencoder hides patches at random"),
        ("ResNetConfig", {}, CONVOLUTION),
        ("ConvNextConfig", {}, CONVOLUTION),
        ("MobileNetV2Config", {}, "its configuration describes no attention"),
        ("SwinConfig", {}, WINDOWS),
        ("SegformerConfig", {}, WINDOWS),
        ("VitDetConfig", {"window_block_indices": [0], "window_size": 2}, WINDOWS),
        ("SamVisionConfig", {}, WINDOWS),
        ("VideoMAEConfig", {}, "a video model does not take single images"),
        ("BertConfig", {}, OTHERS),
        ("DetrConfig", {}, OTHERS),
        ("ViTConfig", {"patch_size": [8, 8, 8]}, "not of two dimensions"),
        ("ViTConfig", {"num_channels": 4}, "its images have 4 channels, not 1 or 3"),
        ("ViTConfig", {"num_hidden_layers": 0}, "numbers outside 1 … "),
        ("ViTConfig", {"num_hidden_layers": 10**9}, "numbers outside 1 … "),
        ("ViTConfig", {"patch_size": 0}, "numbers outside 1 … "),
    ],
)
def test_what_has_no_attention_over_all_patches_is_refused_with_the_reason(
    tmp_path: Path, configuration: str, settings: dict[str, Any], reason: str
) -> None:
    import transformers

    getattr(transformers, configuration)(**settings).save_pretrained(tmp_path)

    with pytest.raises(harness.HarnessError, match=f"^it: .*{reason}.*model type"):
        read(tmp_path, "it")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '"vit"', '{"model_type": "no-such-model"}'])
def test_a_broken_configuration_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(
        harness.HarnessError, match=r"^it: its configuration cannot be read: ."
    ) as caught:
        read(tmp_path, "it")
    assert "\n" not in str(caught.value)


def test_values_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, **SMALL | {"model_type": "vit", "num_hidden_layers": "three"})

    with pytest.raises(harness.HarnessError, match="its configuration cannot be read"):
        read(folder, "it")


def test_code_that_comes_with_a_model_is_refused_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    code = {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}
    folder = written(tmp_path, **SMALL | {"model_type": "theirs", "auto_map": code})

    with pytest.raises(harness.HarnessError, match="its configuration cannot be read"):
        read(folder, "it")
    assert not (tmp_path / "ran").exists()


def test_weights_in_files_with_custom_names_are_refused(tmp_path: Path) -> None:
    folder = written(
        tmp_path, **SMALL | {"model_type": "vit", "transformers_weights": "sub/x.safetensors"}
    )

    with pytest.raises(harness.HarnessError, match="its weights are in files with custom names"):
        read(folder, "it")
