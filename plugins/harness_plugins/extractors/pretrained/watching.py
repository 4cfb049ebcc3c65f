"""Attention weights taken from any model's forward pass, by hooks that change nothing.

A layer's weights are found where they come out of a module for the first time, whatever the
module is called: the attention itself, or the dropout that they go through.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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


def find_attention(model: nn.Module, run: Callable[[], object]) -> list[Site]:
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
    sites: Mapping[int, Site], heads: Sequence[int], *, mean: bool = False
) -> Iterator[dict[int, NDArray[np.float32]]]:
    """Keeps of a pass of one image the weights (heads, tokens, tokens) of some heads, by layer.

    sites: of the layers to keep, by number. mean: whether these heads' mean is kept in their
    place, as one. Nothing else is held.
    """
    kept: dict[int, NDArray[np.float32]] = {}

    def keeping(layer: int, site: Site) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            weights = site.weights(output)[0].detach()
            # All of them need no copy.
            chosen = weights if len(heads) == len(weights) else weights[list(heads)]
            kept[layer] = (chosen.mean(dim=0, keepdim=True) if mean else chosen).float().numpy()

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
        sums = found.sum(axis=2)
        # Of what is no number the comparison is False too.
        off = ~(np.abs(sums - 1) <= ROW_SUM_TOLERANCE)
        if off.any():
            raise harness.HarnessError(
                f"{model}: a row of attention of layer {layer} sums to {sums[off][0]:.3g}, not to 1"
            )


class Seen(BaseException):
    """Ends a pass that has shown what it was made for; no model's own handlers catch it."""


def tokens_of_patches(
    forward: Callable[[Tensor], object],
    attention: nn.Module,
    pixels: Tensor,
    patch: tuple[int, int],
) -> tuple[list[list[int]], int]:
    """Which tokens a patch's pixels change on their way into a model's first attention.

    Told by dependence for three patches of the grid: the first, the second of the last row, and
    the last; with the number of all tokens. pixels: (1, channels, height, width).
    """
    rows, columns = grid_of(pixels, patch)
    places = (0, 0), (rows - 1, min(1, columns - 1)), (rows - 1, columns - 1)
    seen: list[Tensor] = []

    def keep(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        values = [*positional, *named.values()]
        seen.append(next(value for value in values if isinstance(value, Tensor)).detach())
        raise Seen

    handle = attention.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        for given in (pixels, *(_changed(pixels, place, patch) for place in places)):
            with suppress(Seen), torch.inference_mode():
                forward(given)
    finally:
        handle.remove()
    intact, *others = seen
    changed = [torch.nonzero((other != intact).any(dim=-1)[0]) for other in others]
    return [tokens.flatten().tolist() for tokens in changed], intact.shape[1]


def _changed(pixels: Tensor, place: tuple[int, int], patch: tuple[int, int]) -> Tensor:
    """The pixels, those of the patch in a row and column brighter by one deviation."""
    changed = pixels.clone()
    top, left = place[0] * patch[0], place[1] * patch[1]
    changed[:, :, top : top + patch[0], left : left + patch[1]] += 1
    return changed


def grid_of(pixels: Tensor, patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches in pixels (1, channels, height, width)."""
    height, width = pixels.shape[-2:]
    return height // patch[0], width // patch[1]
