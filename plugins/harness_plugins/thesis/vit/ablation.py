"""What a one-layer ViT says of an image some of whose patches are removed.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2, cover
parts of the input; here what the model computes for a patch is removed instead. docs/ablation.md
says what each place means.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import At, Fill, Floats, ModelResponse
from harness_plugins.thesis.vit.model import OneLayerViT

# Sets of patches that go through the model together.
BATCH = 64


def ablated(
    model: OneLayerViT, image: Tensor, at: At = "block", fill: Fill = "zero"
) -> ModelResponse:
    """What removing patches of one image (1, channels, height, width) does to a model's logits.

    at="block": rows of the block's output, behind residual and MLP, which the classifier reads.
    at="attention": rows of the attention's output, before it is added to the tokens. Both are
    replaced by zeros or, with fill="mean", by the mean row over the image's patches. As all that
    follows the attention is computed patch by patch and then summed by the linear classifier,
    the changes of a set are the sum of its patches'.
    at="keys": no other patch attends to the removed ones, whose scores are −∞ before the softmax,
    in every head; each still attends to itself, so that every row has something to attend to.
    There `fill` has no meaning. Raises ValueError for a model without attention.
    """
    with torch.inference_mode():
        tokens = model.embed(image)
        attended = model.attended(tokens)
        rows = model.completed(tokens + attended)
        logits = model.classified(rows)[0]
        intact = logits.double().numpy()
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
    """What rows (1, patches, dimension) are replaced by."""
    if fill == "zero":
        return torch.zeros_like(rows)
    return rows.mean(dim=1, keepdim=True).expand_as(rows)


def _patch_changes(model: OneLayerViT, differences: Tensor) -> Floats:
    """Each patch's share in the logits (patches, classes) from rows (1, patches, dimension)."""
    rows = differences[0].double()
    weights = model.classifier.weight.double().view(-1, *rows.shape)
    return np.asarray(torch.einsum("cpd,pd->pc", weights, rows).numpy())


def _without_keys(
    model: OneLayerViT, tokens: Tensor, intact: Tensor, removed: NDArray[np.bool_]
) -> Floats:
    own = torch.eye(tokens.shape[1], dtype=torch.bool)
    changes = []
    with torch.inference_mode():
        for sets in torch.split(torch.from_numpy(removed), BATCH):
            visible = ~sets[:, None, None, :] | own
            # Every set has the same tokens.
            same = tokens.expand(len(sets), -1, -1)
            rows = model.completed(same + model.attended(same, visible))
            changes.append(model.classified(rows) - intact)
        return np.asarray(torch.cat(changes).double().numpy())
