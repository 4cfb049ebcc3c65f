"""What a Hugging Face model is, by its configuration alone, and why one is unsuitable."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness_plugins.extractors.pretrained.reasons import first_line

# No model has as many layers, heads, or pixels a side.
MOST = 1 << 13


@dataclass(frozen=True)
class Architecture:
    """A Vision Transformer by its configuration.

    kind: its model type; patch and image: (height, width) in pixels, image being what it was
    trained on; channels: of the images it takes; classes: their names where it is a classifier.
    """

    kind: str
    layers: int
    heads: int
    patch: tuple[int, int]
    image: tuple[int, int]
    channels: int
    classes: tuple[str, ...]


def read(folder: Path, model: str) -> tuple[Any, Architecture]:
    """A model's configuration, that of its vision tower if it has several, and what it says.

    Raises HarnessError for what cannot be read and for models that have no attention over all
    patches of an image.
    """
    try:
        from transformers import AutoConfig

        whole = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # broken JSON, unknown types, code of its own, a broken library
        raise harness.HarnessError(
            f"{model}: its configuration is not read: {first_line(error)}"
        ) from error
    config = getattr(whole, "vision_config", whole)
    if getattr(whole, "transformers_weights", None):
        raise harness.HarnessError(f"{model}: its weights are not where models keep them")
    if reason := _unsuitable(config):
        raise harness.HarnessError(f"{model}: {reason} (model type {config.model_type})")
    classifier = any("ForImageClassification" in name for name in whole.architectures or ())
    named = whole.id2label or {}
    return whole, Architecture(
        config.model_type,
        int(config.num_hidden_layers),
        int(config.num_attention_heads),
        _pair(config.patch_size),
        _pair(config.image_size),
        int(config.num_channels),
        tuple(str(named[number]) for number in sorted(named)) if classifier else (),
    )


def _unsuitable(config: Any) -> str:
    """Why a model's attention cannot be looked at; "" if it can."""
    heads = getattr(config, "num_attention_heads", getattr(config, "num_heads", None))
    if getattr(config, "mask_ratio", None) is not None:
        return "a masked autoencoder hides patches at random, so that its maps are not of an image"
    if getattr(config, "depths", None) is not None and heads is None:
        return "a convolutional model has no attention"
    if heads is None:
        return "its configuration tells of no attention"
    if isinstance(heads, list | tuple) or getattr(config, "depths", None) is not None:
        return "its attention is within windows or at several resolutions, not over all patches"
    # Some have it of 0, or of none, where attention is over all.
    if getattr(config, "window_size", None):
        return "its attention is within windows, not over all patches"
    if getattr(config, "num_frames", None) is not None:
        return "a model of videos takes no single image"
    lacking = [
        name
        for name in ("patch_size", "image_size", "num_channels", "num_hidden_layers")
        if getattr(config, name, None) is None
    ]
    if lacking:
        return (
            "it is not of those that part an image of a certain size into patches: its "
            f"configuration has no {', '.join(lacking)}"
        )
    sizes = (config.patch_size, config.image_size)
    if any(isinstance(size, list | tuple) and len(size) != 2 for size in sizes):
        return "its images or patches are not of two dimensions"
    if config.num_channels not in (1, 3):
        return f"its images have {config.num_channels} channels, not 1 or 3"
    counts = (config.num_hidden_layers, heads, *_pair(sizes[0]), *_pair(sizes[1]))
    if not all(0 < count <= MOST for count in counts):
        return f"its configuration has numbers that are not in 1 … {MOST}"
    return ""


def _pair(size: Any) -> tuple[int, int]:
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(height), int(width)
