"""An epoch of `harness train` beside a bare PyTorch loop over the same model and batches.

    OMP_NUM_THREADS=1 python benchmarks/training_speed.py [--images fashion-mnist] [--rounds 3]

Both train the thesis' model (twelve heads, patches of 4 pixels) for an epoch, in turn, so that a
slow moment of the machine meets both; the ratio is of the medians. The epoch of `harness train`
includes its validation and its state on disk; the bare loop has neither.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn import functional

import harness
from harness_plugins.thesis.vit.examples import gather
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from harness_plugins.thesis.vit.training import RECIPES, Splits, train


def bare(splits: Splits, model_settings: ModelSettings) -> float:
    """Seconds of one epoch of a loop that does nothing but train."""
    examples, how = splits.training, RECIPES["modern"]
    torch.manual_seed(how.seed)
    model = OneLayerViT(model_settings)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
    )
    started = time.perf_counter()
    for chosen in torch.randperm(len(examples)).split(how.batch):
        images = (examples.images[chosen].to(torch.float32) / 255 - 0.286) / 0.353
        loss = functional.cross_entropy(model(images), examples.labels[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return time.perf_counter() - started


def trained(splits: Splits, model_settings: ModelSettings) -> float:
    """Seconds of one epoch of `harness train`."""
    how = replace(RECIPES["modern"], epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        train(splits, model_settings, how, Path(folder, "state"), lambda progress: None)
        return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", default="fashion-mnist")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = harness.make("image set", arguments.images)
    classes = images.classes()
    parts = [
        gather(replace(images, split=split), classes) for split in ("train", "validation", "test")
    ]
    splits = Splits(*parts, classes)
    height, width, channels = splits.training.shape
    model = ModelSettings(height, width, channels, patch=4, heads=12, classes=len(splits.classes))
    pairs = [(bare(splits, model), trained(splits, model)) for _ in range(arguments.rounds)]
    loop, harness_train = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    print(f"bare loop {loop:.1f} s, harness train {harness_train:.1f} s an epoch")
    print(f"ratio {harness_train / loop:.2f}")


if __name__ == "__main__":
    main()
