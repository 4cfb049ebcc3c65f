"""A clusterer and an extractor that behave as a developer at work would see them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import harness


def counted(path: str, interrupted: int) -> None:
    """Count a call in a file; the call of that number is interrupted, once."""
    file = Path(path)
    calls = len(file.read_text()) + 1 if file.exists() else 1
    file.write_text("." * calls)
    if calls == interrupted:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Interrupting(harness.Clusterer):
    """Counts its calls in a file, and is interrupted at one of them."""

    name: ClassVar[str] = "interrupting"
    path: str
    at: int

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        counted(self.path, self.at)
        return np.arange(graph.n) % 2


@dataclass(frozen=True)
class InterruptingExtractor(harness.Extractor):
    """Counts its images in a file, and is interrupted at one of them."""

    name: ClassVar[str] = "interrupting-extractor"
    path: str
    at: int

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        return [harness.HeadIndex(0, 0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        for image in images:
            counted(self.path, self.at)
            random = np.random.default_rng(int(image.pixels.sum()))
            yield harness.AttentionMap(
                random.random((12, 12)), image=image.key, layer=0, head=0, variant=image.variant
            )


@dataclass(frozen=True)
class Inspected(harness.Clusterer):
    """Stops in the debugger."""

    name: ClassVar[str] = "inspected"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        answer = 6 * 7
        breakpoint()
        return np.arange(graph.n) % 2 + 0 * answer


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Interrupting, Inspected]


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [InterruptingExtractor]
