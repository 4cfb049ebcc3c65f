"""Images as a model's own processor prepares them, and the part of the image that it keeps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.framing import Cut, Prepared, asked_size, framed
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.thesis.vit.preprocessing import fitted

PROCESSORS = ("preprocessor_config.json", "processor_config.json")

# They do what their configuration says and ViT's does too, by Pillow.
FOR_TORCHVISION_ALONE = ("DINOv3ViTImageProcessor",)


@dataclass(frozen=True, eq=False)
class Preparation:
    """A model's processor, and the size that stands in for the processor's own if one is given.

    patch: (height, width); channels: of the images the model takes. size: the shorter side, or
    height and width, in pixels; rounded to whole patches.
    """

    processor: Any
    patch: tuple[int, int]
    channels: int
    size: tuple[int, ...] | None

    def __call__(self, image: harness.Image) -> Prepared:
        """An image as the model takes it.

        Raises HarnessError if less than two patches would be left of it.
        """
        height, width, _ = image.pixels.shape
        # Made grey or RGB; the size stays.
        pixels = fitted(image, height, width, self.channels)
        try:
            cut = self._processed(pixels)
        except Exception as error:  # whatever a processor raises that an image does not suit
            raise harness.HarnessError(
                f"{image.key}: not prepared for the model: {first_line(error)}"
            ) from error
        return framed(image, cut, self.patch)

    def _processed(self, pixels: NDArray[np.uint8]) -> Cut:
        processor = self.processor
        if self.size is None:
            crop = processor.crop_size if processor.do_center_crop else None
            resized = _resized(processor, pixels)
        else:
            crop = None
            height, width = asked_size(pixels.shape[:2], self.size, self.patch)
            resized = _resized(
                processor, pixels, do_resize=True, size={"height": height, "width": width}
            )
        scaled = (resized.shape[1], resized.shape[2])
        if crop is None:
            return Cut(resized, scaled)
        # Not left to the processor, since it does not tell where it cuts.
        top, left = (scaled[0] - crop["height"]) // 2, (scaled[1] - crop["width"]) // 2
        if top < 0 or left < 0:
            raise ValueError(
                f"its processor cuts {crop['height']}×{crop['width']} out of "
                f"{scaled[0]}×{scaled[1]} pixels; give a size"
            )
        cropped = resized[:, top : top + crop["height"], left : left + crop["width"]]
        return Cut(cropped, scaled, (top, left))


def preparation_of(
    folder: Path, model: str, patch: tuple[int, int], channels: int, size: tuple[int, ...] | None
) -> Preparation:
    """The preparation that a model's folder prescribes.

    Always by Pillow, whatever else is installed, so that images come out alike everywhere. Raises
    HarnessError if there is none, or if it pads images.
    """
    if not any((folder / name).is_file() for name in PROCESSORS):
        # The library would make up a mean and a deviation.
        raise harness.HarnessError(
            f"{model}: how it takes images is not known: there is no {' or '.join(PROCESSORS)}"
        )
    try:
        processor = _processor(folder)
    except Exception as error:  # broken JSON, unknown types, values of other types
        raise harness.HarnessError(
            f"{model}: its image processor cannot be used: {first_line(error)}"
        ) from error
    if getattr(processor, "do_pad", False):
        raise harness.HarnessError(f"{model}: its processor pads images, which have no patches")
    if getattr(processor, "crop_pct", None) is not None:
        raise harness.HarnessError(f"{model}: its processor cuts images without telling where")
    return Preparation(processor, patch, channels, size)


def _processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor, ImageProcessingMixin, ViTImageProcessorPil

    written, _ = ImageProcessingMixin.get_image_processor_dict(folder, local_files_only=True)
    if str(written.get("image_processor_type")).removesuffix("Fast") in FOR_TORCHVISION_ALONE:
        return ViTImageProcessorPil(**written)
    load: Any = AutoImageProcessor.from_pretrained
    return load(folder, backend="pil", local_files_only=True, trust_remote_code=False)


def _resized(processor: Any, pixels: NDArray[np.uint8], **changes: Any) -> NDArray[np.float32]:
    prepared = processor(
        pixels, do_center_crop=False, return_tensors="np", input_data_format="channels_last",
        **changes,
    )  # fmt: skip
    found: NDArray[np.float32] = prepared["pixel_values"][0].astype(np.float32)
    return found
