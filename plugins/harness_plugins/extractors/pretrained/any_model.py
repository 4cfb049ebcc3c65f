"""Attention of any torch module, as one array."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import harness
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.extractors.pretrained.watching import (
    Site,
    check_rows,
    find_attention,
    first_tensor,
    watched,
)

Numbers = Literal["all"] | Sequence[int]


def attention_of(
    model: nn.Module, images: Any, layers: Numbers, heads: Numbers
) -> NDArray[np.float32]:
    """The attention of a model, as `harness.attention_of` describes it.

    The first pass finds the layers, and the second reads those that are chosen.
    """
    if not isinstance(model, nn.Module):
        raise harness.HarnessError(f"model: expected a torch module, not {type(model).__name__}")
    name = type(model).__name__

    def run() -> None:
        try:
            _call(model, images)
        except Exception as error:  # a model may raise anything
            raise harness.HarnessError(
                f"{name}: it does not take these images: {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error

    with evaluating(model), _without_compilation(), torch.no_grad():
        sites = found_attention(model, run, name)
        numbers = _numbers(layers, len(sites), "layers", name)
        chosen = {layer: sites[layer] for layer in numbers}
        of_images, of_heads, _, _ = common_shape(chosen, name)
        _check_images(of_images, images, name)
        in_layer = _numbers(heads, of_heads, "heads", name)
        with watched(chosen, in_layer, images=of_images) as weights:
            run()
    check_rows(weights, numbers, name)
    return np.stack([weights[layer] for layer in numbers], axis=1)


def found_attention(model: nn.Module, run: Callable[[], object], name: str) -> list[Site]:
    """The sites of all layers; raises HarnessError, with the model's name, if there are none."""
    sites = find_attention(model, run)
    if not sites:
        raise harness.HarnessError(
            f"{name}: no attention over tokens can be read: no module returns it, and neither "
            "softmax, scaled_dot_product_attention nor nn.MultiheadAttention computes it, with as "
            "many queries as keys; compiled code and packages such as flash_attn do not show it"
        )
    return sites


def common_shape(sites: Mapping[int, Site], name: str) -> tuple[int, ...]:
    """The shape (images, heads, tokens, tokens) of attention in each of the layers.

    Raises HarnessError, which names the layers, if they differ.
    """
    for axis, what in ((2, "tokens"), (1, "heads"), (0, "images")):
        layers_of: dict[int, list[int]] = {}
        for layer, site in sites.items():
            layers_of.setdefault(site.shape[axis], []).append(layer)
        if len(layers_of) > 1:
            shown = "; ".join(
                f"{count} in {', '.join(map(str, layers))}" for count, layers in layers_of.items()
            )
            raise harness.HarnessError(
                f"{name}: its layers differ in the number of {what}: {shown}; choose layers of one "
                "number"
            )
    return next(iter(sites.values())).shape


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """A context in which a model and its parts are in evaluation mode, by their flags alone."""
    before = [(module, module.training) for module in model.modules()]
    try:
        # The method `eval` may do more, such as merge weights.
        for module, _ in before:
            module.training = False
        yield
    finally:
        for module, training in before:
            module.training = training


def _without_compilation() -> AbstractContextManager[object]:
    """A context in which compiled modules run as they were before: compiled, they show less."""
    # Torch before 2.6 has no such context.
    stance: Any = getattr(torch.compiler, "set_stance", None)
    return nullcontext() if stance is None else stance("force_eager")


def _call(model: nn.Module, images: Any) -> None:
    """Run the model: a mapping has keywords, a tuple has arguments, all else is one argument."""
    if isinstance(images, Mapping):
        model(**images)
    elif isinstance(images, tuple):
        model(*images)
    else:
        model(images)


def _check_images(count: int, images: Any, name: str) -> None:
    """Raise HarnessError unless attention is of as many images as there are, if that is known."""
    named = images if isinstance(images, Mapping) else {}
    first = first_tensor(images if isinstance(images, tuple) else (images,), named)
    if first is not None and first.ndim == 4 and count != len(first):
        raise harness.HarnessError(
            f"{name}: its attention is of {count} images, not of {len(first)}: it is within "
            "windows, or heads and images are one dimension"
        )


def _numbers(asked: Numbers, count: int, what: str, name: str) -> list[int]:
    """Layers or heads, called `what`, by number from 0, in the order in which they are asked for.

    Negative numbers count from the end.
    """
    if asked == "all":
        return list(range(count))
    wrong = [number for number in asked if not -count <= number < count]
    if wrong:
        raise harness.HarnessError(
            f"{name}: there is no {what.removesuffix('s')} {wrong[0]}; there are 0 … {count - 1}"
        )
    numbers = [int(number) % count for number in asked]
    if not numbers or len(set(numbers)) < len(numbers):
        fault = "names one twice" if numbers else "is empty"
        raise harness.HarnessError(f"{what} {fault}; it takes all, or numbers from 0, each once")
    return numbers
