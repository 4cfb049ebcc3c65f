"""Models that a function of the user's builds, with outputs like those of transformers."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.any_model import common_shape, found_attention
from harness_plugins.extractors.pretrained.configuration import Architecture
from harness_plugins.extractors.pretrained.model import Loaded
from harness_plugins.extractors.pretrained.patch_tokens import patch_size
from harness_plugins.extractors.pretrained.reasons import first_line


def load(factory: str) -> Loaded:
    """Build a model; torch's generator is seeded, so that random weights are the same each time.

    Raises HarnessError if there is no such function, or if it builds no model.
    """
    name, _, function = factory.rpartition(":")
    make = getattr(harness.plugin_module(name).module, function, None)
    if not callable(make):
        raise harness.HarnessError(f"{factory}: there is no function {function} in {name}")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = make()
    except Exception as error:  # the user's code may raise anything
        raise harness.HarnessError(
            f"{factory}: it fails: {type(error).__name__}: {first_line(error)}"
        ) from error
    if not isinstance(model, nn.Module):
        raise harness.HarnessError(
            f"{factory}: it returns no torch module but {type(model).__name__}"
        )
    return Loaded(_WithNames(model).to("cpu", torch.float32).eval(), pooled=True)


def digest(factory: str) -> str:
    """SHA-256 over the function's module and the model's weights."""
    module = load(factory).module
    whole = hashlib.sha256(code_digest(factory).encode())
    for name, weights in (*module.named_parameters(), *module.named_buffers()):
        whole.update(f"{name} {weights.dtype} {tuple(weights.shape)}\n".encode())
        whole.update(weights.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def code_digest(factory: str) -> str:
    """SHA-256 of the file, or of the package folder, in which the function is."""
    return harness.plugin_module(factory.rpartition(":")[0]).digest


@lru_cache(maxsize=8)
def architecture_of(factory: str, code: str, image: tuple[int, int], channels: int) -> Architecture:
    """A model's architecture, found by running it on noise of the size (height, width).

    code: the digest of the function's code. Raises HarnessError if the model does not take the
    noise, or if its layers differ in their number of heads or tokens.
    """
    module = load(factory).module
    noise = torch.rand(1, channels, *image, generator=torch.Generator().manual_seed(0))

    def run(pixels: Tensor = noise) -> None:
        try:
            module(pixels)
        except harness.HarnessError:
            raise
        except Exception as error:  # a model may raise anything
            raise harness.HarnessError(
                f"{factory}: it does not take images of {image[0]}×{image[1]} pixels with "
                f"{channels} channels: {first_line(error)}; size and mean give others"
            ) from error

    with torch.inference_mode():
        sites = found_attention(module, run, factory)
        _, heads, _, _ = common_shape(dict(enumerate(sites)), factory)
        try:
            patch = patch_size(run, sites[0].attention, noise)
        except harness.HarnessError as error:
            raise harness.HarnessError(f"{factory}: {error}") from error
    return Architecture("torch", len(sites), heads, patch, image, channels, ())


class _WithNames(nn.Module):
    """Names what a model returns: logits (images, classes), or tokens (images, tokens, …)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Mapping[str, Any]:
        output = self.model(pixel_values)
        if isinstance(output, Mapping):
            return output
        parts = output if isinstance(output, Sequence) else (output,)
        names = {2: "logits", 3: "last_hidden_state"}
        first = next((part for part in parts if isinstance(part, Tensor)), None)
        return {names[first.ndim]: first} if first is not None and first.ndim in names else {}
