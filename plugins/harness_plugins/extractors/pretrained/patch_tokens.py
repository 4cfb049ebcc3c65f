"""Finds by trying which of a model's tokens are patches, and how large patches are."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.watching import first_tensor, tokens_given

Forward = Callable[[Tensor], object]


class Seen(BaseException):
    """Ends a forward pass early; not an Exception, so that no handler in a model catches it."""


def tokens_of_patches(
    forward: Forward, attention: nn.Module, pixels: Tensor, patch: tuple[int, int]
) -> tuple[list[list[int]], int]:
    """The tokens that three patches' pixels change before the first attention, and their number.

    The patches are the first of the grid, the second of the last row, and the last. The number is
    that of all tokens. pixels: (1, channels, height, width). Raises HarnessError if the attention
    takes no tokens.
    """
    rows, columns = grid_of(pixels, patch)
    patches = (0, 0), (rows - 1, min(1, columns - 1)), (rows - 1, columns - 1)
    starts = [(row * patch[0], column * patch[1]) for row, column in patches]
    brighter = [_brighter(pixels, start, patch) for start in starts]
    intact, *others = _tokens_before(forward, attention, [pixels, *brighter])
    return [_differing(other, intact) for other in others], intact.shape[1]


def patch_size(forward: Forward, attention: nn.Module, pixels: Tensor) -> tuple[int, int]:
    """Height and width of the first patch: how far its pixels change the same tokens.

    pixels: (1, channels, height, width). Raises HarnessError as `tokens_of_patches` does.
    """

    def changed(at: tuple[int, int]) -> list[int]:
        given = [pixels, _brighter(pixels, at, (1, 1))]
        intact, other = _tokens_before(forward, attention, given)
        return _differing(other, intact)

    first = changed((0, 0))
    height, width = pixels.shape[-2:]
    down = bisect_left(range(height), True, key=lambda row: changed((row, 0)) != first)
    across = bisect_left(range(width), True, key=lambda column: changed((0, column)) != first)
    return down, across


def _tokens_before(
    forward: Forward, attention: nn.Module, several: Iterable[Tensor]
) -> list[Tensor]:
    """The tokens (1, tokens, dimensions) that attention takes, for each of several pixels."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        tokens = tokens_given(module, first_tensor(positional, named))
        if tokens is None:
            raise harness.HarnessError(
                f"its attention ({type(module).__name__}) takes no tokens (images, tokens, "
                "dimensions)"
            )
        seen.append(tokens.detach())
        raise Seen

    with attention.register_forward_pre_hook(keep, with_kwargs=True):
        for pixels in several:
            with suppress(Seen), torch.inference_mode():
                forward(pixels)
    return seen


def _differing(tokens: Tensor, others: Tensor) -> list[int]:
    """The numbers of the tokens that differ between two tensors (1, tokens, dimensions)."""
    found: list[int] = torch.nonzero((tokens != others).any(dim=-1)[0]).flatten().tolist()
    return found


def _brighter(pixels: Tensor, start: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """The pixels with a rectangle, from (top, left) on, brighter by one deviation."""
    changed = pixels.clone()
    (top, left), (height, width) = start, size
    changed[:, :, top : top + height, left : left + width] += 1
    return changed


def grid_of(pixels: Tensor, patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches in pixels (1, channels, height, width)."""
    height, width = pixels.shape[-2:]
    return height // patch[0], width // patch[1]
