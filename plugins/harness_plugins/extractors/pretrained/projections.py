"""Finds the queries, keys and values of attention modules by trying, whatever their names.

They are outputs of linear maps that a module computes, each on its own or fused into one. Gradients
tell which: of the log-ratio of two weights in one row of the attention, log A[i, a] − log A[i, b],
the query of token i has one, and the keys of tokens a and b, but no other query or key, and no
value. So what the module does to queries and keys on their way into the attention does not matter,
such as normalisation, rotary positions, or scores that are added for relative positions. Values are
what does not change the attention, but carries it into the output of other tokens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import harness
from harness_plugins.extractors.pretrained.blocks import Forward, forwards_replaced
from harness_plugins.extractors.pretrained.cosine import unit_rows
from harness_plugins.extractors.pretrained.model import VisionTransformer
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.extractors.pretrained.watching import Site, weights_read

Projected = Literal["queries", "keys", "values"]
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

    weights: (heads, tokens, tokens); output: (tokens, dimensions); linear: by number, the outputs
    of linear maps of single tokens. A column is one of any of these.
    """

    weights: Tensor
    output: Tensor
    linear: Mapping[int, Tensor]

    @property
    def calls(self) -> NDArray[np.intp]:
        """The number of each column's linear map, (columns,)."""
        return np.repeat(list(self.linear), [each.shape[-1] for each in self.linear.values()])

    def gradients(self, figure: Tensor) -> harness.Floats:
        """The gradients of a figure, (tokens, columns)."""
        outputs = list(self.linear.values())
        found = torch.autograd.grad(figure, outputs, retain_graph=True, allow_unused=True)
        pairs = zip(outputs, found, strict=True)
        each = [torch.zeros_like(output) if given is None else given for output, given in pairs]
        gradients: harness.Floats = torch.cat(each, dim=-1)[0].double().numpy()
        return gradients


def _tried(site: Site, positional: tuple[Any, ...], named: dict[str, Any]) -> _Trial:
    seen: list[Tensor] = []
    linear: list[Tensor] = []
    # The attention alone is run.
    of_trial = replace(site, visit=0)

    def traced(value: Any) -> Any:
        is_tokens = isinstance(value, Tensor) and value.ndim == 3 and value.is_floating_point()
        return value.detach().requires_grad_() if is_tokens else value

    with (
        torch.enable_grad(),
        linear_maps_read(site.attention, linear.extend),
        weights_read({0: of_trial}, lambda _, weights: seen.append(weights)),
    ):
        returned = site.attention(
            *map(traced, positional), **{name: traced(value) for name, value in named.items()}
        )
    weights = seen[0][0]
    shape = (1, weights.shape[-1])
    output = returned if isinstance(returned, Tensor) else returned[0]
    # Others may be of relative positions, for example.
    of_tokens = {
        number: each
        for number, each in enumerate(linear)
        if each.ndim == 3 and each.shape[:2] == shape
    }
    if output.shape[:2] != shape:
        raise _NotFoundError("its output is not one row for each token")
    if not of_tokens:
        raise _NotFoundError("it computes no linear map of single tokens")
    return _Trial(weights, output[0], of_tokens)


def _find(of: Projected, trial: _Trial) -> Projection:
    influence = _influence(trial)
    own, pair, others = influence.max(axis=1)
    match of:
        case "queries":
            chosen = (own > 0) & (np.maximum(pair, others) <= ROUNDING * own)
            by_head = influence[0]
        case "keys":
            chosen = (pair > 0) & (np.maximum(own, others) <= ROUNDING * pair)
            by_head = influence[1]
        case "values":
            by_head = _likeness(trial)
            chosen = (influence.max(axis=(0, 1)) == 0) & (by_head.max(axis=0) > 0)
    calls = np.unique(trial.calls[chosen])
    if len(calls) != 1:
        many = f"{len(calls)} linear maps give" if len(calls) else "no linear map gives"
        raise _NotFoundError(f"{many} them")
    number, columns = len(trial.weights), np.flatnonzero(chosen)
    if len(columns) % number:
        raise _NotFoundError(f"{len(columns)} columns are not {number} heads of equal size")
    # Where all heads are normalised together, each column has some influence on other heads.
    of_blocks = by_head[:, columns].reshape(number, number, -1).sum(axis=2)
    if (of_blocks.argmax(axis=0) != np.arange(number)).any():
        raise _NotFoundError(f"their columns are not those of {number} heads one after the other")
    start = int((trial.calls < calls[0]).sum())
    return Projection(int(calls[0]), columns.reshape(number, -1) - start)


def _influence(trial: _Trial) -> harness.Floats:
    """The largest gradients of each head's log-ratio of two weights, (3, heads, columns).

    First at the token of the row, then at the two tokens of the weights, then at all others.
    """
    number, tokens, _ = trial.weights.shape
    found = np.zeros((3, number, len(trial.calls)))
    for head in range(number):
        row, pair = _tested(trial.weights[head].detach())
        logits = trial.weights[head, row, list(pair)].log()
        sizes = np.abs(trial.gradients(logits[0] - logits[1]))
        places = np.full(tokens, 2)
        places[row], places[list(pair)] = 0, 1
        for place in range(3):
            found[place, head] = sizes[places == place].max(axis=0, initial=0)
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


def _likeness(trial: _Trial) -> harness.Floats:
    """How well each head's weights explain the gradients of the output, (heads, columns).

    At all tokens but one, the gradients of that token's output in a column of values are in
    proportion to the weights that its head gives them: the cosine is then 1.
    """
    weights = trial.weights.detach().double().numpy()
    # The row in which heads differ most.
    row = int(weights.std(axis=0).sum(axis=1).argmax())
    generator = torch.Generator().manual_seed(0)
    mixed = (trial.output[row] * torch.randn(trial.output.shape[1:], generator=generator)).sum()
    columns = np.delete(trial.gradients(mixed), row, axis=0).T
    rows = np.delete(weights[:, row], row, axis=1)
    return np.asarray(np.abs(unit_rows(rows) @ unit_rows(columns).T))
