from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from harness_plugins.extractors.pretrained.patch_tokens import (
    grid_of,
    tokens_of_patches,
)
from harness_plugins.extractors.pretrained.watching import find_attention

PATCH = (8, 8)


def loaded(folder: Path) -> nn.Module:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    found: nn.Module = getattr(model, "vision_model", model)
    return found


def pixels(height: int = 32, width: int = 32) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_the_tokens_of_patches_follow_those_of_the_model(
    family: str, tiny: Callable[[str], Path], prefix_tokens: Mapping[str, int]
) -> None:
    model, prefix = loaded(tiny(family)), prefix_tokens[family]
    with torch.inference_mode():
        sites = find_attention(model, lambda: model(pixels()))
        found, tokens = tokens_of_patches(model, sites[0].attention, pixels(), PATCH)

    assert tokens == prefix + 16
    assert found == [[prefix], [prefix + 13], [prefix + 15]]


def test_a_grid_has_whole_patches_only() -> None:
    assert grid_of(pixels(31, 40), PATCH) == (3, 5)
