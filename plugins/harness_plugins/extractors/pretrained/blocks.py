"""Forward passes that begin at one block of a model, or that change its values."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.patch_tokens import Seen
from harness_plugins.extractors.pretrained.watching import Site

# Libraries' names for scores that are added before the softmax.
MASKS = ("attention_mask", "attn_mask")
Change = Callable[[Tensor], Tensor]
Forward = Callable[..., Any]
Replacement = Callable[[Forward], Forward]


def blocks_of(model: nn.Module, sites: Sequence[Site], name: str) -> list[nn.Module]:
    """The block of each layer: the item of a list of modules that contains its attention."""
    names = {id(module): path for path, module in model.named_modules()}
    blocks, parents = [], set()
    for site in sites:
        path = names[id(site.attention)]
        while path:
            parent, _, _ = path.rpartition(".")
            if isinstance(model.get_submodule(parent), nn.ModuleList | nn.Sequential):
                blocks.append(model.get_submodule(path))
                parents.add(parent)
                break
            path = parent
    if len(blocks) < len(sites) or len(parents) > 1:
        raise harness.HarnessError(f"{name}: its layers are not a list of blocks")
    return blocks


@dataclass(frozen=True, eq=False)
class Entry:
    """The input of a block: tokens (images, tokens, dimensions).

    wrapped: whether each block before it returns its tokens as the first item of a tuple.
    """

    tokens: Tensor
    wrapped: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.wrapped)


def entry_of(
    forward: Callable[[], object], blocks: Sequence[nn.Module], layer: int, name: str
) -> Entry:
    """The input of a block when `forward` calls the model for one image; the pass ends there.

    Raises HarnessError, with the model's name, if the block does not take tokens by image.
    """
    wrapped: list[bool] = []
    seen: list[Tensor] = []

    def enter(_: nn.Module, given: tuple[Any, ...]) -> None:
        seen.append(given[0])
        raise Seen

    def leave(_: nn.Module, __: Any, output: Any) -> None:
        wrapped.append(isinstance(output, tuple))

    with ExitStack() as hooks, suppress(Seen):
        for block in blocks[:layer]:
            hooks.enter_context(block.register_forward_hook(leave))
        hooks.enter_context(blocks[layer].register_forward_pre_hook(enter))
        forward()
    (tokens,) = seen
    if tokens.ndim != 3 or len(tokens) != 1:
        raise harness.HarnessError(
            f"{name}: its layers take tokens of shape {tuple(tokens.shape)}, not (images, tokens, "
            "dimensions)"
        )
    return Entry(tokens, tuple(wrapped))


@contextmanager
def begun_at(blocks: Sequence[nn.Module], entry: Entry, images: int) -> Iterator[None]:
    """Make forward passes begin at a block, with `images` copies of the one image's tokens.

    The blocks before it pass their input on; the pixels' number of images has no effect.
    """
    tokens = entry.tokens.expand(images, -1, -1)
    with ExitStack() as stack:
        for block, wrapped in zip(blocks, entry.wrapped, strict=False):
            stack.enter_context(forwards_replaced([block], partial(_passing, wrapped=wrapped)))
        block = blocks[len(entry)]
        with block.register_forward_pre_hook(lambda _, given: (tokens, *given[1:])):
            yield


def _passing(_: Forward, *, wrapped: bool) -> Forward:
    """Return the input."""

    def pass_on(tokens: Tensor, *_: Any, **__: Any) -> Any:
        return (tokens,) if wrapped else tokens

    return pass_on


@contextmanager
def rows_changed(module: nn.Module, change: Change) -> Iterator[None]:
    """Change the tokens that a module returns: its output, or the first item of it."""

    def hook(_: nn.Module, __: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (change(output[0]), *output[1:])
        return change(output)

    with module.register_forward_hook(hook):
        yield


@contextmanager
def keys_hidden(
    attention: nn.Module, hidden: Tensor, dtype: torch.dtype, name: str
) -> Iterator[None]:
    """Keep all other tokens from attending to hidden ones; each still attends to itself.

    hidden: (images, tokens) of bool, where the module is; dtype: of its scores.
    """
    signature = inspect.signature(attention.forward)
    mask = next((mask for mask in MASKS if mask in signature.parameters), None)
    if mask is None:
        raise harness.HarnessError(f"{name}: its attention takes no mask to hide keys with")
    own = torch.eye(hidden.shape[1], dtype=torch.bool, device=hidden.device)
    scores = torch.zeros(len(hidden), 1, *own.shape, dtype=dtype, device=hidden.device)
    scores.masked_fill_(hidden[:, None, None, :] & ~own, -torch.inf)

    def hook(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        bound = signature.bind(*positional, **named)
        given = bound.arguments.get(mask)
        added = scores
        if isinstance(attention, nn.MultiheadAttention):
            added = scores.expand(-1, attention.num_heads, -1, -1).flatten(0, 1)
        # Some models pass relative positions as a mask.
        bound.arguments[mask] = added if given is None else given + added
        return bound.args, bound.kwargs

    with attention.register_forward_pre_hook(hook, with_kwargs=True):
        yield


@contextmanager
def forwards_replaced(modules: Iterable[nn.Module], replacement: Replacement) -> Iterator[None]:
    """Replace the `forward` of modules by what `replacement` makes of it."""
    with ExitStack() as stack:
        for module in modules:
            before = vars(module).get("forward")
            vars(module)["forward"] = replacement(module.forward)
            stack.callback(_restore, module, before)
        yield


def _restore(module: nn.Module, forward: Forward | None) -> None:
    """Undo a replacement, which may be the second of this module."""
    if forward is None:
        del vars(module)["forward"]
    else:
        vars(module)["forward"] = forward


def computed_once(forward: Forward) -> Forward:
    """Compute what is equal for all images only once: expanded tokens have no stride there."""

    def once(*given: Any, **named: Any) -> Any:
        # Some models name the tokens, the first of the arguments.
        tokens = given[0] if given else next(iter(named.values()))
        if len(tokens) == 1 or tokens.stride(0):
            return forward(*given, **named)

        def of_one(value: Any) -> Any:
            # Attention may take the tokens as queries, keys and values.
            return tokens[:1] if value is tokens else value

        output = forward(*map(of_one, given), **{name: of_one(named[name]) for name in named})
        if isinstance(output, tuple):
            return (output[0].expand(len(tokens), -1, -1), *output[1:])
        return output.expand(len(tokens), -1, -1)

    return once


@contextmanager
def narrowed(block: nn.Module, attention: nn.Module, prefix: int) -> Iterator[None]:
    """After a block's attention, compute the first `prefix` tokens alone; others become NaN.

    Without attention, tokens do not depend on each other. An output that depends on other tokens
    becomes NaN.
    """
    attended = False

    def watch(*_: object) -> None:
        nonlocal attended
        attended = True

    def enter(*_: object) -> None:
        nonlocal attended
        attended = False

    def narrowing(forward: Forward) -> Forward:
        def narrow(tokens: Tensor, *more: Any, **named: Any) -> Any:
            if not attended or tokens.ndim != 3 or more or named:
                return forward(tokens, *more, **named)
            output = forward(tokens[:, :prefix])
            rest = tokens.shape[1] - prefix
            return nn.functional.pad(output, (0, 0, 0, rest), value=torch.nan)

        return narrow

    others = [part for part in block.children() if attention not in part.modules()]
    with (
        block.register_forward_pre_hook(enter),
        attention.register_forward_hook(watch),
        forwards_replaced(others, narrowing),
    ):
        yield
