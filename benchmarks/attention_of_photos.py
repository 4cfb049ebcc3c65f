"""Attention maps of a pretrained Vision Transformer on photos that two packages bring, as arrays.

    pip install transformers scikit-image
    python benchmarks/attention_of_photos.py MODEL OUT

MODEL is what transformers' AutoModel loads: a folder with DINOv2-small, say. Writes one
OUT/PHOTO-head-H.npy for every head of the last layer: attention of patches to patches at 224
pixels, in single precision; the columns of prefix tokens (class, registers) are dropped and the
rows rescaled to sum to one. `harness run --extractors 'arrays[path=OUT,grid=[16,16]]'` reads them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images
from transformers import AutoModel

SIZE = 224
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle")
# What ImageNet's pixels are standardised by, and with them DINOv2's.
MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])


def photos() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Photos (height, width, 3) by name."""
    samples = load_sample_images()
    for path, pixels in zip(samples.filenames, samples.images, strict=True):
        yield Path(path).stem, pixels
    for name in PHOTOS:
        loaded = getattr(skimage.data, name)()
        # Of a stereo pair the left one.
        yield name, loaded[0] if isinstance(loaded, tuple) else loaded


def prepared(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """The middle square of a photo, (1, 3, SIZE, SIZE), standardised."""
    photo = Image.fromarray(pixels).convert("RGB")
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    square = photo.crop((left, top, left + side, top + side))
    scaled = np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BICUBIC)) / 255
    standardised = ((scaled - MEAN) / DEVIATION).transpose(2, 0, 1)
    return torch.from_numpy(standardised[None].astype(np.float32))


def main() -> None:
    """Extract and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    # Other implementations of attention do not give the weights.
    model = AutoModel.from_pretrained(arguments.model, attn_implementation="eager").float().eval()
    patches = (SIZE // model.config.patch_size) ** 2
    for name, pixels in photos():
        with torch.inference_mode():
            attentions = model(prepared(pixels), output_attentions=True).attentions
        last = attentions[-1][0]
        prefix = last.shape[-1] - patches
        for head, weights in enumerate(last[:, prefix:, prefix:].numpy()):
            np.save(
                arguments.out / f"{name}-head-{head}.npy",
                weights / weights.sum(axis=1, keepdims=True),
            )
        print(f"{name}: {len(last)} heads of {patches} patches, {prefix} prefix token(s) dropped")


if __name__ == "__main__":
    main()
