"""Reads attention weights from any model's forward pass, and changes nothing.

A layer's weights are read from the first module that returns them, whatever its name: the
attention itself, or the dropout applied to them. Where no module returns them, they are read from
the function that computes them.
"""

import weakref
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.functions import AttentionFunctions, Computed

# Holds in half precision: bfloat16 rounds each weight by up to 2⁻⁸ of itself, and sums are single.
ROW_SUM_TOLERANCE = 5e-3

K = TypeVar("K")


@dataclass(frozen=True)
class Returned:
    """Weights that a module returns: its output, or the item of it at an index."""

    index: int | None


@dataclass(frozen=True)
class Called:
    """Weights of the function of attention that is called as this number while a module runs."""

    number: int


@dataclass(frozen=True, eq=False)
class Site:
    """Where a layer's weights are found in a forward pass.

    module, visit: a module, and in which of its calls in the pass; attention: the attention module,
    which takes the layer's tokens; shape: of the weights, (images, heads, tokens, tokens).
    """

    module: nn.Module
    visit: int
    place: Returned | Called
    attention: nn.Module
    shape: tuple[int, ...]


def find_attention(model: nn.Module, run: Callable[[], object]) -> list[Site]:
    """The sites of all layers, in order, found while `run` calls the model."""
    search = _Search()
    with search.following(model.modules()), AttentionFunctions(search.see):
        run()
    return search.sites


@contextmanager
def weights_read(sites: Mapping[K, Site], read: Callable[[K, Tensor], None]) -> Iterator[None]:
    """A context in which forward passes give each site's weights to `read`, with the site's key."""
    modules = {id(site.module): site.module for site in sites.values()}.values()
    reading = _Reading(sites, read)
    with ExitStack() as stack:
        stack.enter_context(reading.following(modules))
        if any(isinstance(site.place, Called) for site in sites.values()):
            stack.enter_context(AttentionFunctions(reading.see))
        yield


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

    def collect(layer: int, found: Tensor) -> None:
        weights = found[:images].detach()
        # No copy is needed for all heads.
        chosen = weights if len(heads) == weights.shape[1] else weights[:, list(heads)]
        if mean:
            chosen = chosen.float().mean(dim=1, keepdim=True)
        collected[layer] = chosen.cpu().float().numpy()

    with weights_read(sites, collect):
        yield collected


def check_attention(
    weights: Mapping[int, NDArray[np.float32]],
    layers: Sequence[int],
    prefix_tokens: int,
    grid: tuple[int, int],
    model: str,
) -> None:
    """Raise HarnessError unless each layer returned attention over all tokens, with sums of one."""
    check_rows(weights, layers, model)
    tokens = prefix_tokens + grid[0] * grid[1]
    for layer in layers:
        if weights[layer].shape[1:] != (tokens, tokens):
            raise harness.HarnessError(
                f"{model}: attention of layer {layer} is over {weights[layer].shape[1]} tokens, "
                f"not over {grid[0]}×{grid[1]} patches and {prefix_tokens} before them"
            )


def check_rows(
    weights: Mapping[int, NDArray[np.float32]], layers: Sequence[int], model: str
) -> None:
    """Raise HarnessError unless each layer returned attention, with sums of one."""
    for layer in layers:
        if layer not in weights:
            raise harness.HarnessError(f"{model}: layer {layer} returned no attention")
        sums = weights[layer].sum(axis=-1)
        # NaN fails the comparison.
        off = ~(np.abs(sums - 1) <= ROW_SUM_TOLERANCE)
        if off.any():
            raise harness.HarnessError(
                f"{model}: a row of attention of layer {layer} sums to {sums[off][0]:.3g}, not to 1"
            )


@dataclass
class _Visit:
    """One call of a module.

    given: its first tensor; calls: of functions of attention up to now; before: how many sites had
    been found when it began.
    """

    module: nn.Module
    number: int
    given: Tensor | None
    before: int = 0
    calls: int = 0


class _Follower(ABC):
    """Follows which modules run in forward passes, the innermost last."""

    def __init__(self) -> None:
        self.running: list[_Visit] = []
        self._visits: Counter[int] = Counter()

    @contextmanager
    def following(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """A context in which the calls of these modules are followed."""
        with ExitStack() as hooks:
            for module in modules:
                entering = module.register_forward_pre_hook(self.enter, with_kwargs=True)
                hooks.enter_context(entering)
                hooks.enter_context(module.register_forward_hook(self.leave))
            yield

    def enter(self, module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = first_tensor(positional, named)
        self.running.append(_Visit(module, self._visits[id(module)], given))
        self._visits[id(module)] += 1

    def leave(self, module: nn.Module, _: Any, output: Any) -> None:
        # A module that failed, and whose failure was handled, was never left.
        while self.running[-1].module is not module:
            self.running.pop()
        self.returned(self.running[-1], output)
        self.running.pop()

    def see(self, computed: Computed) -> None:
        """Take note of what a function of attention computed."""
        self.computed(computed)
        for visit in self.running:
            visit.calls += 1

    @abstractmethod
    def returned(self, visit: _Visit, output: Any) -> None:
        """A module returned."""

    @abstractmethod
    def computed(self, computed: Computed) -> None:
        """A function computed attention while the innermost module runs."""


class _Search(_Follower):
    """Finds the sites of a pass, each with the tensor of its weights while there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.sites: list[Site] = []
        self._weights: list[Callable[[], Tensor | None]] = []

    def enter(self, module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        super().enter(module, positional, named)
        self.running[-1].before = len(self.sites)

    def computed(self, computed: Computed) -> None:
        if self.running:
            visit = self.running[-1]
            place = Called(visit.calls)
            self._add(visit, place, computed.shape, computed.returned, self.running)

    def returned(self, visit: _Visit, output: Any) -> None:
        whole = not isinstance(output, tuple | list)
        for index, part in enumerate([output] if whole else output):
            if not isinstance(part, Tensor):
                continue
            place = Returned(None if whole else index)
            known = [number for number, found in enumerate(self._weights) if found() is part]
            if known:
                # Modules around the attention return the same tensor.
                site = self.sites[known[0]]
                if isinstance(site.place, Called):
                    site = replace(site, module=visit.module, visit=visit.number, place=place)
                    self.sites[known[0]] = site
            elif is_attention(part) and not self._passes_on(visit, part):
                # A module that returns nothing but weights is part of the attention.
                around = self.running[:-1] if whole else self.running
                self._add(visit, place, tuple(part.shape), part, around or self.running)

    def _passes_on(self, visit: _Visit, part: Tensor) -> bool:
        """Whether a module returns in another form, or another type, what a function computed."""
        last = self.sites[-1] if self.sites else None
        if last is None or not isinstance(last.place, Called):
            return False
        same = (last.shape[0], last.shape[-1]) == (part.shape[0], part.shape[-1])
        within = visit.before < len(self.sites)
        return same and (within or is_attention(visit.given))

    def _add(
        self,
        visit: _Visit,
        place: Returned | Called,
        shape: tuple[int, ...],
        weights: Tensor | None,
        around: Sequence[_Visit],
    ) -> None:
        """Add a site, unless it is of something else than tokens; around: modules around it."""
        inwards = list(reversed(around))
        shapes = (each.given.shape for each in inwards if each.given is not None)
        nearest = next((each for each in shapes if len(each) == 3), None)
        # Attention between channels is over another number than that of tokens.
        if nearest is not None and shape[-1] not in nearest[:2]:
            return
        attention = next((each.module for each in inwards if _takes(each, shape[-1])), None)
        module = around[-1].module if attention is None else attention
        self.sites.append(Site(visit.module, visit.number, place, module, shape))
        self._weights.append(weakref.ref(weights) if weights is not None else lambda: None)


class _Reading(_Follower, Generic[K]):
    """Gives the weights of sites, with their keys, to `read`."""

    def __init__(self, sites: Mapping[K, Site], read: Callable[[K, Tensor], None]) -> None:
        super().__init__()
        self._read = read
        self._sites: dict[tuple[int, int], list[tuple[K, Returned | Called]]] = {}
        for key, site in sites.items():
            self._sites.setdefault((id(site.module), site.visit), []).append((key, site.place))

    def computed(self, computed: Computed) -> None:
        for visit in self.running:
            for key, place in self._at(visit):
                if place == Called(visit.calls):
                    self._read(key, computed.weights())

    def returned(self, visit: _Visit, output: Any) -> None:
        for key, place in self._at(visit):
            if isinstance(place, Returned):
                self._read(key, output if place.index is None else output[place.index])

    def _at(self, visit: _Visit) -> Sequence[tuple[K, Returned | Called]]:
        return self._sites.get((id(visit.module), visit.number), ())


def _takes(visit: _Visit, tokens: int) -> bool:
    """Whether a module is given so many tokens."""
    given = tokens_given(visit.module, visit.given)
    return given is not None and given.shape[1] == tokens


def first_tensor(positional: tuple[Any, ...], named: Mapping[str, Any]) -> Tensor | None:
    """The first tensor among the arguments of a module."""
    return next(
        (value for value in (*positional, *named.values()) if isinstance(value, Tensor)), None
    )


def tokens_given(module: nn.Module, given: Tensor | None) -> Tensor | None:
    """The tokens (images, tokens, dimensions) that a module is given, if it is given tokens."""
    if given is None or given.ndim != 3:
        return None
    sequence_first = isinstance(module, nn.MultiheadAttention) and not module.batch_first
    return given.transpose(0, 1) if sequence_first else given
