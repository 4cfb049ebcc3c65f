"""An epoch of `harness train` beside a bare PyTorch loop over the same images.

    OMP_NUM_THREADS=1 python benchmarks/training_speed.py --part 0.2

Both train the same model by the thesis' recipe, in turn, an epoch each, so that a slow moment of
the machine meets both. The bare loop has its images in memory as normalised floats, and does
nothing but take batches of them, augment them if that is asked for, and step. The epoch of
`harness train` starts from bytes, and includes its validation and its state on disk. Times are
seconds of the processor, the medians of the rounds; what `harness train` does once, before its
first epoch and after its last, is not among them.
"""

import argparse
import resource
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch.nn import functional

from harness.command import shown_progress
from harness_plugins.thesis.vit.augmentation import flipped_and_shifted
from harness_plugins.thesis.vit.examples import Examples
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from harness_plugins.thesis.vit.splits import Splits, SplitSets
from harness_plugins.thesis.vit.training import RECIPES, TrainingSettings, TrainingStep, train


@dataclass
class Clock:
    """Processor seconds of each round, in the program and in the system."""

    user: list[float] = field(default_factory=list)
    system: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Begin a round."""
        self._began = resource.getrusage(resource.RUSAGE_SELF)

    def stop(self) -> None:
        """End a round."""
        now = resource.getrusage(resource.RUSAGE_SELF)
        self.user.append(now.ru_utime - self._began.ru_utime)
        self.system.append(now.ru_stime - self._began.ru_stime)

    @property
    def seconds(self) -> float:
        """The median of the rounds."""
        return statistics.median(map(sum, zip(self.user, self.system, strict=True)))

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.2f} s an epoch: {statistics.median(self.user):.2f} s in the program, "
            f"{statistics.median(self.system):.2f} s in the system"
        )


def bare_loop(
    examples: Examples, model_settings: ModelSettings, how: TrainingSettings
) -> Callable[[], None]:
    """One more epoch with each call."""
    torch.manual_seed(how.seed)
    model = OneLayerViT(model_settings)
    optimiser = torch.optim.SGD(model.parameters(), lr=how.learning_rate, momentum=how.momentum)
    generator = torch.Generator().manual_seed(how.seed)
    floats = examples.images.float().div_(255).sub_(0.4).div_(0.28)

    def epoch() -> None:
        model.train()
        for chosen in torch.randperm(len(examples), generator=generator).split(how.batch):
            images = floats[chosen]
            if how.augmentation is not None:
                images = flipped_and_shifted(images, how.augmentation, generator)
            loss = functional.cross_entropy(model(images), examples.labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return epoch


def part_of(examples: Examples, fraction: float) -> Examples:
    """Some of the images, drawn from all classes."""
    count = max(1, round(fraction * len(examples)))
    chosen = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))[:count]
    keys = tuple(examples.keys[index] for index in chosen.tolist())
    return replace(
        examples, keys=keys, images=examples.images[chosen], labels=examples.labels[chosen]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--images", default="tf-flowers", help="a labelled image set")
    add("--size", type=int, default=224, help="the images' side in pixels")
    add("--part", type=float, default=1.0, help="the fraction of the images that is used")
    add("--patch", type=int, default=16)
    add("--dimension", type=int, default=96)
    add("--heads", type=int, default=1)
    add("--augmentation", type=int)
    add("--threads", type=int, default=1)
    add("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    size = (arguments.size, arguments.size)
    with shown_progress() as progress:
        whole = SplitSets.find(arguments.images, ()).read(size, None, progress)
    splits = Splits(
        *(part_of(each, arguments.part) for each in (whole.training, whole.validation, whole.test)),
        classes=whole.classes,
    )
    del whole
    shape = ModelSettings(
        *splits.training.shape,
        patch=arguments.patch,
        dimension=arguments.dimension,
        heads=arguments.heads,
        classes=len(splits.classes),
    )
    # The first round warms up.
    how = replace(
        RECIPES["thesis"], epochs=arguments.rounds + 1, augmentation=arguments.augmentation
    )
    loop = bare_loop(splits.training, shape, how)
    bare, ours = Clock(), Clock()

    def report(step: TrainingStep) -> None:
        if step.validation_accuracy is None:
            return
        if step.epoch > 1:
            ours.stop()
            bare.start()
        loop()
        if step.epoch > 1:
            bare.stop()
        ours.start()

    with tempfile.TemporaryDirectory() as folder:
        train(splits, shape, how, Path(folder, "state"), report)
    print(f"{len(splits.training)} images, {shape}")
    print(f"bare loop     {bare}")
    print(f"harness train {ours}")
    print(f"ratio {ours.seconds / bare.seconds:.2f}")


if __name__ == "__main__":
    main()
