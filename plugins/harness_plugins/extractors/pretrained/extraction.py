"""Common base of the extractors of pretrained models from any library."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import harness
from harness import AblationSpec, Ablator, ModelResponse
from harness_plugins.extractors.heads import Chosen, check, choose
from harness_plugins.extractors.tokens import Prefix, patches_only

if TYPE_CHECKING:
    from harness_plugins.extractors.pretrained.configuration import Architecture
    from harness_plugins.extractors.pretrained.framing import Prepared
    from harness_plugins.extractors.pretrained.model import Loaded

    # The architecture, what prepares an image, and what loads the model, with a classifier or not.
    Opened = tuple[Architecture, Callable[[harness.Image], Prepared], Callable[[bool], Loaded]]

# Most memory for the attention of one image, in bytes.
MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Pretrained(harness.Extractor):
    """What extractors of pretrained models share.

    layers: numbers from 0, ranges such as 0-5, all, last, or mean; mean is their mean, as layer 0.
    heads: likewise; mean is their mean, as head 0.
    rollout: replaces the attention of each of the layers by attention rollout (Abnar and Zuidema
        2020) up to it, of the heads' mean, as head 0.
    prefix: how class and register tokens are treated: renormalise leaves them out and rescales
        rows to sum to one; drop leaves them out; keep has them as nodes, without a patch grid.
    """

    model: str
    layers: tuple[str, ...] = ("last",)
    heads: tuple[str, ...] = ("all",)
    rollout: bool = False
    prefix: Prefix = "renormalise"
    size: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check(self.layers, "layers")
        check(self.heads, "heads")
        if self.rollout and "mean" in self.layers:
            raise harness.HarnessError(f"{self.name}: rollout cannot be combined with layers=mean")
        if self.size is not None and not (len(self.size) in (1, 2) and min(self.size) > 0):
            raise harness.HarnessError(
                f"{self.name}: size takes the shorter side in pixels, or [height,width], not "
                f"{list(self.size)}"
            )

    @abstractmethod
    def _architecture(self) -> "Architecture":
        """The model's architecture, found without its weights."""

    @abstractmethod
    def _opened(self) -> "Opened":
        """The model with its weights; raises HarnessError as `_architecture` does."""

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """The chosen layers and heads, from the model's configuration alone."""
        from harness_plugins.extractors.pretrained import maps

        return maps.head_indices(*self._chosen(self._architecture()), rolled=self.rollout)

    def _chosen(self, architecture: "Architecture") -> tuple[Chosen, Chosen]:
        return (
            choose(self.layers, architecture.layers, "layers", self.model),
            choose(self.heads, architecture.heads, "heads", self.model),
        )

    def patches(self, image: harness.Image) -> harness.Patches:
        """The grid of whole patches, on the part of the image that the model sees."""
        _, prepare, _ = self._opened()
        prepared = prepare(image)
        return harness.Patches(prepared.grid, prepared.region)

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """Maps (patches, patches) of 32-bit floats, layer by layer, head by head.

        Images are processed one at a time: the last digits may depend on the batch, and batches
        are not faster on a CPU. Only the attention of the chosen layers and heads of one image is
        held in memory.
        """
        import torch

        from harness_plugins.extractors.pretrained import maps
        from harness_plugins.extractors.pretrained.model import inspect_model
        from harness_plugins.extractors.pretrained.watching import check_attention, watched

        architecture, prepare, load = self._opened()
        layers, heads = self._chosen(architecture)
        needed = maps.needed_layers(layers, rolled=self.rollout)
        loaded = load(False)
        averaged = maps.head_mean(heads, rolled=self.rollout)
        held = len(needed) * (1 if averaged else len(heads.numbers))
        # A model that suits no image is refused before an image could be blamed.
        trial = prepare(_noise(self.model, architecture.image))
        _check_memory(self.model, trial, held, architecture.heads)
        transformer = inspect_model(loaded, self.model, architecture, trial.pixels)
        sites = {layer: transformer.sites[layer] for layer in needed}
        for image in images:
            prepared = prepare(image)
            _check_memory(image.key, prepared, held, architecture.heads)
            with watched(sites, heads.numbers, mean=averaged) as weights, torch.inference_mode():
                transformer(prepared.pixels)
            check_attention(weights, needed, transformer.prefix_tokens, prepared.grid, self.model)
            # Tokens before the patches have no place on the grid.
            has_grid = self.prefix != "keep" or transformer.prefix_tokens == 0
            for head_index, given in maps.maps_by_head(weights, layers, heads, rolled=self.rollout):
                yield harness.AttentionMap(
                    patches_only(given, transformer.prefix_tokens, self.prefix),
                    image=image.key,
                    layer=head_index.layer,
                    head=head_index.head,
                    grid=prepared.grid if has_grid else None,
                    region=prepared.region if has_grid else None,
                    variant=image.variant,
                )
            # Nothing of this image is held while the next one is loaded and processed.
            del image, prepared, weights, given

    def ablator(self, removal: AblationSpec) -> Ablator:
        """Measures how logits, or an embedding if there are none, change without some patches.

        The embedding is the pooled one if the model has learned to pool, else the class token, else
        the mean of the patches' tokens. Raises HarnessError as `Ablatable` describes.
        """
        from harness_plugins.extractors.pretrained.ablation import ablated
        from harness_plugins.extractors.pretrained.model import inspect_model

        architecture, prepare, load = self._opened()
        trial = prepare(_noise(self.model, architecture.image))
        transformer = inspect_model(load(True), self.model, architecture, trial.pixels)

        def ablate(image: harness.Image) -> ModelResponse:
            prepared = prepare(image)
            return ablated(transformer, prepared.pixels, prepared.grid, removal)

        return ablate


def _noise(key: str, size: tuple[int, int]) -> harness.Image:
    """An image of fixed random pixels."""
    random = np.random.default_rng(0)
    return harness.Image(key, random.integers(0, 256, (*size, 3), dtype=np.uint8))


def _check_memory(name: str, prepared: "Prepared", held: int, heads: int) -> None:
    """Raise HarnessError if the maps of an image, and a layer at work, need too much memory."""
    patches = prepared.grid[0] * prepared.grid[1]
    # A layer at work holds the scores and their softmax for all heads.
    size = 4 * (held + 2 * heads) * patches**2
    if size > MOST_BYTES:
        raise harness.HarnessError(
            f"{name}: {held} maps of {patches} patches, and a layer of {heads} heads at work, take "
            f"{size / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.1f}; choose fewer layers or "
            "heads, or a smaller size"
        )
