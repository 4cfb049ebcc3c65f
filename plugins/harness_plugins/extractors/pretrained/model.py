"""A loaded Vision Transformer, and which of its tokens are patches."""

import inspect
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.devices import running
from harness_plugins.extractors.pretrained.configuration import Architecture
from harness_plugins.extractors.pretrained.patch_tokens import grid_of, tokens_of_patches
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.extractors.pretrained.watching import Site, find_attention


@dataclass(frozen=True, eq=False)
class Loaded:
    """A module in evaluation mode; pooled: whether it has learned to pool.

    It is loaded, and inspected, in single precision on the CPU.
    """

    module: nn.Module
    pooled: bool


@dataclass(frozen=True, eq=False)
class VisionTransformer:
    """A model whose attention is available at `sites`, one per layer.

    prefix_tokens: number of tokens before those of the patches; returns_tokens: whether the model
    returns the tokens of its last layer.
    """

    name: str
    loaded: Loaded
    architecture: Architecture
    sites: list[Site]
    prefix_tokens: int
    returns_tokens: bool

    def __call__(self, pixels: Tensor) -> Any:
        """The model's output for pixels (images, channels, height, width), which may be anywhere.

        Raises HarnessError if it does not take images of their size, or lacks memory.
        """
        module, size = self.loaded.module, tuple(pixels.shape[-2:])
        # Positions are interpolated for other sizes if the model can.
        fits = "interpolate_pos_encoding" in inspect.signature(module.forward).parameters
        other = fits and size != self.architecture.image
        options = {"interpolate_pos_encoding": True} if other else {}
        try:
            with running(self.name, module, pixels) as placed:
                return module(pixel_values=placed, **options)
        except harness.HarnessError:
            raise
        except Exception as error:  # models raise many types for images that do not suit them
            raise harness.HarnessError(
                f"{self.name}: it does not take images of {size[0]}×{size[1]} pixels: "
                f"{first_line(error)}"
            ) from error


def load(folder: Path, model: str, config: Any, *, classifier: bool) -> Loaded:
    """Load the model in a folder: its classifier, or its image tower without a head."""
    # A second model from the same configuration changes how the first computes attention.
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
            # Other implementations do not return the weights.
            attn_implementation="eager",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # damaged files, shapes other than the configuration's, and more
        raise harness.HarnessError(
            f"{model}: cannot be loaded: {first_line(error)}; if its file is damaged, fetch it anew"
        ) from error
    # For a tower without a pooling layer the library adds one, which no attention depends on.
    missing = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if missing or found["mismatched_keys"]:
        first = missing[0] if missing else str(next(iter(found["mismatched_keys"])))
        raise harness.HarnessError(
            f"{model}: its file lacks {max(len(missing), 1)} of the model's weights, such as "
            f"{first}; they would be random"
        )
    return Loaded(loaded.eval(), pooled=not any(found["missing_keys"]))


def inspect_model(
    loaded: Loaded, model: str, architecture: Architecture, pixels: Tensor
) -> VisionTransformer:
    """Find the modules that return attention and the tokens of the patches, by trial."""
    for name, weights in loaded.module.named_parameters():
        if not torch.isfinite(weights).all():
            raise harness.HarnessError(
                f"{model}: its weights are damaged: {name} has values that are no finite numbers; "
                "fetch or train it again"
            )
    transformer = VisionTransformer(model, loaded, architecture, [], 0, returns_tokens=False)
    outputs: list[Any] = []
    with torch.inference_mode():
        sites = find_attention(loaded.module, lambda: outputs.append(transformer(pixels)))
    if len(sites) != architecture.layers:
        raise harness.HarnessError(
            f"{model}: attention over all tokens is returned by {len(sites)} modules, not by each "
            f"of its {architecture.layers} layers"
        )
    rows, columns = grid_of(pixels, architecture.patch)
    found, tokens = tokens_of_patches(transformer, sites[0].attention, pixels, architecture.patch)
    first = tokens - rows * columns
    second_of_last_row = first + (rows - 1) * columns + min(1, columns - 1)
    if found != [[first], [second_of_last_row], [tokens - 1]]:
        raise harness.HarnessError(
            f"{model}: its {tokens} tokens do not end with one for each of {rows}×{columns} "
            "patches, row by row; the pixels of the first, of one below and of the last patch "
            f"reach the tokens {', '.join(map(_shown, found))}"
        )
    returns_tokens = outputs[0].get("last_hidden_state") is not None
    return replace(transformer, sites=sites, prefix_tokens=first, returns_tokens=returns_tokens)


def _shown(tokens: list[int]) -> str:
    """Up to three tokens by number; of more, how many there are."""
    return "/".join(map(str, tokens)) if 0 < len(tokens) < 4 else f"{len(tokens)} in number"
