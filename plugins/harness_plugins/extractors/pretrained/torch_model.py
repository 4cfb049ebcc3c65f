"""Attention maps of a Vision Transformer that the user's code builds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.extraction import Pretrained
from harness_plugins.parameters import check_value
from harness_plugins.thesis.vit import VIT
from harness_plugins.thesis.vit.preprocessing import fitted

if TYPE_CHECKING:
    from harness_plugins.extractors.pretrained.configuration import Architecture
    from harness_plugins.extractors.pretrained.extraction import Opened
    from harness_plugins.extractors.pretrained.framing import Cropped, Prepared
    from harness_plugins.extractors.pretrained.model import Loaded

# Of images, in pixels, if no size is given.
SIZE = (224, 224)


@dataclass(frozen=True)
class FromFactory:
    """The first parameter of `torch`, which stands before those that it shares with others."""

    factory: str


@dataclass(frozen=True)
class Torch(Pretrained, FromFactory):
    """Any Vision Transformer in torch that a function of yours builds.

    The function takes no arguments and returns a `torch.nn.Module` that takes images (images,
    channels, height, width). Layers, heads and patches are found by running it. Images are resized
    by Pillow's Lanczos filter, and standardised.

    Parameters
    ----------
    factory
        MODULE:FUNCTION, such as my_module:make_model; --plugin my_module.py gives the file.
    size
        height and width, or the shorter side in pixels, with the image's aspect ratio, rounded to
        whole patches. If not given, 224×224, which changes the aspect ratio.
    mean
        what is subtracted from each channel of values from 0 to 1, by default that of ImageNet; one
        value for a model of grey images.
    std
        what the differences are divided by, likewise.
    """

    name: ClassVar[str] = "torch"
    requires: ClassVar[harness.Requirement] = VIT
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(self.factory.rpartition(":")):
            raise harness.HarnessError(
                f"{self.name}: factory takes MODULE:FUNCTION, such as my_module:make_model, not "
                f"{self.factory!r}"
            )
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean):
            raise harness.HarnessError(
                f"{self.name}: mean and std take one value each, for grey, or three, not "
                f"{list(self.mean)} and {list(self.std)}"
            )
        for value in self.mean:
            check_value(self.name, "mean", value)
        for value in self.std:
            check_value(self.name, "std", value, above=0)

    @property
    def model_name(self) -> str:
        """The factory."""
        return self.factory

    def fingerprint(self) -> str:
        """SHA-256 over the model's weights and the code of the factory's module."""
        from harness_plugins.extractors.pretrained import factory

        return factory.digest(self.factory)

    def _architecture(self) -> "Architecture":
        from harness_plugins.extractors.pretrained import factory

        size = self.size or SIZE
        image = (size[0], size[-1])
        code = factory.code_digest(self.factory)
        return factory.architecture_of(self.factory, code, image, len(self.mean))

    def _opened(self) -> "Opened":
        from harness_plugins.extractors.pretrained import factory
        from harness_plugins.extractors.pretrained.framing import prepared

        architecture = self._architecture()

        def prepare(image: harness.Image) -> "Prepared":
            return prepared(
                image, architecture.channels, architecture.patch, self.size, self._resized
            )

        def load(classifier: bool) -> "Loaded":
            return factory.load(self.factory)

        return architecture, prepare, load

    def _resized(self, pixels: NDArray[np.uint8], asked: tuple[int, int] | None) -> "Cropped":
        """All of the image: nothing is cropped."""
        size = asked or SIZE
        channels = len(self.mean)
        resized = fitted(harness.Image("resized", pixels), *size, channels).astype(np.float32) / 255
        mean, deviation = (np.array(each, dtype=np.float32) for each in (self.mean, self.std))
        standardised = (resized - mean) / deviation
        return np.ascontiguousarray(standardised.transpose(2, 0, 1)), size, (0, 0)


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [Torch]
