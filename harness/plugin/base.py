"""The base classes of everything that can be plugged in.

A component is a frozen dataclass: its fields are its parameters, and `name` is how the
command line spells it. Methods that take a map, graph or image also take a bare numpy array.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.plugin.graph import Graph, Partition
from harness.plugin.profile import Profile, Selection
from harness.plugin.values import FIRST_HEAD, AttentionMap, Floats, HeadIndex, Image


def as_image(value: Image | NDArray[Any]) -> Image:
    """An image as it is; pixels (height, width[, channels]) of bytes as an unnamed image."""
    if isinstance(value, Image):
        return value
    pixels = np.asarray(value)
    return Image(key="", pixels=pixels[:, :, None] if pixels.ndim == 2 else pixels)


def as_images(values: Iterable[Image | NDArray[Any]]) -> Iterator[Image]:
    """Each of the values as an image, one at a time."""
    return map(as_image, values)


def as_attention(value: AttentionMap | NDArray[Any]) -> AttentionMap:
    """A map as it is; weights (n, n) as a map without a name."""
    return value if isinstance(value, AttentionMap) else AttentionMap(np.asarray(value))


def as_graph(value: Graph | NDArray[Any]) -> Graph:
    """A graph as it is; weights (n, n) as a graph of the positive ones, without self-loops."""
    if isinstance(value, Graph):
        return value
    # A map's weights are checked.
    return Graph.from_weights(AttentionMap(np.asarray(value, dtype=np.float64)).weights)


Conversions = Mapping[str, Callable[[Any], Any]]


class Component(ABC):
    """What all components share: a kind, a name, and parameters as dataclass fields."""

    kind: ClassVar[str]
    name: ClassVar[str]
    # The methods whose first argument may be a bare array, with what makes a value of it.
    _converted: ClassVar[Conversions] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name, convert in cls._converted.items():
            if name in cls.__dict__:
                setattr(cls, name, _converting(cls.__dict__[name], convert))


def _converting(method: Callable[..., Any], convert: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def converted(self: Any, value: Any, *arguments: Any, **keywords: Any) -> Any:
        return method(self, convert(value), *arguments, **keywords)

    return converted


class ImageSet(Component):
    """Named images. A key whose image cannot be had is still listed; `load` refuses it."""

    kind = "image set"

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """The images' names, in a fixed order, each once.

        Raises HarnessError if the set itself (its folder, its file) is not to be had.
        """

    @abstractmethod
    def load(self, key: str) -> Image:
        """One image, decoded.

        Raises HarnessError with the reason if it is broken or refused.
        """


Split = Literal["train", "validation", "test"]


class LabelledImageSet(ImageSet):
    """Images of known classes, in the three splits that a classifier is trained and judged on.

    Every concrete set has `split` among its fields, "test" by default; with
    `dataclasses.replace(images, split="train")` one comes from a split to another. No key is
    in two splits.
    """

    split: Split

    @abstractmethod
    def classes(self) -> Sequence[str]:
        """The classes' names; an image's `label` is an index into them."""


class Extractor(Component):
    """A model that turns images into attention maps."""

    kind = "extractor"
    _converted: ClassVar[Conversions] = {"extract": as_images}

    @abstractmethod
    def head_indices(self) -> Sequence[HeadIndex]:
        """The layers and heads that `extract` gives for every image, without loading a model."""

    @abstractmethod
    def extract(self, images: Iterable[Image]) -> Iterator[AttentionMap]:
        """For each image in turn, one map a head, carrying the image's key and variant.

        A generator: it loads the model once and keeps it while images come. Raises
        HarnessError if the image last taken does not suit the model.
        """

    def fingerprint(self) -> str:
        """Digest of what the maps depend on beside images and parameters: the weights' file."""
        return ""


class MapSet(Component):
    """Attention maps that need no images: arrays from files, planted ones."""

    kind = "extractor"

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """The maps' names, in a fixed order, each once.

        Raises HarnessError if the set itself (its folder, its file) is not to be had.
        """

    def locate(self, key: str) -> tuple[str, HeadIndex]:
        """What the tables call the map's image, and its head, without loading it.

        A map that cannot be had is missing there; that of one that can be is its own.
        """
        return key, FIRST_HEAD

    @abstractmethod
    def load(self, key: str) -> AttentionMap:
        """One map; its `image` is what the tables call it.

        Raises HarnessError with the reason if it is broken or refused.
        """


class GraphBuilder(Component):
    """A one-parameter family of graphs for every map, sparser as the level rises."""

    kind = "graph builder"
    _converted: ClassVar[Conversions] = {"levels": as_attention, "build": as_attention}

    @abstractmethod
    def levels(self, attention: AttentionMap, count: int) -> Floats:
        """`count` increasing levels, (count,).

        They may depend on the number of nodes but on no weight: a map and its controls are
        compared level by level.
        """

    @abstractmethod
    def build(self, attention: AttentionMap, levels: Floats) -> Iterator[Graph]:
        """One graph a level, in the order of the levels."""


class Clusterer(Component):
    """A method that parts a graph's nodes into clusters."""

    kind = "clusterer"
    _converted: ClassVar[Conversions] = {"cluster": as_graph}

    @abstractmethod
    def cluster(self, graph: Graph, *, seed: int) -> NDArray[np.integer[Any]] | Partition:
        """Integer labels (n,), −1 = unassigned; or a Partition of labels and diagnostics.

        The same graph and seed give the same labels. 0 ≤ seed < 2³¹.
        """


class Selector(Component):
    """A rule that chooses a level of a profile without a person looking."""

    kind = "selector"
    # Where this is True a run whose maps have no control is refused before it begins.
    needs_controls: ClassVar[bool] = False

    @abstractmethod
    def select(self, profile: Profile, controls: Sequence[Profile]) -> Selection:
        """The level chosen.

        `controls` are profiles of the same method at the same levels on noise.
        """


class ImageControl(Component):
    """Draws from an image something to compare it with."""

    kind = "control"
    _converted: ClassVar[Conversions] = {"draw": as_image}

    @abstractmethod
    def draw(self, image: Image, seed: int) -> Image:
        """An image of the same size and channels; key and variant are set by the harness."""


class MapControl(Component):
    """Draws from an attention map something to compare it with: a null model."""

    kind = "control"
    _converted: ClassVar[Conversions] = {"draw": as_attention}

    @abstractmethod
    def draw(self, attention: AttentionMap, seed: int) -> AttentionMap:
        """A map of the same size; its place and variant are set by the harness."""


class Perturbation(Component):
    """Changes an attention map a little; clusters that are there should survive it."""

    kind = "perturbation"
    _converted: ClassVar[Conversions] = {"draw": as_attention}

    @abstractmethod
    def draw(self, attention: AttentionMap, seed: int) -> AttentionMap:
        """A map of the same size; its place and variant are set by the harness."""
