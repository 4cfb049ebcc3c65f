"""Tiny models of every family, of random weights, written as their library writes them."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}
TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 9,
}
PROCESSOR = {
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.5, 0.25, 0.2],
}
SQUEEZED = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 32, "width": 32},
    "resample": 2,
}
CROPPED = {
    "image_processor_type": "CLIPImageProcessor",
    "size": {"shortest_edge": 36},
    "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32},
    "resample": 3,
}


@dataclass(frozen=True)
class Family:
    """Names of a model and its configuration in transformers, and what they have."""

    model: str
    configuration: str
    prefix: int
    settings: Mapping[str, Any]
    processor: Mapping[str, Any]


def vision(
    name: str,
    prefix: int,
    processor: Mapping[str, Any] = SQUEEZED,
    suffix: str = "Model",
    **more: Any,
) -> Family:
    return Family(f"{name}{suffix}", f"{name}Config", prefix, SIZES | more, processor)


FAMILIES = {
    "vit": vision("ViT", 1),
    "vit-classifier": vision("ViT", 1, suffix="ForImageClassification", num_labels=5),
    "deit": vision("DeiT", 2),
    "dinov2": vision("Dinov2", 1, CROPPED),
    "dinov2-registers": vision("Dinov2WithRegisters", 1 + 4, CROPPED, num_register_tokens=4),
    "dinov3": vision(
        "DINOv3ViT",
        1 + 2,
        SQUEEZED | {"image_processor_type": "DINOv3ViTImageProcessorFast"},
        num_register_tokens=2,
    ),
    "beit": vision("Beit", 1),
    "beit-relative": vision("Beit", 1, use_relative_position_bias=True, use_mean_pooling=True),
    "clip": Family(
        "CLIPModel", "CLIPConfig", 1, {"vision_config": SIZES, "text_config": TEXT}, CROPPED
    ),
    "clip-vision": vision("CLIPVision", 1, CROPPED),
    "siglip": Family(
        "SiglipModel", "SiglipConfig", 0, {"vision_config": SIZES, "text_config": TEXT}, SQUEEZED
    ),
    "siglip-vision": vision("SiglipVision", 0),
    "ijepa": vision("IJepa", 0),
    "vit-msn": vision("ViTMSN", 1),
    "data2vec": vision("Data2VecVision", 1),
    "yolos": vision("Yolos", 1, image_size=[32, 32], num_detection_tokens=5),
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Tells the folder of a family's model, made when first asked for; not to be written to."""
    root = tmp_path_factory.mktemp("models")

    def made(name: str) -> Path:
        import torch
        import transformers

        folder, family = root / name, FAMILIES[name]
        if not folder.exists():
            torch.manual_seed(0)
            settings = getattr(transformers, family.configuration)(**family.settings)
            getattr(transformers, family.model)(settings).save_pretrained(folder)
            text = json.dumps(PROCESSOR | dict(family.processor))
            (folder / "preprocessor_config.json").write_text(text)
        return folder

    return made


@pytest.fixture(params=sorted(FAMILIES.keys() - {"yolos"}))
def family(request: pytest.FixtureRequest) -> str:
    """Each of the families whose maps can be taken."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def prefix_tokens() -> Mapping[str, int]:
    """How many tokens each family has before those of the patches."""
    return {name: family.prefix for name, family in FAMILIES.items()}


@pytest.fixture
def copied(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A folder with a ViT that a test may spoil."""
    return Path(shutil.copytree(tiny("vit"), tmp_path / "model"))


@pytest.fixture(scope="session")
def photo() -> harness.Image:
    """An image that is neither square nor a multiple of any patch."""
    random = np.random.default_rng(0)
    return harness.Image("photo.png", random.integers(0, 256, (50, 70, 3), dtype=np.uint8))


@pytest.fixture
def extractor(tiny: Callable[[str], Path]) -> Callable[..., harness.Extractor]:
    """Makes the extractor of a family's model, with these parameters."""

    def made(name: str, parameters: str = "") -> harness.Extractor:
        more = f",{parameters}" if parameters else ""
        return harness.make("extractor", f"hf[model={tiny(name)}{more}]")

    return made
