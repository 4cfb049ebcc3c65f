"""Images as a model's own processor prepares them, and the part of the image that it keeps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import harness
from harness.vit.preprocessing import fitted
from harness_plugins.extractors.pretrained.reasons import first_line

if TYPE_CHECKING:
    from torch import Tensor

PROCESSORS = ("preprocessor_config.json", "processor_config.json")

# One map of so many takes 4 GiB; refused before the pixels, too, would fill the memory.
MOST_PATCHES = 1 << 15

# They do what their configuration says and ViT's does too, by Pillow.
FOR_TORCHVISION_ALONE = ("DINOv3ViTImageProcessor",)

Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Prepared:
    """pixels (1, channels, height, width) as the model takes them, and where they lie.

    grid: rows and columns of whole patches; region: their (top, left, height, width) in pixels of
    the image.
    """

    pixels: "Tensor"
    grid: tuple[int, int]
    region: Region


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
        import torch

        height, width, _ = image.pixels.shape
        # Made grey or RGB; the size stays.
        pixels = fitted(image, height, width, self.channels)
        try:
            scaled, cropped = self._processed(pixels)
        except Exception as error:  # whatever a processor raises that an image does not suit
            raise harness.HarnessError(
                f"{image.key}: not prepared for the model: {first_line(error)}"
            ) from error
        grid = (cropped.shape[1] // self.patch[0], cropped.shape[2] // self.patch[1])
        if grid[0] * grid[1] < 2:
            raise harness.HarnessError(
                f"{image.key}: {cropped.shape[1]}×{cropped.shape[2]} pixels hold "
                f"{grid[0]}×{grid[1]} patches of {self.patch[0]}×{self.patch[1]}"
            )
        region = _region((height, width), scaled, cropped.shape[1:], grid, self.patch)
        return Prepared(torch.from_numpy(cropped)[None], grid, region)

    def _processed(self, pixels: NDArray[np.uint8]) -> tuple[tuple[int, int], NDArray[np.float32]]:
        """The size (height, width) that the image was scaled to, and what was cut out of that."""
        processor = self.processor
        if self.size is None:
            crop = processor.crop_size if processor.do_center_crop else None
            resized = _resized(processor, pixels)
        else:
            crop = None
            height, width = _asked_size(pixels.shape[:2], self.size, self.patch)
            resized = _resized(
                processor, pixels, do_resize=True, size={"height": height, "width": width}
            )
        scaled = (resized.shape[1], resized.shape[2])
        if crop is None:
            return scaled, resized
        # Not left to the processor, since it does not tell where it cuts.
        top, left = (scaled[0] - crop["height"]) // 2, (scaled[1] - crop["width"]) // 2
        if top < 0 or left < 0:
            raise ValueError(
                f"its processor cuts {crop['height']}×{crop['width']} out of "
                f"{scaled[0]}×{scaled[1]} pixels; give a size"
            )
        return scaled, resized[:, top : top + crop["height"], left : left + crop["width"]]


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


def _asked_size(
    image: tuple[int, ...], size: tuple[int, ...], patch: tuple[int, int]
) -> tuple[int, int]:
    """Height and width in whole patches: as asked for, or with the image's own aspect."""
    height, width = image if len(size) == 1 else size
    scale = size[0] / min(height, width) if len(size) == 1 else 1
    rows = max(1, round(height * scale / patch[0]))
    columns = max(1, round(width * scale / patch[1]))
    if rows * columns > MOST_PATCHES:
        raise ValueError(
            f"{rows}×{columns} patches are more than {MOST_PATCHES}; give a smaller size"
        )
    return rows * patch[0], columns * patch[1]


def _region(
    image: tuple[int, int],
    scaled: tuple[int, int],
    cropped: tuple[int, ...],
    grid: tuple[int, int],
    patch: tuple[int, int],
) -> Region:
    """Where on the image the patches lie that were cut out of its middle after scaling."""
    top, height = _extent(image[0], scaled[0], cropped[0], grid[0] * patch[0])
    left, width = _extent(image[1], scaled[1], cropped[1], grid[1] * patch[1])
    return top, left, height, width


def _extent(image: int, scaled: int, cropped: int, covered: int) -> tuple[float, float]:
    """Start and length along one side, in pixels of the image."""
    start = (scaled - cropped) // 2
    return start * image / scaled, covered * image / scaled
