import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import harness
from harness_plugins.extractors.pretrained import configuration, model, source


def loaded(folder: Path, *, classifier: bool = False) -> model.Loaded:
    source.quieten()
    config, _ = configuration.read(folder, "it")
    return model.load(folder, "it", config, classifier=classifier)


def inspect_model(folder: Path, pixels: Tensor) -> model.VisionTransformer:
    _, architecture = configuration.read(folder, "it")
    return model.inspect_model(loaded(folder), "it", architecture, pixels)


def pixels(height: int = 32, width: int = 32) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def refused(folder: Path, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason) as caught:
        loaded(folder)
    assert "\n" not in str(caught.value)


def change(folder: Path, edit: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Path:
    """The folder, its weights edited."""
    path = folder / "model.safetensors"
    save_file(edit(load_file(path)), path, metadata={"format": "pt"})
    return folder


def test_a_model_is_loaded_in_single_precision_for_evaluation(copied: Path) -> None:
    folder = change(copied, lambda weights: {name: each.half() for name, each in weights.items()})

    module = loaded(folder).module

    assert not module.training
    assert {each.dtype for each in module.parameters()} == {torch.float32}


def test_of_images_and_texts_only_the_tower_of_images_is_loaded(
    tiny: Callable[[str], Path],
) -> None:
    module = loaded(tiny("clip")).module

    assert not any("text" in name for name, _ in module.named_parameters())


def test_a_classifier_is_loaded_where_it_is_asked_for(tiny: Callable[[str], Path]) -> None:
    with torch.inference_mode():
        output = loaded(tiny("vit-classifier"), classifier=True).module(pixels())
    assert output.logits.shape == (1, 5)


def test_a_pooler_on_which_no_attention_depends_may_be_missing(copied: Path) -> None:
    folder = change(
        copied,
        lambda weights: {
            name: each for name, each in weights.items() if not name.startswith("pooler.")
        },
    )

    assert not loaded(folder).pooled


def test_a_model_with_missing_weights_is_refused(copied: Path) -> None:
    second = re.compile(r"\.layers?\.1\.")
    folder = change(
        copied,
        lambda weights: {name: each for name, each in weights.items() if not second.search(name)},
    )

    refused(folder, r"its file lacks 16 of the model's weights, such as .*; they would be random")


def test_weights_of_other_shapes_than_the_configurations_are_refused(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))

    refused(copied, "it: ")


def test_a_truncated_file_is_refused(copied: Path) -> None:
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])

    refused(copied, "it: cannot be loaded: .")


def test_a_file_that_is_not_safetensors_is_refused(copied: Path) -> None:
    (copied / "model.safetensors").write_bytes(b"weights, honestly")

    refused(copied, "it: cannot be loaded: .")


def test_the_attention_of_every_layer_is_found(family: str, tiny: Callable[[str], Path]) -> None:
    found = inspect_model(tiny(family), pixels())

    assert len(found.sites) == 3


def test_tokens_after_those_of_the_patches_are_refused(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(harness.HarnessError, match="22 tokens do not end with one for each of 4×4"):
        inspect_model(tiny("yolos"), pixels())


def test_a_size_that_a_model_does_not_take_is_refused(tiny: Callable[[str], Path]) -> None:
    found = inspect_model(tiny("vit"), pixels())

    with pytest.raises(harness.HarnessError, match=r"it does not take images of 4×4 pixels: ."):
        found(pixels(4, 4))


def test_weights_that_are_no_numbers_are_refused(copied: Path) -> None:
    folder = change(
        copied, lambda weights: {name: each + torch.nan for name, each in weights.items()}
    )

    with pytest.raises(
        harness.HarnessError, match=r"its weights are damaged: .* fetch or train it again"
    ):
        inspect_model(folder, pixels())


def test_positions_are_fitted_to_images_that_are_not_those_trained_on(
    family: str, tiny: Callable[[str], Path]
) -> None:
    found = inspect_model(tiny(family), pixels(40, 24))

    assert found.prefix_tokens == inspect_model(tiny(family), pixels()).prefix_tokens
