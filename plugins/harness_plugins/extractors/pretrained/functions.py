"""Attention that functions of torch compute: the weights, beside what the functions return.

Three kinds of functions compute attention: a softmax over scores, which returns the weights; fused
attention, which returns none; and `multi_head_attention_forward`, which does both for a module
`nn.MultiheadAttention`. While a torch function mode is active, torch takes no path that the mode
cannot see: `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` leave their fast paths.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, eq=False)
class Computed:
    """Attention that a function computed, over as many queries as keys.

    shape: (images, heads, tokens, tokens); weights: computes them, if they are asked for; returned:
    them, if the function itself returned them.
    """

    shape: tuple[int, ...]
    weights: Callable[[], Tensor]
    returned: Tensor | None = None


class AttentionFunctions(TorchFunctionMode):
    """Tells `see` of the attention that each function computes, after it has returned."""

    def __init__(self, see: Callable[[Computed], None]) -> None:
        super().__init__()
        self.see = see

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        output = func(*args, **named)
        find = _FINDERS.get(func)
        computed = None if find is None else find(output, args, named)
        if computed is not None:
            self.see(computed)
        return output


Finder = Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Computed | None]


def _of_softmax(output: Tensor, args: tuple[Any, ...], named: Mapping[str, Any]) -> Computed | None:
    axis = named["dim"] if "dim" in named else args[1] if len(args) > 1 else None
    square = output.ndim in (3, 4) and output.shape[-2] == output.shape[-1]
    if not square or axis not in (-1, output.ndim - 1):
        return None
    weights = _with_heads(output)
    # The tensor itself if it has heads, so that it is known again where a module returns it.
    return Computed(tuple(weights.shape), lambda: weights, weights)


def _of_fused(_: Tensor, args: tuple[Any, ...], named: Mapping[str, Any]) -> Computed | None:
    bound = _bound(fused_weights, args, named)
    query, key = bound["query"], bound["key"]
    if query.is_nested or query.ndim not in (3, 4) or query.shape[-2] != key.shape[-2]:
        return None
    heads = query.shape[1] if query.ndim == 4 else 1
    shape = query.shape[0], heads, query.shape[-2], key.shape[-2]
    return Computed(shape, lambda: _with_heads(fused_weights(**bound)))


def fused_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The weights (…, queries, keys) that `scaled_dot_product_attention` applies to the values.

    They are those before dropout, computed at least in single precision. The parameters are the
    function's own.
    """
    wide = torch.promote_types(query.dtype, torch.float32)
    query, key = query.to(wide), key.to(wide)
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if attn_mask is not None:
        allowed = attn_mask.dtype == torch.bool
        scores = (
            scores.masked_fill(~attn_mask, -torch.inf) if allowed else scores + attn_mask.to(wide)
        )
    return scores.softmax(dim=-1)


def _of_multi_head(_: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Computed | None:
    forward = functional.multi_head_attention_forward
    bound = _bound(forward, args, named)
    query, key = bound["query"], bound["key"]
    # Keys that the module adds are of no token.
    added = bound["bias_k"] is not None or bound["add_zero_attn"]
    if added or bound["static_k"] is not None or query.shape[0] != key.shape[0]:
        return None
    tokens, images = query.shape[0], query.shape[1] if query.ndim == 3 else 1

    def weights() -> Tensor:
        asked = {"need_weights": True, "average_attn_weights": False, "training": False}
        found: Any = forward(**(bound | asked))[1]
        shown: Tensor = found.reshape(images, -1, tokens, tokens)
        return shown

    return Computed((images, bound["num_heads"], tokens, tokens), weights)


def _bound(
    function: Callable[..., Any], args: tuple[Any, ...], named: Mapping[str, Any]
) -> dict[str, Any]:
    """All arguments of a call by name, defaults included."""
    bound = inspect.signature(function).bind(*args, **named)
    bound.apply_defaults()
    return dict(bound.arguments)


def _with_heads(weights: Tensor) -> Tensor:
    """Weights (images, tokens, tokens) as those of one head; others as they are."""
    return weights if weights.ndim == 4 else weights[:, None]


_FINDERS: Mapping[Any, Finder] = {
    torch.softmax: _of_softmax,
    torch.special.softmax: _of_softmax,
    Tensor.softmax: _of_softmax,
    functional.softmax: _of_softmax,
    functional.scaled_dot_product_attention: _of_fused,
    functional.multi_head_attention_forward: _of_multi_head,
}
