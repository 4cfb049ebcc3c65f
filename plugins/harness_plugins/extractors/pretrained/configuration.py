"""The architecture of a Hugging Face model, from its configuration alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness_plugins.extractors.pretrained.reasons import first_line

# No model has as many layers or heads, or as large an image.
MOST = 1 << 13


@dataclass(frozen=True)
class Architecture:
    """The architecture of a Vision Transformer.

    kind: its model type; patch and image: (height, width) in pixels, of a patch and of training
    images; channels: of its input; classes: their names if it is a classifier.
    """

    kind: str
    layers: int
    heads: int
    patch: tuple[int, int]
    image: tuple[int, int]
    channels: int
    classes: tuple[str, ...]


def read(folder: Path, model: str) -> tuple[Any, Architecture]:
    """A model's configuration, and the architecture of its image tower."""
    try:
        from transformers import AutoConfig

        whole = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # broken JSON, unknown types, custom code, a broken library
        raise harness.HarnessError(
            f"{model}: its configuration cannot be read: {first_line(error)}"
        ) from error
    config = getattr(whole, "vision_config", whole)
    if getattr(whole, "transformers_weights", None):
        raise harness.HarnessError(f"{model}: its weights are in files with custom names")
    if reason := _unsuitable(config):
        raise harness.HarnessError(f"{model}: {reason} (model type {config.model_type})")
    classifier = any("ForImageClassification" in name for name in whole.architectures or ())
    named = whole.id2label or {}
    return whole, Architecture(
        config.model_type,
        int(config.num_hidden_layers),
        int(config.num_attention_heads),
        pair(config.patch_size),
        pair(config.image_size),
        int(config.num_channels),
        tuple(str(named[number]) for number in sorted(named)) if classifier else (),
    )


def _unsuitable(config: Any) -> str:
    """Why a model's attention cannot be extracted; "" if it can."""
    heads = getattr(config, "num_attention_heads", getattr(config, "num_heads", None))
    if getattr(config, "mask_ratio", None) is not None:
        return "a masked autoencoder hides patches at random, so its maps do not cover the image"
    if getattr(config, "depths", None) is not None and heads is None:
        return "a convolutional model has no attention"
    if heads is None:
        return "its configuration describes no attention"
    if isinstance(heads, list | tuple) or getattr(config, "depths", None) is not None:
        return "its attention is within windows or at several resolutions, not over all patches"
    # It may be 0 or None if attention is over all patches.
    if getattr(config, "window_size", None):
        return "its attention is within windows, not over all patches"
    if getattr(config, "num_frames", None) is not None:
        return "a video model does not take single images"
    missing = [
        name
        for name in ("patch_size", "image_size", "num_channels", "num_hidden_layers")
        if getattr(config, name, None) is None
    ]
    if missing:
        return (
            "it does not split images of a fixed size into patches: its configuration has no "
            f"{', '.join(missing)}"
        )
    sizes = (config.patch_size, config.image_size)
    if any(isinstance(size, list | tuple) and len(size) != 2 for size in sizes):
        return "its images or patches are not of two dimensions"
    if config.num_channels not in (1, 3):
        return f"its images have {config.num_channels} channels, not 1 or 3"
    counts = (config.num_hidden_layers, heads, *pair(sizes[0]), *pair(sizes[1]))
    if not all(0 < count <= MOST for count in counts):
        return f"its configuration has numbers outside 1 … {MOST}"
    return ""


def pair(size: Any) -> tuple[int, int]:
    """Height and width, which may be given as one number for both."""
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(height), int(width)
