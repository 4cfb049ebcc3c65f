from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.patch_tokens import (
    grid_of,
    patch_size,
    tokens_of_patches,
)
from harness_plugins.extractors.pretrained.watching import find_attention
from support.models import loaded, pixels

PATCH = (8, 8)


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


def test_the_size_of_a_patch_is_found_by_trying(family: str, tiny: Callable[[str], Path]) -> None:
    model = loaded(tiny(family))
    with torch.inference_mode():
        sites = find_attention(model, lambda: model(pixels()))

        assert patch_size(model, sites[0].attention, pixels()) == PATCH


def test_patches_may_be_wider_than_high() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, (4, 16), stride=(4, 16))
            self.attention = nn.MultiheadAttention(8, 2)

        def forward(self, images: Tensor) -> Tensor:
            tokens = self.patches(images).flatten(2).permute(2, 0, 1)
            attended: Tensor = self.attention(tokens, tokens, tokens)[0]
            return attended

    model = Model()

    assert patch_size(model, model.attention, pixels()) == (4, 16)
    assert tokens_of_patches(model, model.attention, pixels(), (4, 16)) == ([[0], [15], [15]], 16)


def test_attention_that_takes_no_tokens_is_refused() -> None:
    identity = nn.Identity()

    with pytest.raises(harness.HarnessError, match=r"its attention \(Identity\) takes no tokens"):
        patch_size(identity, identity, pixels())
