"""What a model of many layers answers to an image some of whose patches are removed in one.

docs/ablation.md says what each place means.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import harness
from harness import AblationSpec, ModelResponse, OutputKind
from harness_plugins.extractors.pretrained.blocks import (
    Block,
    Change,
    Entry,
    begun_at,
    blocks_of,
    entry_of,
    keys_hidden,
    rows_changed,
)
from harness_plugins.extractors.pretrained.model import VisionTransformer

# What the attention of a batch may take up in memory.
BATCH_BYTES = 1 << 28
# Sets of patches that go through the model together at most.
LARGEST_BATCH = 64
PLACES = {
    "block": "the patches' rows of its output",
    "attention": "the patches' rows of its attention's output",
    "keys": "the patches as keys",
}


def ablated(
    transformer: VisionTransformer, pixels: Tensor, grid: tuple[int, int], removal: AblationSpec
) -> ModelResponse:
    """What removing patches of one image, pixels (1, channels, height, width), does.

    Raises HarnessError if the model has no such layer, or if what it answers does not depend on
    what is removed there, as a class token does not on the patches' rows after its last look.
    """
    layers = len(transformer.sites)
    if removal.layer >= layers:
        raise harness.HarnessError(
            f"{transformer.name}: there is no layer {removal.layer}; there are 0 … {layers - 1}"
        )
    blocks = blocks_of(transformer.loaded.module, transformer.sites, transformer.name)
    with torch.inference_mode():
        entry = entry_of(lambda: transformer(pixels), blocks, removal.layer)
    removing = _Removing(transformer, blocks, entry, pixels, removal)
    patches = grid[0] * grid[1]
    answer, intact = removing.answer(torch.zeros(1, patches, dtype=torch.bool))
    if torch.equal(intact, removing.answer_to_noise(patches)):
        raise harness.HarnessError(
            f"{transformer.name}: its answer, the {answer}, does not depend on what is removed "
            f"from layer {removal.layer}, {PLACES[removal.at]}; take an earlier layer, or keys"
        )

    def changes(removed: NDArray[np.bool_]) -> NDArray[np.float64]:
        batches = torch.split(torch.from_numpy(removed), removing.batch)
        answers = torch.cat([removing.answer(sets)[1] for sets in batches])
        return np.asarray((answers - intact).double().numpy())

    return ModelResponse(
        answer,
        intact[0].double().numpy(),
        changes,
        None,
        grid,
        transformer.architecture.classes if answer == "logits" else (),
    )


@dataclass(frozen=True, eq=False)
class _Removing:
    """One image's way through a model from the layer on in which patches are removed."""

    transformer: VisionTransformer
    blocks: Sequence[Block]
    entry: Entry
    pixels: Tensor
    removal: AblationSpec

    @property
    def batch(self) -> int:
        """How many sets go through the model together."""
        tokens = self.entry.tokens.shape[1]
        one = 4 * self.transformer.architecture.heads * tokens**2
        return max(1, min(LARGEST_BATCH, BATCH_BYTES // one))

    def answer(self, removed: Tensor) -> tuple[OutputKind, Tensor]:
        """What the model answers without each of some sets (sets, patches), and what that is."""
        if self.removal.at == "keys":
            hidden = torch.nn.functional.pad(removed, (self.transformer.prefix_tokens, 0))
            attention = self.blocks[len(self.entry)].attention
            hiding = keys_hidden(attention, hidden, self.transformer.name)
            return self._through(hiding, len(removed))

        def without(patches: Tensor) -> Tensor:
            mean = patches.mean(dim=1, keepdim=True)
            filling = mean if self.removal.fill == "mean" else torch.zeros_like(mean)
            return torch.where(removed[:, :, None], filling, patches)

        return self._through(self._rows_changed(without), len(removed))

    def answer_to_noise(self, patches: int) -> Tensor:
        """What it answers where something random stands in for all that could be removed."""
        if self.removal.at == "keys":
            return self.answer(torch.ones(1, patches, dtype=torch.bool))[1]
        generator = torch.Generator().manual_seed(0)

        def noise(rows: Tensor) -> Tensor:
            return torch.randn(rows.shape, generator=generator)

        return self._through(self._rows_changed(noise), 1)[1]

    def _rows_changed(self, change: Change) -> AbstractContextManager[None]:
        """Passes in it have the patches' rows changed at the place of removal."""
        block, prefix = self.blocks[len(self.entry)], self.transformer.prefix_tokens

        def changed(rows: Tensor) -> Tensor:
            return torch.cat([rows[:, :prefix], change(rows[:, prefix:])], dim=1)

        module = block.module if self.removal.at == "block" else block.attention
        return rows_changed(module, changed)

    def _through(
        self, changed: AbstractContextManager[None], images: int
    ) -> tuple[OutputKind, Tensor]:
        with torch.inference_mode(), begun_at(self.blocks, self.entry, images), changed:
            output = self.transformer(self.pixels)
        logits, pooled = (output.get(name) for name in ("logits", "pooler_output"))
        if logits is not None:
            return "logits", logits
        if pooled is not None and self.transformer.loaded.pooled:
            return "pooled embedding", pooled
        tokens, prefix = output["last_hidden_state"], self.transformer.prefix_tokens
        if prefix:
            return "class token", tokens[:, 0]
        return "mean of the patches' tokens", tokens.mean(dim=1)
