"""Components that fail on some inputs only, or on all of them alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Choosy(harness.Clusterer):
    """Two clusters; raises on graphs of so many nodes."""

    name: ClassVar[str] = "choosy"
    refused: int = 0

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        if graph.n == self.refused:
            raise ValueError(f"{graph.n} nodes")
        return harness.Partition(np.arange(graph.n) % 2)


@dataclass(frozen=True)
class BrokenModel(harness.Extractor):
    """A model that cannot be loaded, or gives no sound map."""

    name: ClassVar[str] = "broken-model"
    loads: bool = False
    config: Path = Path(__file__)

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        self.config.read_text()
        return [harness.HeadIndex(0, 0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        if not self.loads:
            raise harness.HarnessError("the file of the weights is damaged; fetch it again")
        for image in images:
            yield harness.AttentionMap(np.full((4, 4), np.nan), image=image.key)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Choosy]


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [BrokenModel]
