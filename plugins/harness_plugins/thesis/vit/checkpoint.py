"""Checkpoints of the one-layer ViT: safetensors, with settings and training as metadata."""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialised
from torch import Tensor

from harness import HarnessError
from harness.command import replacing
from harness_plugins.thesis.vit.files import check_finite, opened
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT

FORMAT = "harness-one-layer-vit-1"


@dataclass(frozen=True)
class Normalisation:
    """Standardises pixels in 0…1 by `mean` and `deviation`."""

    mean: float
    deviation: float

    def __call__(self, images: Tensor) -> Tensor:
        """The floats that a model takes, from bytes of any shape."""
        return torch.div(images, 255).sub_(self.mean).div_(self.deviation)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model, the normalisation of its images, and the record of its training."""

    model: OneLayerViT
    normalisation: Normalisation
    record: dict[str, Any]


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write finite tensors and JSON metadata; `path` is complete or absent at any time."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    check_finite(tensors)
    content = serialised(tensors, metadata={"harness": json.dumps(metadata, sort_keys=True)})
    with replacing(path) as new:
        new.write_bytes(content)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the metadata that `write_tensors` wrote; refused if any is not finite."""
    with opened(path, "pt") as found:
        return found


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint."""
    metadata = {
        "format": FORMAT,
        "model": dataclasses.asdict(checkpoint.model.settings),
        "normalisation": dataclasses.asdict(checkpoint.normalisation),
        "record": checkpoint.record,
    }
    write_tensors(path, checkpoint.model.state_dict(), metadata)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, with the model in evaluation mode."""
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise HarnessError(f"{path}: its format is {metadata.get('format')}, not {FORMAT}")
    try:
        model = OneLayerViT(ModelSettings(**metadata["model"]))
        model.load_state_dict(tensors)
        normalisation = Normalisation(**metadata["normalisation"])
        if not (math.isfinite(normalisation.mean) and 0 < normalisation.deviation < math.inf):
            raise ValueError("its images cannot be normalised")
        record = metadata["record"]
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        raise HarnessError(f"{path}: its weights do not fit its settings ({error})") from error
    return Checkpoint(model.eval(), normalisation, record)
