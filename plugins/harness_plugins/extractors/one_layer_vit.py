"""Attention maps of the one-layer Vision Transformer."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import harness
from harness import AblationSpec, Ablator, ModelResponse
from harness_plugins.datasets.fashion_mnist import CLASSES
from harness_plugins.extractors.heads import Chosen, check, choose
from harness_plugins.thesis.vit.files import checkpoint_file, head_count, opened

if TYPE_CHECKING:
    from torch import Tensor

    from harness_plugins.thesis.vit.checkpoint import Checkpoint


@dataclass(frozen=True)
class OneLayerViT(harness.Extractor):
    """The thesis' Vision Transformer of one layer, trained on Fashion-MNIST.

    Images are converted to grey (ITU-R 601 luma) or RGB, as the model takes them, and resized to
    its size by Pillow's Lanczos filter.

    checkpoint: one-head or twelve-heads, which are shipped, or a file that `harness train` wrote.
    heads: numbers from 0, ranges such as 0-5, all, last, or mean; mean is that of the heads named
        with it, or of all, as head 0.
    """

    name: ClassVar[str] = "one-layer-vit"
    checkpoint: str = "one-head"
    heads: tuple[str, ...] = ("all",)

    def __post_init__(self) -> None:
        check(self.heads, "heads")

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """The chosen heads of layer 0; head 0 for their mean."""
        return [harness.HeadIndex(0, head) for head in self._heads().names]

    def _heads(self) -> Chosen:
        count = head_count(self._file)
        if not count:
            raise harness.HarnessError(f"{self.checkpoint}: a model without attention")
        return choose(self.heads, count, "heads", self.checkpoint)

    def fingerprint(self) -> str:
        """SHA-256 of the checkpoint's file."""
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError as error:
            raise harness.HarnessError(
                f"{self.checkpoint}: no such checkpoint: {error.strerror}"
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
        named = getattr(images, "classes", None)
        if named is not None and tuple(named()) == learned:
            return ""
        kind = "grey" if model["channels"] == 1 else "colour"
        return (
            f"it was trained on {kind} images of {model['height']}×{model['width']} pixels "
            f"({', '.join(learned[:2])}, …), not on images such as those of {images.name}"
        )

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """Maps (patches, patches) of 32-bit floats, head by head, image by image."""
        import torch

        from harness_plugins.thesis.vit import checkpoint

        loaded = checkpoint.load(self._file)
        settings = loaded.model.settings
        heads = self._heads()
        # One image at a time: the last digits may depend on the batch, and batches of 32 were not
        # faster.
        for image in images:
            with torch.inference_mode():
                maps = loaded.model.attention_maps(_prepared(loaded, image))[0].numpy()
            chosen = maps[list(heads.numbers)]
            given = chosen.mean(axis=0, keepdims=True) if heads.mean else chosen
            for head, weights in zip(heads.names, given, strict=True):
                yield harness.AttentionMap(
                    weights,
                    image=image.key,
                    layer=0,
                    head=head,
                    grid=settings.grid,
                    variant=image.variant,
                )

    def ablator(self, removal: AblationSpec) -> Ablator:
        """Measures how the logits change when patches are removed in the only layer.

        Raises HarnessError for another layer; the returned function raises it for an image that is
        too small.
        """
        from harness_plugins.thesis.vit import checkpoint
        from harness_plugins.thesis.vit.ablation import ablated

        if removal.layer != 0:
            raise harness.HarnessError(
                f"{self.checkpoint}: there is no layer {removal.layer}; the only layer is 0"
            )
        loaded = checkpoint.load(self._file)
        classes = tuple(loaded.record.get("classes", ()))

        def ablate(image: harness.Image) -> ModelResponse:
            found = ablated(loaded.model, _prepared(loaded, image), removal.at, removal.fill)
            return replace(found, classes=classes)

        return ablate

    @property
    def _file(self) -> Path:
        return checkpoint_file(self.checkpoint)


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
