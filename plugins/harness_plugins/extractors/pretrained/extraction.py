"""Common base of the extractors of pretrained models from any library."""

import warnings
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

import harness
from harness import AblationSpec, Ablator, ModelResponse
from harness_plugins.extractors.batches import in_batches
from harness_plugins.extractors.devices import (
    CPU,
    SINGLE,
    Dtype,
    at_least_single,
    check_placement,
    freeing,
    place,
    require_device,
)
from harness_plugins.extractors.heads import Chosen, check, choose
from harness_plugins.extractors.tokens import Prefix

if TYPE_CHECKING:
    from harness_plugins.extractors.pretrained.attention import AttentionMaps
    from harness_plugins.extractors.pretrained.configuration import Architecture
    from harness_plugins.extractors.pretrained.framing import Prepared
    from harness_plugins.extractors.pretrained.model import Loaded, VisionTransformer
    from harness_plugins.extractors.pretrained.similarity import SimilarityMaps

    # The architecture, what prepares an image, and what loads the model, with a classifier or not.
    Opened = tuple[Architecture, Callable[[harness.Image], Prepared], Callable[[bool], Loaded]]

# Most memory for the attention of the images in a pass, in bytes.
MOST_BYTES = 4 << 30


Of = Literal["attention", "keys", "queries", "values", "tokens"]
# In `heads`: the features of the others, joined.
CONCATENATED = "concatenated"
ONE_HEAD = Chosen((0,), mean=False)


@dataclass(frozen=True)
class FromLibrary:
    """The first parameter of models of a library, which stands before those that all models share.

    Parameters
    ----------
    model
        what the library calls it.
    """

    model: str


@dataclass(frozen=True)
class Pretrained(harness.Extractor):
    """What extractors of pretrained models share.

    Parameters
    ----------
    of
        what the weights are. attention, or cosine similarities of features, negative ones set to
        zero: of keys, queries or values, as a layer's attention projects them, before any
        normalisation or rotary positions of their own; or of tokens, as a layer returns them, for
        the last layer as the model does.
    layers
        numbers from 0, ranges such as 0-5, all, last, or mean; mean is their mean, as layer 0.
    heads
        likewise; mean is their mean, as head 0. concatenated joins the features of the heads, as
        head 0: the default of keys, queries and values. The default of attention is all; tokens
        have no heads.
    rollout
        replaces the attention of each of the layers by attention rollout (Abnar and Zuidema 2020)
        up to it, of the heads' mean, as head 0.
    prefix
        how class and register tokens are treated. renormalise: they are removed, and rows of
        attention rescaled to sum to one; drop: they are removed; keep: they are nodes too, and
        there is no patch grid.
    device
        where the model runs: cpu, cuda, or one of several such as cuda:1.
    dtype
        precision of the weights and of all computations: float32, float64, bfloat16 or float16.
        Maps have 32 bits in any case.
    batch
        how many images it computes together. A map does not depend on the others in its batch, but
        its last digits (in half precision, more digits) depend on their number.
    """

    of: Of = "attention"
    layers: tuple[str, ...] = ("last",)
    heads: tuple[str, ...] | None = None
    rollout: bool = False
    prefix: Prefix = "renormalise"
    size: tuple[int, ...] | None = None
    device: str = CPU
    dtype: Dtype = SINGLE
    batch: int = 1

    def __post_init__(self) -> None:
        check_placement(self)
        check(self.layers, "layers")
        check(self._named_heads, "heads")
        self._check_combination()
        if self.size is not None and not (len(self.size) in (1, 2) and min(self.size) > 0):
            raise harness.HarnessError(
                f"{self.name}: size takes the shorter side in pixels, or [height,width], not "
                f"{list(self.size)}"
            )

    def _check_combination(self) -> None:
        heads = self.heads or ()
        if self.rollout and "mean" in self.layers:
            wrong = "rollout cannot be combined with layers=mean"
        elif self.rollout and self.of != "attention":
            wrong = f"rollout is of attention, not of {self.of}"
        elif self.of == "tokens" and self.heads is not None:
            wrong = "tokens have no heads; leave heads out"
        elif CONCATENATED in heads and self.of == "attention":
            wrong = "heads=concatenated joins keys, queries or values, not attention; take mean"
        elif heads.count(CONCATENATED) + heads.count("mean") > 1:
            wrong = "heads takes one of mean and concatenated, once"
        else:
            return
        raise harness.HarnessError(f"{self.name}: {wrong}")

    @property
    def _named_heads(self) -> Sequence[str]:
        """The heads that are read, as words that `choose` takes."""
        return [text for text in self.heads or () if text != CONCATENATED] or ["all"]

    @property
    def _concatenated(self) -> bool:
        """Whether the features of all chosen heads make one map."""
        if self.of in ("attention", "tokens"):
            return False
        return self.heads is None or CONCATENATED in self.heads

    @property
    @abstractmethod
    def model_name(self) -> str:
        """What messages call the model."""

    @abstractmethod
    def _architecture(self) -> "Architecture":
        """The model's architecture, found without its weights."""

    @abstractmethod
    def _opened(self) -> "Opened":
        """The model with its weights; raises HarnessError as `_architecture` does."""

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """The chosen layers and heads, from the model's configuration alone.

        Raises HarnessError if there is no such device, so that a run is refused at its survey.
        """
        from harness_plugins.extractors.pretrained import maps

        require_device(self.device)
        layers, heads = self._chosen(self._architecture())
        return maps.head_indices(layers, self._heads_of_maps(heads), rolled=self.rollout)

    def _chosen(self, architecture: "Architecture") -> tuple[Chosen, Chosen]:
        layers = choose(self.layers, architecture.layers, "layers", self.model_name)
        if self.of == "tokens":
            return layers, ONE_HEAD
        return layers, choose(self._named_heads, architecture.heads, "heads", self.model_name)

    def _heads_of_maps(self, heads: Chosen) -> Chosen:
        return ONE_HEAD if self._concatenated else heads

    def patches(self, image: harness.Image) -> harness.Patches:
        """The grid of whole patches, on the part of the image that the model sees."""
        _, prepare, _ = self._opened()
        prepared = prepare(image)
        return harness.Patches(prepared.grid, prepared.region)

    def caveat(self, images: harness.ImageSet) -> str:
        """That draws of map controls are no nulls of similarities, if maps are similarities."""
        if self.of == "attention":
            return ""
        return (
            f"similarities of {self.of} stand out from every control of maps, as would those of "
            "random features: rely on controls of images, such as uniform-noise"
        )

    @freeing
    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """Maps (patches, patches) of 32-bit floats, layer by layer, head by head.

        `batch` images are processed at a time, those of equal size in one pass. Only the maps of
        the chosen layers and heads of these images are held in memory. Warns at the end how many
        negative similarities were set to zero.
        """
        from harness_plugins.extractors.pretrained.model import inspect_model
        from harness_plugins.extractors.pretrained.similarity import Negatives

        architecture, prepare, load = self._opened()
        layers, heads = self._chosen(architecture)
        held = self._held(layers, heads)
        loaded = load(False)
        # A model that suits no image is refused before an image could be blamed.
        trial = prepare(_noise(self.model_name, architecture.image))
        at_work = self.batch * architecture.heads
        _check_memory(self.model_name, trial, held, at_work)
        transformer = inspect_model(loaded, self.model_name, architecture, trial.pixels)
        source = self._source(transformer, layers, heads, trial)
        if (self.device, self.dtype, self.batch) != (CPU, SINGLE, 1):
            # It was inspected on the CPU, in single precision, one image at a time.
            place(transformer.loaded.module, self.device, self.dtype)
            (tried,) = source.of([trial])
            deque(tried, maxlen=0)
        negatives = Negatives()
        # Tokens before the patches have no place on the grid.
        has_grid = self.prefix != "keep" or transformer.prefix_tokens == 0

        def fitting(image: harness.Image) -> "Prepared":
            prepared = prepare(image)
            _check_memory(image.key, prepared, held, at_work)
            return prepared

        of_each = in_batches(images, fitting, source.of, self.batch)
        for image, prepared, (head_index, given) in of_each:
            if self.of != "attention":
                given = negatives.removed(given, counted=image.variant == harness.OBSERVED)
            yield harness.AttentionMap(
                given,
                image=image.key,
                layer=head_index.layer,
                head=head_index.head,
                grid=prepared.grid if has_grid else None,
                region=prepared.region if has_grid else None,
                variant=image.variant,
            )
            # Nothing of an image is held while the next one is loaded and processed.
            del image, prepared, given
        if caveat := str(negatives):
            warnings.warn(caveat, stacklevel=1)

    def _held(self, layers: Chosen, heads: Chosen) -> int:
        """How many maps are held at a time, in single precision."""
        from harness_plugins.extractors.pretrained import maps

        if self.of == "attention":
            averaged = maps.head_mean(heads, rolled=self.rollout)
            needed = maps.needed_layers(layers, rolled=self.rollout)
            return self.batch * len(needed) * (1 if averaged else len(heads.numbers))
        # Of an image's layer at a time, or of two for their mean.
        of_layer = 1 if self._concatenated else len(heads.numbers)
        return of_layer * (2 if layers.mean else 1)

    def _source(
        self, transformer: "VisionTransformer", layers: Chosen, heads: Chosen, trial: "Prepared"
    ) -> "AttentionMaps | SimilarityMaps":
        if self.of == "attention":
            from harness_plugins.extractors.pretrained.attention import AttentionMaps

            return AttentionMaps(transformer, layers, heads, self.rollout, self.prefix, self.batch)
        from harness_plugins.extractors.pretrained.features import feature_reader
        from harness_plugins.extractors.pretrained.similarity import SimilarityMaps

        numbers = layers.numbers, heads.numbers
        reader = feature_reader(self.of, transformer, *numbers, trial.pixels)
        names = self._heads_of_maps(heads)
        keep_prefix = self.prefix == "keep"
        return SimilarityMaps(reader, layers, names, self._concatenated, keep_prefix, self.batch)

    def ablator(self, removal: AblationSpec) -> Ablator:
        """Measures how logits, or an embedding if there are none, change without some patches.

        The embedding is the pooled one if the model has learned to pool, else the class token, else
        the mean of the patches' tokens. The model runs on the device, at least in single precision:
        half precision would round the changes away. Raises HarnessError as `Ablatable` describes.
        """
        from harness_plugins.extractors.pretrained.ablation import ablated
        from harness_plugins.extractors.pretrained.model import inspect_model

        architecture, prepare, load = self._opened()
        trial = prepare(_noise(self.model_name, architecture.image))
        transformer = inspect_model(load(True), self.model_name, architecture, trial.pixels)
        place(transformer.loaded.module, self.device, at_least_single(self.dtype))

        def ablate(image: harness.Image) -> ModelResponse:
            prepared = prepare(image)
            return ablated(transformer, prepared.pixels, prepared.grid, removal)

        return ablate


def _noise(key: str, size: tuple[int, int]) -> harness.Image:
    """An image of fixed random pixels."""
    random = np.random.default_rng(0)
    return harness.Image(key, random.integers(0, 256, (*size, 3), dtype=np.uint8))


def _check_memory(name: str, prepared: "Prepared", held: int, heads: int) -> None:
    """Raise HarnessError if the maps of a pass, and a layer at work, need too much memory.

    held: maps; heads: of a layer, for all images of the pass.
    """
    patches = prepared.grid[0] * prepared.grid[1]
    # A layer at work holds the scores and their softmax for all heads.
    size = 4 * (held + 2 * heads) * patches**2
    if size > MOST_BYTES:
        raise harness.HarnessError(
            f"{name}: {held} maps of {patches} patches, and a layer of {heads} heads at work, take "
            f"{size / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.1f}; choose fewer layers or "
            "heads, or a smaller size or batch"
        )
