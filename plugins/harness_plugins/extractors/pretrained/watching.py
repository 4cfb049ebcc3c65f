"""Reads attention weights from any model's forward pass, by hooks that change nothing.

A layer's weights are read from the first module that returns them, whatever its name: the
attention itself, or the dropout applied to them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import harness

# Holds in half precision: bfloat16 rounds each weight by up to 2⁻⁸ of itself, and sums are single.
ROW_SUM_TOLERANCE = 5e-3


@dataclass(frozen=True, eq=False)
class Site:
    """Where a layer's weights are returned: a module's output, or the item of it at an index.

    attention: the attention module, which takes the layer's tokens.
    """

    module: nn.Module
    index: int | None
    attention: nn.Module


def find_attention(model: nn.Module, run: Callable[[], object]) -> list[Site]:
    """The sites of all layers, in order, found while `run` calls the model."""
    found: list[Site] = []
    last: Tensor | None = None

    def watching(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def watch(module: nn.Module, _: Any, output: Any) -> None:
            nonlocal last
            whole = not isinstance(output, tuple | list)
            for index, part in enumerate([output] if whole else output):
                # Modules around the attention return the same tensor.
                if part is not last and is_attention(part):
                    last = part
                    # A module that returns nothing but weights is part of the attention.
                    around = model.get_submodule(name.rpartition(".")[0]) if whole else module
                    found.append(Site(module, None if whole else index, around))

        return watch

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            hooks.enter_context(module.register_forward_hook(watching(name)))
        run()
    return found


def is_attention(value: object) -> bool:
    """Whether a value is weights (images, heads, tokens, tokens) with rows that sum to one."""
    if not isinstance(value, Tensor) or value.ndim != 4 or value.shape[2] != value.shape[3]:
        return False
    if not value.is_floating_point() or not value.numel() or bool((value < 0).any()):
        return False
    sums = value.sum(dim=-1, dtype=torch.promote_types(value.dtype, torch.float32))
    return bool((sums - 1).abs().max() <= ROW_SUM_TOLERANCE)


@contextmanager
def watched(
    sites: Mapping[int, Site], heads: Sequence[int], *, images: int, mean: bool = False
) -> Iterator[dict[int, NDArray[np.float32]]]:
    """Collect the weights (images, heads, tokens, tokens) of some heads, by layer, in a pass.

    sites: of the wanted layers, by number. images: how many, the first of the pass. mean: whether
    to collect only the mean of these heads, as one head. Nothing else is held in memory: a layer's
    weights leave the device, in one transfer, before the next layer computes its own.
    """
    collected: dict[int, NDArray[np.float32]] = {}

    def collecting(layer: int, site: Site) -> Callable[[nn.Module, Any, Any], None]:
        def collect(_: nn.Module, __: Any, output: Any) -> None:
            found = output if site.index is None else output[site.index]
            weights = found[:images].detach()
            # No copy is needed for all heads.
            chosen = weights if len(heads) == weights.shape[1] else weights[:, list(heads)]
            if mean:
                chosen = chosen.float().mean(dim=1, keepdim=True)
            collected[layer] = chosen.cpu().float().numpy()

        return collect

    with ExitStack() as hooks:
        for layer, site in sites.items():
            hooks.enter_context(site.module.register_forward_hook(collecting(layer, site)))
        yield collected


def check_attention(
    weights: Mapping[int, NDArray[np.float32]],
    layers: Sequence[int],
    prefix_tokens: int,
    grid: tuple[int, int],
    model: str,
) -> None:
    """Raise HarnessError unless each layer returned attention over all tokens, with sums of one."""
    tokens = prefix_tokens + grid[0] * grid[1]
    for layer in layers:
        if layer not in weights:
            raise harness.HarnessError(f"{model}: layer {layer} returned no attention")
        found = weights[layer]
        if found.shape[1:] != (tokens, tokens):
            raise harness.HarnessError(
                f"{model}: attention of layer {layer} is over {found.shape[1]} tokens, not over "
                f"{grid[0]}×{grid[1]} patches and {prefix_tokens} before them"
            )
        sums = found.sum(axis=2)
        # NaN fails the comparison.
        off = ~(np.abs(sums - 1) <= ROW_SUM_TOLERANCE)
        if off.any():
            raise harness.HarnessError(
                f"{model}: a row of attention of layer {layer} sums to {sums[off][0]:.3g}, not to 1"
            )


class Seen(BaseException):
    """Ends a forward pass early; not an Exception, so that no handler in a model catches it."""


def tokens_of_patches(
    forward: Callable[[Tensor], object],
    attention: nn.Module,
    pixels: Tensor,
    patch: tuple[int, int],
) -> tuple[list[list[int]], int]:
    """The tokens that three patches' pixels change before the first attention, and their number.

    The patches are the first of the grid, the second of the last row, and the last. The number is
    that of all tokens. pixels: (1, channels, height, width).
    """
    rows, columns = grid_of(pixels, patch)
    patches = (0, 0), (rows - 1, min(1, columns - 1)), (rows - 1, columns - 1)
    seen: list[Tensor] = []

    def keep(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        values = [*positional, *named.values()]
        seen.append(next(value for value in values if isinstance(value, Tensor)).detach())
        raise Seen

    with attention.register_forward_pre_hook(keep, with_kwargs=True):
        for given in (pixels, *(_changed(pixels, at, patch) for at in patches)):
            with suppress(Seen), torch.inference_mode():
                forward(given)
    intact, *others = seen
    changed = [torch.nonzero((other != intact).any(dim=-1)[0]) for other in others]
    return [tokens.flatten().tolist() for tokens in changed], intact.shape[1]


def _changed(pixels: Tensor, at: tuple[int, int], patch: tuple[int, int]) -> Tensor:
    """The pixels with the patch at a row and column brighter by one deviation."""
    changed = pixels.clone()
    top, left = at[0] * patch[0], at[1] * patch[1]
    changed[:, :, top : top + patch[0], left : left + patch[1]] += 1
    return changed


def grid_of(pixels: Tensor, patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches in pixels (1, channels, height, width)."""
    height, width = pixels.shape[-2:]
    return height // patch[0], width // patch[1]
