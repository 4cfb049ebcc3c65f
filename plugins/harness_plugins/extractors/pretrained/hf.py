"""Attention maps of Hugging Face's Vision Transformers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import harness
from harness_plugins.extractors.pretrained.extraction import FromLibrary, Pretrained

if TYPE_CHECKING:
    from harness_plugins.extractors.pretrained.configuration import Architecture
    from harness_plugins.extractors.pretrained.extraction import Opened


@dataclass(frozen=True)
class HuggingFace(Pretrained, FromLibrary):
    """Any Vision Transformer of Hugging Face's transformers: ViT, DeiT, DINOv2, BEiT, CLIP, …

    Weights are read from safetensors only, and code that comes with a model is not run. Images
    are prepared as the model's processor prescribes, by Pillow.

    Parameters
    ----------
    model
        a folder, or a name on the hub, such as facebook/dinov2-small.
    size
        the shorter side in pixels, with the image's aspect ratio, or height and width; rounded to
        whole patches. If not given, as the processor prescribes, which may crop the image.
    revision
        of a model on the hub: a branch, a tag or a commit.
    """

    name: ClassVar[str] = "hf"
    requires: ClassVar[harness.Requirement] = harness.Requirement(
        "attention-harness[hf]", ("torch", "transformers")
    )
    revision: str | None = None

    @property
    def model_name(self) -> str:
        """The model."""
        return self.model

    def fingerprint(self) -> str:
        """SHA-256 over the model's weights, configuration and processor."""
        from harness_plugins.extractors.pretrained import source

        return source.digest(self.model, self.revision)

    def _architecture(self) -> "Architecture":
        from harness_plugins.extractors.pretrained import configuration, source

        folder = source.model_folder(self.model, self.revision)
        source.quieten()
        return configuration.read(folder, self.model)[1]

    def _opened(self) -> "Opened":
        from harness_plugins.extractors.pretrained import configuration, model, source
        from harness_plugins.extractors.pretrained.preparation import preparation_of

        folder = source.weights_folder(self.model, self.revision)
        source.quieten()
        config, architecture = configuration.read(folder, self.model)
        prepare = preparation_of(
            folder, self.model, architecture.patch, architecture.channels, self.size
        )

        def load(classifier: bool) -> model.Loaded:
            classifier = classifier and bool(architecture.classes)
            return model.load(folder, self.model, config, classifier=classifier)

        return architecture, prepare, load


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [HuggingFace]
