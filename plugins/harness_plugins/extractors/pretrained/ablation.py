"""The response of a model with several layers when patches are removed in one of them.

docs/ablation.md defines the places of removal.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import harness
from harness import AblationSpec, ModelResponse, OutputKind
from harness_plugins.extractors.pretrained.blocks import (
    Change,
    Entry,
    begun_at,
    blocks_of,
    computed_once,
    entry_of,
    forwards_replaced,
    keys_hidden,
    narrowed,
    rows_changed,
)
from harness_plugins.extractors.pretrained.model import VisionTransformer

# Most memory for the attention of a batch, in bytes: larger batches leave the processor's cache.
BATCH_BYTES = 1 << 25
# Most sets of patches per forward pass.
LARGEST_BATCH = 64
PLACES = {
    "block": "the patches' rows of its output",
    "attention": "the patches' rows of its attention's output",
    "keys": "the patches as keys",
}


def ablated(
    transformer: VisionTransformer, pixels: Tensor, grid: tuple[int, int], removal: AblationSpec
) -> ModelResponse:
    """Measures how the output for one image changes when some of its patches are removed.

    pixels: (1, channels, height, width). Raises HarnessError if the model has no such layer, or if
    its output does not depend on what is removed there: a class token, for example, does not
    depend on the patches' rows after its last attention to them.
    """
    layers = len(transformer.sites)
    if removal.layer >= layers:
        raise harness.HarnessError(
            f"{transformer.name}: there is no layer {removal.layer}; there are 0 … {layers - 1}"
        )
    blocks = blocks_of(transformer.loaded.module, transformer.sites, transformer.name)
    with torch.inference_mode():
        entry = entry_of(lambda: transformer(pixels), blocks, removal.layer, transformer.name)
    removing = _Removing(transformer, blocks, entry, pixels, removal)
    patches = grid[0] * grid[1]
    nothing = torch.zeros(1, patches, dtype=torch.bool)
    kind, intact = removing.output(nothing)
    if torch.equal(intact, removing.output_for_noise(patches)):
        raise harness.HarnessError(
            f"{transformer.name}: its output, the {kind}, does not depend on what is removed "
            f"from layer {removal.layer}, {PLACES[removal.at]}; take an earlier layer, or keys"
        )

    narrow = replace(removing, prefix=transformer.prefix_tokens)
    if narrow.prefix and not narrow.output(nothing)[1].isnan().any():
        removing, intact = narrow, narrow.output(nothing)[1]

    def changes(removed: NDArray[np.bool_]) -> NDArray[np.float64]:
        batches = torch.split(torch.from_numpy(removed), removing.batch)
        outputs = torch.cat([removing.output(sets)[1] for sets in batches])
        return np.asarray((outputs - intact).double().cpu().numpy())

    return ModelResponse(
        kind,
        intact[0].double().cpu().numpy(),
        changes,
        None,
        grid,
        transformer.architecture.classes if kind == "logits" else (),
    )


@dataclass(frozen=True, eq=False)
class _Removing:
    """Forward passes of one image from the layer on in which patches are removed.

    prefix: the number of tokens on which the output depends after the last attention; 0 for all.
    """

    transformer: VisionTransformer
    blocks: Sequence[nn.Module]
    entry: Entry
    pixels: Tensor
    removal: AblationSpec
    prefix: int = 0

    @property
    def batch(self) -> int:
        """Number of sets of patches per forward pass."""
        tokens = self.entry.tokens.shape[1]
        one = 4 * self.transformer.architecture.heads * tokens**2
        return max(1, min(LARGEST_BATCH, BATCH_BYTES // one))

    @property
    def _attention(self) -> nn.Module:
        return self.transformer.sites[self.removal.layer].attention

    def output(self, removed: Tensor) -> tuple[OutputKind, Tensor]:
        """The kind of the model's output, and the output without each set (sets, patches)."""
        removed = removed.to(self.entry.tokens.device)
        if self.removal.at == "keys":
            hidden = torch.nn.functional.pad(removed, (self.transformer.prefix_tokens, 0))
            dtype = self.entry.tokens.dtype
            hiding = keys_hidden(self._attention, hidden, dtype, self.transformer.name)
            return self._through(hiding, len(removed))

        def without(patches: Tensor) -> Tensor:
            mean = patches.mean(dim=1, keepdim=True)
            filling = mean if self.removal.fill == "mean" else torch.zeros_like(mean)
            return torch.where(removed[:, :, None], filling, patches)

        return self._through(self._rows_changed(without), len(removed))

    def output_for_noise(self, patches: int) -> Tensor:
        """The output with noise in place of everything that could be removed."""
        if self.removal.at == "keys":
            return self.output(torch.ones(1, patches, dtype=torch.bool))[1]
        generator = torch.Generator().manual_seed(0)

        def noise(rows: Tensor) -> Tensor:
            # The same on every device.
            return torch.randn(rows.shape, generator=generator).to(rows)

        return self._through(self._rows_changed(noise), 1)[1]

    def _rows_changed(self, change: Change) -> AbstractContextManager[None]:
        """A context in which forward passes change the patches' rows at the place of removal."""
        prefix = self.transformer.prefix_tokens

        def changed(rows: Tensor) -> Tensor:
            return torch.cat([rows[:, :prefix], change(rows[:, prefix:])], dim=1)

        block = self.blocks[self.removal.layer]
        module = block if self.removal.at == "block" else self._attention
        return rows_changed(module, changed)

    def _shared(self) -> list[nn.Module]:
        """The parts of the layer that compute the same for every set of patches."""
        block = self.blocks[self.removal.layer]
        if self.removal.at == "block":
            return [block]
        simple = nn.Linear, nn.LayerNorm
        shared = [part for part in block.modules() if isinstance(part, simple)]
        return shared + [self._attention] * (self.removal.at == "attention")

    def _through(
        self, changed: AbstractContextManager[None], images: int
    ) -> tuple[OutputKind, Tensor]:
        last = self.transformer.sites[-1].attention
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(begun_at(self.blocks, self.entry, images))
            stack.enter_context(forwards_replaced(self._shared(), computed_once))
            if self.prefix:
                stack.enter_context(narrowed(self.blocks[-1], last, self.prefix))
            stack.enter_context(changed)
            output = self.transformer(self.pixels)
        logits, pooled = (output.get(name) for name in ("logits", "pooler_output"))
        if logits is not None:
            return "logits", logits
        if pooled is not None and self.transformer.loaded.pooled:
            return "pooled embedding", pooled
        if not self.transformer.returns_tokens:
            raise harness.HarnessError(
                f"{self.transformer.name}: it returns neither logits, an embedding nor tokens"
            )
        tokens, prefix = output["last_hidden_state"], self.transformer.prefix_tokens
        if prefix:
            return "class token", tokens[:, 0]
        return "mean of the patches' tokens", tokens.mean(dim=1)
