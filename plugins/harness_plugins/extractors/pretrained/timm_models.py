"""Attention maps of timm's Vision Transformers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import harness
from harness_plugins.extractors.pretrained.extraction import FromLibrary, Pretrained

if TYPE_CHECKING:
    from harness_plugins.extractors.pretrained.configuration import Architecture
    from harness_plugins.extractors.pretrained.extraction import Opened


@dataclass(frozen=True)
class Timm(Pretrained, FromLibrary):
    """Any Vision Transformer of timm whose blocks attend over all patches: ViT, DeiT, EVA, BEiT, …

    Pretrained weights come from the Hugging Face hub, as safetensors. Images are prepared as the
    model's configuration prescribes for evaluation, by Pillow. Needs the torchvision that fits
    torch.

    Parameters
    ----------
    model
        timm's name for it, such as vit_small_patch16_224, with or without the tag of its weights;
        or hf-hub: and a repository; or local-dir: and a folder with a config.json.
    weights
        a file of safetensors to use instead of the pretrained weights.
    size
        the shorter side in pixels, with the image's aspect ratio, or height and width; rounded to
        whole patches. If not given, as the configuration prescribes, which may crop the image.
    """

    name: ClassVar[str] = "timm"
    requires: ClassVar[harness.Requirement] = harness.Requirement(
        "attention-harness[timm]", ("torch", "torchvision", "timm")
    )
    weights: str | None = None

    @property
    def model_name(self) -> str:
        """The model."""
        return self.model

    def fingerprint(self) -> str:
        """SHA-256 over the model's weights and its folder's configuration, if it has one."""
        from harness_plugins.extractors.pretrained import source, timm_library

        return source.digest_of(timm_library.files_of(self.model, self.weights))

    def _architecture(self) -> "Architecture":
        from harness_plugins.extractors.pretrained import timm_library

        return timm_library.architecture_of(timm_library.made(self.model), self.model)

    def _opened(self) -> "Opened":
        from harness_plugins.extractors.pretrained import timm_library
        from harness_plugins.extractors.pretrained.model import Loaded
        from harness_plugins.extractors.pretrained.timm_preparation import preparation_of

        weights, *_ = timm_library.files_of(self.model, self.weights)
        unloaded = timm_library.made(self.model)
        architecture = timm_library.architecture_of(unloaded, self.model)
        prepare = preparation_of(unloaded, self.model, architecture.patch, self.size)

        def load(classifier: bool) -> Loaded:
            resizable = self.size is not None
            return timm_library.load(
                self.model, weights, classifier=classifier, resizable=resizable
            )

        return architecture, prepare, load


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [Timm]
