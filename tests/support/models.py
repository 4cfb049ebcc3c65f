"""Tiny models of transformers, and images for them."""

from pathlib import Path

import torch
from torch import Tensor, nn


def loaded(folder: Path) -> nn.Module:
    """The vision model in a folder, with eager attention, in evaluation mode."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    found: nn.Module = getattr(model, "vision_model", model)
    return found


def pixels(height: int = 32, width: int = 32) -> Tensor:
    """A random image, the same in every call."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
