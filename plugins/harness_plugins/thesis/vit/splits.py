"""The three splits of a labelled image set: found, then read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import harness
from harness import HarnessError, LabelledImageSet, Split
from harness.command import SILENT, Progress
from harness_plugins.thesis.vit.examples import Examples, first_readable, gather, shape_of

NAMES: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Splits:
    """Images to learn from, to choose the best epoch by, and to measure the result on."""

    training: Examples
    validation: Examples
    test: Examples
    classes: Sequence[str]

    @property
    def left_out(self) -> Mapping[str, str]:
        """The images of all splits that cannot be read, with the reasons."""
        return {**self.training.left_out, **self.validation.left_out, **self.test.left_out}

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint records of the images, as values of JSON."""
        parts = {"training": self.training, "validation": self.validation, "test": self.test}
        return {name: {"digest": part.digest, "images": len(part)} for name, part in parts.items()}


@dataclass(frozen=True, eq=False)
class SplitSets:
    """The sets of the training, validation and test images, none of them empty."""

    sets: tuple[LabelledImageSet, ...]
    classes: Sequence[str]

    @classmethod
    def find(cls, spec: str, plugins: Sequence[Path]) -> "SplitSets":
        """The splits of the image set with this spec."""
        images = harness.image_set(spec, plugins=plugins)
        if not isinstance(images, LabelledImageSet):
            raise HarnessError(
                f"{spec}: has no training images with labels; `harness data list` names sets "
                "that have"
            )
        sets = tuple(replace(images, split=name) for name in NAMES)  # type: ignore[type-var]
        counts = {name: len(each.keys()) for name, each in zip(NAMES, sets, strict=True)}
        for name, count in counts.items():
            if not count:
                listed = ", ".join(f"{count} {name}" for name, count in counts.items())
                raise HarnessError(f"{spec}: its {name} split is empty: {listed} images")
        return cls(sets, images.classes())

    def shape(self, size: tuple[int, int] | None, channels: int | None) -> tuple[int, int, int]:
        """Height, width and channels of the training images, by the first that can be read."""
        return shape_of(first_readable(self.sets[0]), size, channels)

    def read(
        self,
        size: tuple[int, int] | None,
        channels: int | None,
        progress: Progress = SILENT,
    ) -> Splits:
        """All images; validation and test images take the training images' size."""
        training = gather(self.sets[0], self.classes, size, channels, progress)
        height, width, depth = training.shape
        validation, test = (
            gather(each, self.classes, (height, width), depth, progress) for each in self.sets[1:]
        )
        return Splits(training, validation, test, self.classes)
