"""Vision Transformers of timm, with outputs like those of transformers."""

import os
import textwrap
from pathlib import Path
from typing import Any

from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained import source
from harness_plugins.extractors.pretrained.configuration import Architecture, pair
from harness_plugins.extractors.pretrained.model import Loaded
from harness_plugins.extractors.pretrained.reasons import first_line

CONFIGURATION, WEIGHTS = "config.json", "model.safetensors"
LOCAL, HUB = "local-dir", ("hf-hub", "hf_hub")


def library() -> Any:
    """The package timm; raises HarnessError if it cannot be imported."""
    try:
        import timm
    except Exception as error:  # torchvision fails in many ways if it does not fit torch
        raise harness.HarnessError(
            f"timm cannot be imported: {first_line(error)}; it needs the torchvision that fits "
            "torch"
        ) from error
    return timm


def made(model: str, **arguments: Any) -> nn.Module:
    """A model made by timm, with random weights unless the arguments say otherwise."""
    timm, located = library(), _located(model, CONFIGURATION)
    try:
        module: nn.Module = timm.create_model(located, **arguments)
    except Exception as error:  # unknown names, damaged files, other shapes
        reason = textwrap.shorten(str(error), 200, placeholder=" …") or type(error).__name__
        raise harness.HarnessError(f"{model}: timm cannot make it: {reason}") from error
    return module


def files_of(model: str, weights: str | None) -> list[Path]:
    """The file with a model's weights, and that with its configuration unless timm has it."""
    located = _located(model, CONFIGURATION, *([] if weights else [WEIGHTS]))
    kind, _, folder = located.partition(":")
    configurations = [Path(folder) / CONFIGURATION] if kind == LOCAL else []
    if weights is not None:
        file = Path(os.path.expanduser(weights))
        if file.suffix != ".safetensors":
            raise harness.HarnessError(f"timm: weights takes a .safetensors file, not {weights}")
    elif kind == LOCAL:
        file = Path(folder) / WEIGHTS
    else:
        file = _pretrained(model)
    if not os.path.isfile(file):
        raise harness.HarnessError(f"{model}: there is no file {file}; only safetensors are read")
    return [file, *configurations]


def _pretrained(model: str) -> Path:
    """The file with the pretrained weights of a timm model."""
    configuration: Any = made(model).pretrained_cfg
    repository, _, revision = (configuration.get("hf_hub_id") or "").partition("@")
    if not repository:
        # Without weights the model would be random.
        raise harness.HarnessError(
            f"{model}: timm knows no weights of it on the Hugging Face hub; give weights"
        )
    named = configuration.get("hf_hub_filename") or WEIGHTS
    # timm's name for the weights in safetensors.
    safe = Path(named).with_suffix(".safetensors").name.replace("pytorch_model", "model")
    return _fetched(model, repository, revision, safe) / safe


def _located(model: str, *names: str) -> str:
    """A model's name for timm; a model on the hub becomes the folder it is fetched to."""
    kind, _, location = model.partition(":")
    if kind == LOCAL:
        return f"{LOCAL}:{os.path.expanduser(location)}"
    if kind not in HUB:
        return model
    repository, _, revision = location.partition("@")
    return f"{LOCAL}:{_fetched(model, repository, revision, *names)}"


def _fetched(model: str, repository: str, revision: str, *names: str) -> Path:
    library()
    try:
        return source.fetched(repository, revision or None, names)
    except harness.HarnessError as error:
        raise harness.HarnessError(
            f"{model}: {error}; offline, give weights, or local-dir: and the folder of a copy"
        ) from error


def architecture_of(module: Any, model: str) -> Architecture:
    """A model's architecture; raises HarnessError if attention is not over all patches."""
    blocks: Any = getattr(module, "blocks", None)
    patch = getattr(getattr(module, "patch_embed", None), "patch_size", None)
    if not any(map(_heads, module.modules())):
        reason = "a model without attention"
    elif not isinstance(blocks, nn.ModuleList | nn.Sequential) or patch is None:
        reason = "its attention is within windows or at several resolutions, not over all patches"
    elif any(getattr(block, "window_size", 0) for block in blocks):
        reason = "its attention is within windows, not over all patches"
    else:
        configuration = module.pretrained_cfg
        channels, *image = configuration["input_size"]
        return Architecture(
            configuration["architecture"],
            len(blocks),
            next(heads for part in blocks.modules() if (heads := _heads(part))),
            pair(patch),
            pair(image),
            channels,
            tuple(configuration.get("label_names") or ()),
        )
    raise harness.HarnessError(f"{model}: {reason} ({type(module).__name__})")


def _heads(part: nn.Module) -> int:
    """The number of heads of a module; 0 if it is not attention."""
    return int(getattr(part, "num_heads", 0))


def load(model: str, weights: Path, *, classifier: bool, resizable: bool) -> Loaded:
    """Load a model with all weights from a file; resizable: whether it takes any image size."""
    # A local file takes precedence over other sources in the configuration.
    overlay = {"file": str(weights), "source": None, "custom_load": False}
    sizes = {"dynamic_img_size": True} if resizable else {}
    module: Any = made(model, pretrained=True, pretrained_cfg_overlay=overlay, **sizes)
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            # Fused attention does not return its weights.
            part.fused_attn = False
    pooled = getattr(module, "attn_pool", None) is not None
    return Loaded(_WithOutputs(module, classifier).eval(), pooled=pooled)


class _WithOutputs(nn.Module):
    """Returns a model's tokens and, with its head, logits or pooled embedding, by name."""

    def __init__(self, model: nn.Module, head: bool) -> None:
        super().__init__()
        self.model, self.head = model, head

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        model: Any = self.model
        outputs = {"last_hidden_state": model.forward_features(pixel_values)}
        if self.head:
            name = "logits" if model.num_classes else "pooler_output"
            outputs[name] = model.forward_head(outputs["last_hidden_state"])
        return outputs
