"""The response of a one-layer ViT to an image without some of its patches.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2, cover
parts of the input; here the model's values for a patch are removed instead. docs/ablation.md
defines the places of removal.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import At, Fill, Floats, ModelResponse
from harness_plugins.thesis.vit.model import OneLayerViT

# Sets of patches per forward pass.
BATCH = 64


def ablated(
    model: OneLayerViT, image: Tensor, at: At = "block", fill: Fill = "zero"
) -> ModelResponse:
    """How a model's logits change when patches of an image (1, channels, height, width) go.

    at="block": rows of the block's output, after residual and MLP, which the classifier reads.
    at="attention": rows of the attention's output, before it is added to the tokens. Both are
    replaced by zeros or, with fill="mean", by the mean row over the image's patches. Everything
    after the attention is computed patch by patch and summed by the linear classifier, so the
    change for a set of patches is the sum of its patches' changes.
    at="keys": no other patch attends to the removed ones, whose scores are −∞ before the softmax,
    in every head; each still attends to itself, so that no row is empty. `fill` has no effect.

    Raises ValueError for a model without attention.
    """
    with torch.inference_mode():
        tokens = model.embed(image)
        attended = model.attended(tokens)
        rows = model.completed(tokens + attended)
        logits = model.classified(rows)[0]
        intact = logits.double().cpu().numpy()
        if at == "keys":
            changes = partial(_without_keys, model, tokens, logits)
            return ModelResponse("logits", intact, changes, None, model.settings.grid)
        if at == "block":
            replaced = _filling(rows, fill)
        else:
            replaced = model.completed(tokens + _filling(attended, fill))
        patch_changes = _patch_changes(model, replaced - rows)
    return ModelResponse(
        "logits",
        intact,
        lambda removed: removed @ patch_changes,
        patch_changes,
        model.settings.grid,
    )


def _filling(rows: Tensor, fill: Fill) -> Tensor:
    """The replacement of rows (1, patches, dimension)."""
    if fill == "zero":
        return torch.zeros_like(rows)
    return rows.mean(dim=1, keepdim=True).expand_as(rows)


def _patch_changes(model: OneLayerViT, differences: Tensor) -> Floats:
    """Each patch's contribution to the logits (patches, classes), from its row's change."""
    rows = differences[0].double()
    weights = model.classifier.weight.double().view(-1, *rows.shape)
    return np.asarray(torch.einsum("cpd,pd->pc", weights, rows).cpu().numpy())


def _without_keys(
    model: OneLayerViT, tokens: Tensor, intact: Tensor, removed: NDArray[np.bool_]
) -> Floats:
    own = torch.eye(tokens.shape[1], dtype=torch.bool, device=tokens.device)
    changes = []
    with torch.inference_mode():
        for sets in torch.split(torch.from_numpy(removed).to(tokens.device), BATCH):
            visible = ~sets[:, None, None, :] | own
            # Every set has the same tokens.
            same = tokens.expand(len(sets), -1, -1)
            rows = model.completed(same + model.attended(same, visible))
            changes.append(model.classified(rows) - intact)
        return np.asarray(torch.cat(changes).double().cpu().numpy())
