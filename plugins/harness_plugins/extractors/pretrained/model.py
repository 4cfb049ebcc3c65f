"""A Hugging Face Vision Transformer, loaded, with what is known of its tokens."""

import inspect
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.configuration import Architecture
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.extractors.pretrained.watching import (
    Site,
    find_attention,
    grid_of,
    tokens_of_patches,
)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A module in evaluation mode, in single precision; pooled: whether it learned to pool."""

    module: nn.Module
    pooled: bool


@dataclass(frozen=True, eq=False)
class VisionTransformer:
    """A model whose attention comes out at `sites`, one a layer.

    prefix_tokens: how many tokens stand before those of the patches.
    """

    name: str
    loaded: Loaded
    architecture: Architecture
    sites: list[Site]
    prefix_tokens: int

    def __call__(self, pixels: Tensor) -> Any:
        """The model's output for pixels (images, channels, height, width).

        Raises HarnessError if it does not take images of that size.
        """
        return _forward(self.loaded.module, self.name, self.architecture, pixels)


def load(folder: Path, model: str, config: Any, *, classifier: bool) -> Loaded:
    """The model in a folder: its classifier, or the tower that takes images, without any head.

    Raises HarnessError if it cannot be loaded, or if the file lacks some of its weights, which
    would then be random.
    """
    # A second model made from one configuration changes how the first computes attention.
    whole = deepcopy(config)
    try:
        import transformers

        if classifier:
            loader = getattr(transformers, next(iter(whole.architectures)))
        else:
            loader, whole = transformers.AutoModel, getattr(whole, "vision_config", whole)
        loaded, found = loader.from_pretrained(
            folder,
            config=whole,
            # Other implementations do not give the weights.
            attn_implementation="eager",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # damaged files, other shapes than the configuration's, any more
        raise harness.HarnessError(f"{model}: cannot be loaded: {first_line(error)}") from error
    # Of a tower without a pooled output the library makes one up, which no attention depends on.
    lacking = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if lacking or found["mismatched_keys"]:
        first = lacking[0] if lacking else str(next(iter(found["mismatched_keys"])))
        raise harness.HarnessError(
            f"{model}: its file lacks {max(len(lacking), 1)} of the model's weights, such as "
            f"{first}; they would be random"
        )
    return Loaded(loaded.eval(), pooled=not any(found["missing_keys"]))


def inspect_model(
    loaded: Loaded, model: str, architecture: Architecture, pixels: Tensor
) -> VisionTransformer:
    """Finds where attention comes out and where the patches' tokens are, by trying.

    pixels: (1, channels, height, width). Raises HarnessError if the model does not take them, if
    attention does not come out of every layer, or if its tokens are not some of its own followed
    by one a patch, row by row.
    """

    def forward(given: Tensor) -> Any:
        return _forward(loaded.module, model, architecture, given)

    with torch.inference_mode():
        sites = find_attention(loaded.module, lambda: forward(pixels))
    if len(sites) != architecture.layers:
        raise harness.HarnessError(
            f"{model}: attention over all tokens comes out of {len(sites)} places, not of each of "
            f"its {architecture.layers} layers"
        )
    rows, columns = grid_of(pixels, architecture.patch)
    found, tokens = tokens_of_patches(forward, sites[0].attention, pixels, architecture.patch)
    first = tokens - rows * columns
    second_of_last_row = first + (rows - 1) * columns + min(1, columns - 1)
    if found != [[first], [second_of_last_row], [tokens - 1]]:
        raise harness.HarnessError(
            f"{model}: its {tokens} tokens do not end with one for each of {rows}×{columns} "
            "patches, row by row; the pixels of the first, of one below and of the last patch "
            f"reach the tokens {', '.join(map(_shown, found))}"
        )
    return VisionTransformer(model, loaded, architecture, sites, first)


def _shown(tokens: list[int]) -> str:
    """Few numbers of tokens as they are, of many how many."""
    return "/".join(map(str, tokens)) if 0 < len(tokens) < 4 else f"{len(tokens)} in number"


def _forward(module: nn.Module, model: str, architecture: Architecture, pixels: Tensor) -> Any:
    """The model's output, its positions fitted to images of other sizes where it can do that."""
    size = tuple(pixels.shape[-2:])
    fits = "interpolate_pos_encoding" in inspect.signature(module.forward).parameters
    told = {"interpolate_pos_encoding": True} if fits and size != architecture.image else {}
    try:
        return module(pixel_values=pixels, **told)
    except Exception as error:  # whatever a model raises that images do not suit
        raise harness.HarnessError(
            f"{model}: it does not take images of {size[0]}×{size[1]} pixels: {first_line(error)}"
        ) from error
