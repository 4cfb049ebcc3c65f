"""Prepares images by a model's own processor, and finds the region that it crops."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.framing import Cropped, Prepared, prepared
from harness_plugins.extractors.pretrained.reasons import first_line

PROCESSORS = ("preprocessor_config.json", "processor_config.json")

# ViT's processor for Pillow does the same with the same configuration.
FOR_TORCHVISION_ALONE = ("DINOv3ViTImageProcessor",)


@dataclass(frozen=True, eq=False)
class Preparation:
    """A model's processor, and the size that replaces the processor's own if it is given.

    patch: (height, width); channels: of the model's input; size: the shorter side, or height and
    width, in pixels, rounded to whole patches.
    """

    processor: Any
    patch: tuple[int, int]
    channels: int
    size: tuple[int, ...] | None

    def __call__(self, image: harness.Image) -> Prepared:
        """An image as the model takes it."""
        return prepared(image, self.channels, self.patch, self.size, self._cropped)

    def _cropped(self, pixels: NDArray[np.uint8], asked: tuple[int, int] | None) -> Cropped:
        processor = self.processor
        crop = processor.crop_size if asked is None and processor.do_center_crop else None
        changes: dict[str, Any] = {}
        if asked is not None:
            changes = {"do_resize": True, "size": {"height": asked[0], "width": asked[1]}}
        resized = _resized(processor, pixels, **changes)
        scaled = (resized.shape[1], resized.shape[2])
        if crop is None:
            return resized, scaled, (0, 0)
        # Not left to the processor, which does not report where it crops.
        top, left = (scaled[0] - crop["height"]) // 2, (scaled[1] - crop["width"]) // 2
        if top < 0 or left < 0:
            raise ValueError(
                f"its processor crops {crop['height']}×{crop['width']} from "
                f"{scaled[0]}×{scaled[1]} pixels; give a size"
            )
        cropped = resized[:, top : top + crop["height"], left : left + crop["width"]]
        return cropped, scaled, (top, left)


def preparation_of(
    folder: Path, model: str, patch: tuple[int, int], channels: int, size: tuple[int, ...] | None
) -> Preparation:
    """The preparation that a model's folder prescribes.

    Pillow is always used, whatever else is installed, so that pixels are the same everywhere.
    """
    if not any((folder / name).is_file() for name in PROCESSORS):
        # The library would use a default mean and deviation.
        raise harness.HarnessError(
            f"{model}: how it takes images is unknown: there is no {' or '.join(PROCESSORS)}; put "
            "that of the model beside its weights"
        )
    try:
        processor = _processor(folder)
    except Exception as error:  # broken JSON, unknown types, values of other types
        # Of a module that cannot be imported, transformers gives the reason as the cause.
        cause = error.__cause__ if isinstance(error, ImportError) else None
        reason = first_line(cause if isinstance(cause, Exception) else error)
        raise harness.HarnessError(
            f"{model}: its image processor cannot be used: {reason}"
        ) from error
    if getattr(processor, "do_pad", False):
        wrong = "its processor pads images, and padding has no patches"
    elif getattr(processor, "crop_pct", None) is not None:
        wrong = "its processor crops images without reporting where"
    else:
        return Preparation(processor, patch, channels, size)
    raise harness.HarnessError(f"{model}: {wrong}")


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
