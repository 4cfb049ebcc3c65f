"""Attention maps of the one-layer Vision Transformer."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import harness
from harness import AblationSpec, Ablator, ModelResponse
from harness_plugins.datasets.fashion_mnist import CLASSES
from harness_plugins.extractors.batches import in_batches
from harness_plugins.extractors.devices import (
    CPU,
    SINGLE,
    Dtype,
    at_least_single,
    check_placement,
    freeing,
    place,
    repeatable,
    require_device,
    running,
    stacked,
)
from harness_plugins.extractors.heads import Chosen, check, choose
from harness_plugins.thesis.vit import VIT
from harness_plugins.thesis.vit.files import (
    FLOWERS,
    TRAINED_ON,
    checkpoint_file,
    head_count,
    opened,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from harness_plugins.thesis.vit.checkpoint import Checkpoint


@dataclass(frozen=True)
class OneLayerViT(harness.Extractor):
    """The thesis' Vision Transformer of one layer, trained on flower photos or on Fashion-MNIST.

    Shipped are flowers-one-head and flowers-twelve-heads, trained on tf-flowers, and
    fashion-mnist-one-head and fashion-mnist-twelve-heads. A run without a checkpoint takes
    fashion-mnist-one-head for fashion-mnist and fashion-mnist-sample, flowers-one-head for all
    other images, and records which. An extractor made by hand takes flowers-one-head.

    Images are converted to grey (ITU-R 601 luma) or RGB, as the model takes them, and resized to
    its size by Pillow's Lanczos filter.

    Parameters
    ----------
    checkpoint
        a shipped checkpoint, or a file that `harness train` wrote.
    heads
        numbers from 0, ranges such as 0-5, all, last, or mean; mean is that of the heads named with
        it, or of all, as head 0.
    device
        where the model runs: cpu, cuda, or one of several such as cuda:1.
    dtype
        precision of the weights and of all computations: float32, float64, bfloat16 or float16.
        Maps have 32 bits in any case.
    batch
        how many images it computes together. A map does not depend on the others in its batch, but
        its last digits (in half precision, more digits) depend on their number.
    """

    name: ClassVar[str] = "one-layer-vit"
    requires: ClassVar[harness.Requirement] = VIT
    checkpoint: str | None = None
    heads: tuple[str, ...] = ("all",)
    device: str = CPU
    dtype: Dtype = SINGLE
    batch: int = 1

    def __post_init__(self) -> None:
        check_placement(self)
        check(self.heads, "heads")

    def for_images(self, image_sets: Sequence[harness.ImageSet]) -> "OneLayerViT":
        """The shipped model with one head that was trained on these images, if none is named.

        Raises HarnessError if it would be another one for some of them.
        """
        if self.checkpoint is not None:
            return self
        models = {
            _one_head(TRAINED_ON[each.name]): each.name
            for each in image_sets
            if each.name in TRAINED_ON
        }
        if len(models) > 1:
            raise harness.HarnessError(
                f"{self.name}: {' and '.join(models.values())} have different models, "
                f"{' and '.join(models)}; choose one by checkpoint=…, or run one set at a time"
            )
        return replace(self, checkpoint=next(iter(models), _one_head(FLOWERS)))

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """The chosen heads of layer 0; head 0 for their mean.

        Raises HarnessError if there is no such device, so that a run is refused at its survey.
        """
        require_device(self.device)
        return [harness.HeadIndex(0, head) for head in self._heads().names]

    def _heads(self) -> Chosen:
        count = head_count(self._file)
        if not count:
            raise harness.HarnessError(f"{self._checkpoint}: a model without attention")
        return choose(self.heads, count, "heads", self._checkpoint)

    def fingerprint(self) -> str:
        """SHA-256 of the checkpoint's file."""
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError as error:
            raise harness.HarnessError(
                f"{self._checkpoint}: no such checkpoint: {error.strerror}"
            ) from error

    def patches(self, image: harness.Image) -> harness.Patches:
        """The model's grid over the whole image."""
        with opened(self._file, "np") as (_, metadata):
            model = metadata["model"]
            grid = model["height"] // model["patch"], model["width"] // model["patch"]
        return harness.Patches.on(image.pixels.shape[:2], grid, None)

    def caveat(self, images: harness.ImageSet) -> str:
        """That the model learned other classes than those of the images, if it did."""
        with opened(self._file, "np") as (_, metadata):
            model, learned = metadata["model"], tuple(metadata["record"].get("classes", CLASSES))
        named = getattr(images, "classes", tuple)
        try:
            suits = tuple(named()) == learned
        except harness.HarnessError:
            # The set has no classes, which is said where its images are read.
            return ""
        if suits:
            return ""
        kind = "grey" if model["channels"] == 1 else "colour"
        return (
            f"it was trained on {kind} images of {model['height']}×{model['width']} pixels "
            f"({', '.join(learned[:2])}, …), not on images such as those of {images.name}"
        )

    @freeing
    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """Maps (patches, patches) of 32-bit floats, head by head, image by image."""
        import torch

        from harness_plugins.thesis.vit import checkpoint

        loaded = checkpoint.load(self._file)
        model, heads = loaded.model, self._heads()
        place(model, self.device, self.dtype)

        def maps_of(
            pixels: Sequence["Tensor"],
        ) -> list[Iterator[tuple[int, "NDArray[np.float32]"]]]:
            together = running(self._checkpoint, model, stacked(pixels, self.batch))
            with torch.inference_mode(), together as placed:
                maps = model.attention_maps(placed)[: len(pixels)].cpu().float().numpy()
            chosen = maps[:, list(heads.numbers)]
            given = chosen.mean(axis=1, keepdims=True) if heads.mean else chosen
            return [zip(heads.names, each, strict=True) for each in given]

        prepare = partial(_prepared, loaded)
        for image, _, (head, weights) in in_batches(images, prepare, maps_of, self.batch):
            yield harness.AttentionMap(
                weights,
                image=image.key,
                layer=0,
                head=head,
                grid=model.settings.grid,
                variant=image.variant,
            )

    def ablator(self, removal: AblationSpec) -> Ablator:
        """Measures how the logits change when patches are removed in the only layer.

        The model runs on the device, at least in single precision: half precision would round the
        changes away.
        Raises HarnessError for another layer; the returned function raises it for an image that is
        too small.
        """
        from harness_plugins.thesis.vit import checkpoint
        from harness_plugins.thesis.vit.ablation import ablated

        if removal.layer != 0:
            raise harness.HarnessError(
                f"{self._checkpoint}: there is no layer {removal.layer}; the only layer is 0"
            )
        loaded = checkpoint.load(self._file)
        place(loaded.model, self.device, at_least_single(self.dtype))
        classes = tuple(loaded.record.get("classes", ()))

        def ablate(image: harness.Image) -> ModelResponse:
            with running(self._checkpoint, loaded.model, _prepared(loaded, image)) as pixels:
                found = ablated(loaded.model, pixels, removal.at, removal.fill)
            changes = repeatable(pixels.device)(found.changes)
            return replace(found, changes=changes, classes=classes)

        return ablate

    @property
    def _checkpoint(self) -> str:
        return self.checkpoint or _one_head(FLOWERS)

    @property
    def _file(self) -> Path:
        return checkpoint_file(self._checkpoint)


def _one_head(data: str) -> str:
    return f"{data}-one-head"


def _prepared(loaded: "Checkpoint", image: harness.Image) -> "Tensor":
    """The image as the model takes it, (1, channels, height, width)."""
    import torch

    from harness_plugins.thesis.vit.preprocessing import fitted

    settings = loaded.model.settings
    height, width, _ = image.pixels.shape
    rows, columns = settings.grid
    if height < rows or width < columns:
        raise harness.HarnessError(
            f"{image.key}: {height}×{width} pixels is smaller than the {rows}×{columns} patch grid"
        )
    pixels = fitted(image, settings.height, settings.width, settings.channels)
    return loaded.normalisation(torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0))


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [OneLayerViT]
