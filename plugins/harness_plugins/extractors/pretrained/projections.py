"""Finds the queries, keys and values of attention modules by trying, whatever their names.

They are outputs of linear maps that a module computes, each on its own or fused into one. Gradients
tell which: of the log-ratio of two weights in one row of the attention, log A[i, a] − log A[i, b],
the query of token i has one, and the keys of tokens a and b, but no other query or key, and no
value. So what the module does to queries and keys on their way into the attention does not matter,
such as normalisation, rotary positions, or scores that are added for relative positions. Values are
what does not change the attention, but carries it into the output of other tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import harness
from harness_plugins.extractors.pretrained.blocks import Forward, forwards_replaced
from harness_plugins.extractors.pretrained.model import VisionTransformer
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.extractors.pretrained.watching import Site

Projected = Literal["queries", "keys", "values"]
Gradients = NDArray[np.float64]
# Largest gradient, relative to that of a query or key, that is rounding.
ROUNDING = 1e-3
# Smallest weight, relative to the largest of its row, that a gradient is taken of.
SMALLEST = 1e-6


@dataclass(frozen=True, eq=False)
class Projection:
    """Where an attention module computes its queries, keys or values.

    call: number of the linear map, in the order in which the module computes them; columns (heads,
    dimensions): of its output.
    """

    call: int
    columns: NDArray[np.intp]


def find_projections(
    of: Projected, transformer: VisionTransformer, layers: Sequence[int], pixels: Tensor
) -> dict[int, Projection]:
    """The projection of each layer, found in one pass and a trial of each layer's attention.

    Raises HarnessError if a layer's attention has no such linear map, or several.
    """
    sites = {layer: transformer.sites[layer] for layer in layers}
    inputs: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def keeping(layer: int) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
        def keep(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
            inputs[layer] = positional, named

        return keep

    with ExitStack() as hooks, torch.no_grad():
        for layer, site in sites.items():
            hooks.enter_context(
                site.attention.register_forward_pre_hook(keeping(layer), with_kwargs=True)
            )
        transformer(pixels)
    found = {}
    for layer, site in sites.items():
        try:
            found[layer] = _find(of, _tried(site, *inputs.pop(layer)))
        except (_NotFoundError, RuntimeError) as error:  # torch's, where there are no gradients
            raise harness.HarnessError(
                f"{transformer.name}: the {of} of layer {layer} cannot be found in its "
                f"{type(site.attention).__name__}: {first_line(error)}"
            ) from error
    return found


@contextmanager
def linear_maps_read(
    attention: nn.Module, read: Callable[[Sequence[Tensor]], None]
) -> Iterator[None]:
    """After each pass of a module, read the outputs of the linear maps that it computed."""

    def reading(forward: Forward) -> Forward:
        def run(*given: Any, **named: Any) -> Any:
            with _LinearMaps() as maps:
                output = forward(*given, **named)
            # Not earlier: some models add a bias in place.
            read(maps.outputs)
            return output

        return run

    with forwards_replaced([attention], reading):
        yield


class _LinearMaps(TorchFunctionMode):
    """Collects the outputs of linear maps: not all are modules, so that hooks would miss some."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if func is nn.functional.linear:
            self.outputs.append(output)
        return output


class _NotFoundError(Exception):
    """Why a projection cannot be found."""


@dataclass(frozen=True, eq=False)
class _Trial:
    """A pass through one attention module, which gradients can be traced through.

    weights: (heads, tokens, tokens); output: (tokens, dimensions); linear: outputs of linear maps.
    """

    weights: Tensor
    output: Tensor
    linear: Sequence[Tensor]

    def gradients(self, figure: Tensor) -> list[Gradients]:
        """Gradients (tokens, columns) of a figure in each linear map's output."""
        found = torch.autograd.grad(figure, self.linear, retain_graph=True, allow_unused=True)
        return [
            (torch.zeros_like(output) if each is None else each)[0].double().numpy()
            for output, each in zip(self.linear, found, strict=True)
        ]


def _tried(site: Site, positional: tuple[Any, ...], named: dict[str, Any]) -> _Trial:
    seen: list[Tensor] = []
    linear: list[Tensor] = []

    def see(_: nn.Module, __: Any, output: Any) -> None:
        seen.append(output if site.index is None else output[site.index])

    def traced(value: Any) -> Any:
        is_tokens = isinstance(value, Tensor) and value.ndim == 3 and value.is_floating_point()
        return value.detach().requires_grad_() if is_tokens else value

    with (
        torch.enable_grad(),
        linear_maps_read(site.attention, linear.extend),
        site.module.register_forward_hook(see),
    ):
        returned = site.attention(
            *map(traced, positional), **{name: traced(value) for name, value in named.items()}
        )
    weights = seen[0][0]
    shape = (1, weights.shape[-1])
    output = returned if isinstance(returned, Tensor) else returned[0]
    # Others give something else than one row a token.
    of_tokens = [each for each in linear if each.ndim == 3 and each.shape[:2] == shape]
    if len(of_tokens) < len(linear) or output.ndim != 3:
        raise _NotFoundError("it computes other linear maps than of single tokens")
    return _Trial(weights, output[0], linear)


def _find(of: Projected, trial: _Trial) -> Projection:
    by_role = _of_attention(trial)
    heads = by_role[of] if of != "values" else _of_values(trial, by_role)
    calls = [call for call, of_columns in enumerate(heads) if (of_columns >= 0).any()]
    if len(calls) != 1:
        many = f"{len(calls)} linear maps give" if calls else "no linear map gives"
        raise _NotFoundError(f"{many} them")
    (call,) = calls
    number = len(trial.weights)
    columns = [np.flatnonzero(heads[call] == head) for head in range(number)]
    if len({len(each) for each in columns}) > 1:
        raise _NotFoundError(f"they cannot be told apart by its {number} heads")
    return Projection(call, np.array(columns))


Heads = list[NDArray[np.intp]]


def _of_attention(trial: _Trial) -> dict[str, Heads]:
    """The head of each column of each linear map that is of queries, or of keys; else −1."""
    number = len(trial.weights)
    strengths: dict[str, list[list[Gradients]]] = {"queries": [], "keys": [], "any": []}
    for head in range(number):
        row, pair = _tested(trial.weights[head].detach())
        logits = trial.weights[head, row, list(pair)].log()
        by_role: dict[str, list[Gradients]] = {name: [] for name in strengths}
        for gradients in trial.gradients(logits[0] - logits[1]):
            size = np.abs(gradients)
            largest = size.max(axis=0)
            for name, tokens in (("queries", [row]), ("keys", list(pair))):
                inside = size[tokens].max(axis=0)
                outside = np.delete(size, tokens, axis=0).max(axis=0, initial=0)
                by_role[name].append(np.where(outside <= ROUNDING * inside, inside, 0))
            by_role["any"].append(largest)
        for name, each in by_role.items():
            strengths[name].append(each)
    found: dict[str, Heads] = {}
    # Where all heads are normalised together, a query has a small influence on other heads.
    most = [np.max(of_linear, axis=0) for of_linear in zip(*strengths["any"], strict=True)]
    for name in strengths:
        found[name] = []
        for of_linear, largest in zip(zip(*strengths[name], strict=True), most, strict=True):
            stacked = np.stack(of_linear)
            has_role = (stacked.max(axis=0) > 0) & (stacked.max(axis=0) == largest)
            found[name].append(np.where(has_role, stacked.argmax(axis=0), -1))
    return found


def _tested(weights: Tensor) -> tuple[int, tuple[int, int]]:
    """The row of a head's weights that spreads most, and its largest and its smallest weight.

    The diagonal is left out, and so are weights too small for a gradient. A row without any spread
    may be of a query of zero, or of equal keys.
    """
    others = weights.clone().fill_diagonal_(0)
    peaks, first = others.max(dim=-1)
    enough = others > SMALLEST * peaks[:, None]
    lows, second = torch.where(enough, others, torch.inf).min(dim=-1)
    row = int((peaks / lows).argmax())
    return row, (int(first[row]), int(second[row]))


def _of_values(trial: _Trial, by_role: dict[str, Heads]) -> Heads:
    """The head of each column of each linear map that is of values; else −1."""
    weights = trial.weights.detach().double().numpy()
    # The row in which heads differ most.
    row = int(weights.std(axis=0).sum(axis=1).argmax())
    generator = torch.Generator().manual_seed(0)
    mixed = (trial.output[row] * torch.randn(trial.output.shape[1:], generator=generator)).sum()
    rows = _unit(np.delete(weights[:, row], row, axis=1))
    found = []
    for gradients, of_attention in zip(trial.gradients(mixed), by_role["any"], strict=True):
        # The gradients of a value, over tokens, are in proportion to the row's weights.
        others = _unit(np.delete(gradients, row, axis=0).T)
        cosines = np.abs(others @ rows.T)
        carries = (of_attention < 0) & (cosines.max(axis=1, initial=0) > 0)
        found.append(np.where(carries, cosines.argmax(axis=1), -1))
    return found


def _unit(rows: Gradients) -> Gradients:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
