"""Attention weights taken from any model's forward pass, by hooks that change nothing.

A layer's weights are found where they come out of a module for the first time, whatever the
module is called: the attention itself, or the dropout that they go through.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import harness

# Rows of a softmax in half precision sum to one this well.
ROW_SUM_TOLERANCE = 5e-3


@dataclass(frozen=True, eq=False)
class Site:
    """Where a layer's weights come out: a module's output, or the part of it at an index.

    attention: the module that the layer's tokens go into to be attended to.
    """

    module: nn.Module
    index: int | None
    attention: nn.Module

    def weights(self, output: Any) -> Tensor:
        """The weights (images, heads, tokens, tokens) in the module's output."""
        found: Tensor = output if self.index is None else output[self.index]
        return found


def sites_of(model: nn.Module, run: Callable[[], object]) -> list[Site]:
    """Where each layer's weights come out when `run` calls the model, in the order of layers."""
    found: list[Site] = []
    last: Tensor | None = None

    def watching(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def watch(module: nn.Module, _: Any, output: Any) -> None:
            nonlocal last
            whole = not isinstance(output, tuple | list)
            for index, part in enumerate([output] if whole else output):
                # Modules around the attention hand its very tensor on.
                if part is not last and is_attention(part):
                    last = part
                    # What gives weights and nothing else is a part of the attention.
                    around = model.get_submodule(name.rpartition(".")[0]) if whole else module
                    found.append(Site(module, None if whole else index, around))

        return watch

    handles = [
        module.register_forward_hook(watching(name)) for name, module in model.named_modules()
    ]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return found


def is_attention(value: object) -> bool:
    """Whether a value is weights (images, heads, tokens, tokens) whose rows sum to one."""
    if not isinstance(value, Tensor) or value.ndim != 4 or value.shape[2] != value.shape[3]:
        return False
    if not value.is_floating_point() or not value.numel() or bool((value < 0).any()):
        return False
    return bool((value.sum(dim=-1) - 1).abs().max() <= ROW_SUM_TOLERANCE)


@contextmanager
def watched(
    sites: Mapping[int, Site], heads: Sequence[int]
) -> Iterator[dict[int, NDArray[np.float32]]]:
    """Keeps of a pass of one image the weights (heads, tokens, tokens) of some heads, by layer.

    sites: of the layers to keep, by number. Nothing else is held.
    """
    kept: dict[int, NDArray[np.float32]] = {}

    def keeping(layer: int, site: Site) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            weights = site.weights(output)[0].detach()
            # All of them need no copy.
            chosen = weights if len(heads) == len(weights) else weights[list(heads)]
            kept[layer] = chosen.float().numpy()

        return keep

    handles = [
        site.module.register_forward_hook(keeping(layer, site)) for layer, site in sites.items()
    ]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def check_attention(
    weights: Mapping[int, NDArray[np.float32]],
    layers: Sequence[int],
    prefix_tokens: int,
    grid: tuple[int, int],
    model: str,
) -> None:
    """Raise HarnessError unless each layer gave attention over all tokens, rows summing to one."""
    tokens = prefix_tokens + grid[0] * grid[1]
    for layer in layers:
        if layer not in weights:
            raise harness.HarnessError(f"{model}: no attention came out of layer {layer}")
        found = weights[layer]
        if found.shape[1:] != (tokens, tokens):
            raise harness.HarnessError(
                f"{model}: attention of layer {layer} is over {found.shape[1]} tokens, not over "
                f"{grid[0]}×{grid[1]} patches and {prefix_tokens} before them"
            )
        off = float(np.abs(found.sum(axis=2) - 1).max())
        if not off <= ROW_SUM_TOLERANCE:
            raise harness.HarnessError(
                f"{model}: a row of attention of layer {layer} sums to {1 + off:.3g} or "
                f"{1 - off:.3g}, not to 1"
            )


def tokens_of_patches(
    model: Callable[[Tensor], object],
    first: nn.Module,
    pixels: Tensor,
    patch: tuple[int, int],
) -> list[list[int]]:
    """The tokens that come into the first attention changed when a patch's pixels change.

    Told by dependence for three patches of the grid: the first, the second of the last row and the
    last. pixels: (1, channels, height, width).
    """
    rows, columns = grid_of(pixels, patch)
    seen: list[Tensor] = []

    def keep(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        values = [*positional, *named.values()]
        seen.append(next(value for value in values if isinstance(value, Tensor)).detach())

    handle = first.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.inference_mode():
            model(pixels)
            for row, column in ((0, 0), (rows - 1, min(1, columns - 1)), (rows - 1, columns - 1)):
                changed = pixels.clone()
                top, left = row * patch[0], column * patch[1]
                changed[:, :, top : top + patch[0], left : left + patch[1]] += 1
                model(changed)
    finally:
        handle.remove()
    intact, *others = seen
    return [torch.nonzero((other != intact).any(dim=-1)[0]).flatten().tolist() for other in others]


def grid_of(pixels: Tensor, patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches in pixels (1, channels, height, width)."""
    height, width = pixels.shape[-2:]
    return height // patch[0], width // patch[1]
