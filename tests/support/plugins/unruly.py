"""Components of every kind that break their promises, each in the way that `mode` names."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import harness

FAR = 10**30


@dataclass(frozen=True)
class UnrulyImages(harness.ImageSet):
    """Three images."""

    name: ClassVar[str] = "unruly-images"
    mode: str = "good"

    def keys(self) -> Any:
        return {
            "empty": [],
            "twice": ["a", "a"],
            "numbers": [1, 2],
            "escape": ["a\x1b[31m"],
            "surrogate": ["a\udcff"],
            "text": "abc",
        }.get(self.mode, ["a", "b", "c"])

    def load(self, key: str) -> Any:
        if self.mode == "escape":
            raise harness.HarnessError("no pixels")
        pixels = np.full((4, 4, 1), ord(key[0]), dtype=np.uint8)
        if key == "b":
            if self.mode == "none":
                return None
            if self.mode == "label":
                return harness.Image(key, pixels, label=FAR)
            if self.mode == "exit":
                os._exit(3)
        return harness.Image(key, pixels)


@dataclass(frozen=True)
class UnrulyExtractor(harness.Extractor):
    """Two heads of nine patches."""

    name: ClassVar[str] = "unruly-extractor"
    mode: str = "good"

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        heads = (0, 0) if self.mode == "heads" else (0, 1)
        return [harness.HeadIndex(0, head) for head in heads]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[Any]:
        heads = {"few": [0], "many": [0, 1, 1]}.get(self.mode, [0, 1])
        for image in images:
            if self.mode == "exit" and image.key == "b":
                os._exit(3)
            for head in heads:
                random = np.random.default_rng([head, int(image.pixels[0, 0, 0])])
                weights = random.random((9, 9))
                yield (
                    weights
                    if self.mode == "array"
                    else harness.AttentionMap(
                        weights,
                        image="another" if self.mode == "other" else image.key,
                        head=head,
                        variant=harness.Variant("control", "x")
                        if self.mode == "variant"
                        else image.variant,
                    )
                )


@dataclass(frozen=True)
class UnrulyControl(harness.ImageControl):
    """Draws what does not fit."""

    name: ClassVar[str] = "unruly-control"
    mode: str

    def draw(self, image: harness.Image, *, seed: int) -> Any:
        if self.mode == "none":
            return None
        if self.mode == "exit":
            if image.key == "b":
                os._exit(3)
            return image
        return harness.Image(image.key, np.zeros((2, 2, 1), dtype=np.uint8))


@dataclass(frozen=True)
class UnrulyGraphs(harness.GraphBuilder):
    """Graphs at levels that are not what was asked for."""

    name: ClassVar[str] = "unruly-graphs"
    mode: str

    def levels(self, attention: harness.AttentionMap, count: int) -> Any:
        rising = np.linspace(0, 0.5, count)
        return {"falling": rising[::-1], "nan": rising * np.nan}.get(self.mode, rising)

    def build(self, attention: harness.AttentionMap, levels: harness.Floats) -> Any:
        if self.mode == "none":
            return None
        size = 8 if self.mode == "smaller" else 9
        graphs = [
            harness.Graph.from_weights(attention.weights[:size, :size], level=level)
            for level in levels.tolist()
        ]
        return {"few": graphs[:2], "many": [*graphs, graphs[-1]]}.get(self.mode, graphs)


@dataclass(frozen=True)
class UnrulyClusterer(harness.Clusterer):
    """Diagnostics that are none."""

    name: ClassVar[str] = "unruly-clusterer"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        if self.mode == "surrogate":
            raise ValueError("bad name \udcff")
        diagnostics: Any = ["gap"] if self.mode == "list" else {"gap": "wide"}
        return harness.Partition(np.zeros(graph.n, dtype=int), diagnostics)


@dataclass(frozen=True)
class UnrulySelector(harness.Selector):
    """Choices that do not fit the profile."""

    name: ClassVar[str] = "unruly-selector"
    mode: str

    def select(self, profile: harness.Profile, controls: Sequence[harness.Profile]) -> Any:
        if self.mode == "none":
            return None
        if self.mode == "exit":
            os._exit(3)
        candidate = len(profile) if self.mode == "beyond" else 0
        plateau = (1, 2) if self.mode == "plateau" else None
        return harness.Selection(candidate, 0.0, True, plateau, "why not")


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [UnrulyImages]


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    return [UnrulyExtractor]


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [UnrulyControl]


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [UnrulyGraphs]


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [UnrulyClusterer]


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [UnrulySelector]
