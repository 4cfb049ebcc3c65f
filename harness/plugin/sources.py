"""The base classes of what attention maps come from: image sets, extractors and map sets.

The examples assume `import harness`, `import numpy as np` and
`from dataclasses import dataclass, replace`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal, Self

from harness.plugin import conversion
from harness.plugin.component import Component
from harness.plugin.patches import Patches
from harness.plugin.values import FIRST_HEAD, AttentionMap, HeadIndex, Image


class ImageSet(Component):
    """A set of named images.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Grey(harness.ImageSet):
    ...     name = "grey"
    ...     value: int = 128
    ...     def keys(self):
    ...         return ["grey"]
    ...     def load(self, key):
    ...         return harness.Image(key, np.full((28, 28, 1), self.value, dtype=np.uint8))
    >>> Grey(value=7).load("grey").pixels.max()
    np.uint8(7)
    """

    kind = "image set"

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Return the names of the images.

        Returns
        -------
        sequence of str
            At least one name, each once, in a fixed order, also of images that `load` refuses.

        Raises
        ------
        HarnessError
            If the set itself (its folder, its file) cannot be read.
        """

    @abstractmethod
    def load(self, key: str) -> Image:
        """Return a decoded image.

        Parameters
        ----------
        key
            One of `keys`.

        Returns
        -------
        Image
            With this key.

        Raises
        ------
        HarnessError
            If the image cannot be read, with the reason; the others are still used.
        """


Split = Literal["train", "validation", "test"]
"""The part of a labelled image set that an image belongs to."""


class LabelledImageSet(ImageSet):
    """Images of known classes in three splits, to train and test classifiers.

    Besides the methods of `ImageSet`, it defines `classes` and a field `split`. No key is in two
    splits. Every image has a `label`.

    Attributes
    ----------
    split : {"train", "validation", "test"} or None
        The split of the images; None for all. `dataclasses.replace(images, split="train")` gives
        another split of the same set.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Flat(harness.LabelledImageSet):
    ...     name = "flat"
    ...     split: harness.Split = "test"
    ...     def keys(self):
    ...         return [f"{self.split}-dark", f"{self.split}-bright"]
    ...     def classes(self):
    ...         return ["dark", "bright"]
    ...     def load(self, key):
    ...         label = self.keys().index(key)
    ...         return harness.Image(key, np.full((8, 8, 1), 255 * label, dtype=np.uint8), label)
    >>> replace(Flat(), split="train").load("train-bright").label
    1
    """

    split: Split | None

    @abstractmethod
    def classes(self) -> Sequence[str]:
        """Return the names of the classes.

        Returns
        -------
        sequence of str
            The name of each label; empty if the images have no labels.
        """


class Extractor(Component):
    """A model that turns images into attention maps.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Uniform(harness.Extractor):
    ...     name = "uniform"
    ...     n: int = 4
    ...     def head_indices(self):
    ...         return [harness.HeadIndex(0, 0)]
    ...     def extract(self, images):
    ...         weights = np.full((self.n, self.n), 1 / self.n)  # a model is loaded here, once
    ...         for image in images:
    ...             yield harness.AttentionMap(weights, image.key, variant=image.variant)
    >>> [attention.n for attention in Uniform().extract([np.zeros((8, 8), dtype=np.uint8)])]
    [4]
    """

    kind = "extractor"
    _converted: ClassVar[conversion.Conversions] = {"extract": conversion.as_images}

    @abstractmethod
    def head_indices(self) -> Sequence[HeadIndex]:
        """Return the layers and heads whose maps `extract` yields, without loading the model."""

    @abstractmethod
    def extract(self, images: Iterable[Image]) -> Iterator[AttentionMap]:
        """Yield one map per head for each image in turn.

        Write a generator that loads the model once. Its `warnings.warn` lines are shown with the
        extractor's name.

        Parameters
        ----------
        images
            Images, one after another.

        Yields
        ------
        AttentionMap
            With the key and the variant of its image, its layer and its head.

        Raises
        ------
        HarnessError
            If the image last taken does not suit the model.
        """

    def fingerprint(self) -> str:
        """Return a digest of what maps depend on besides images and parameters: the weights."""
        return ""

    def patches(self, image: Image) -> Patches | None:
        """Return where the patches lie on an image, for controls that move them.

        Returns
        -------
        Patches or None
            None if this is not known before the maps are extracted.
        """
        return None

    def for_images(self, image_sets: Sequence[ImageSet]) -> Self:
        """Return the extractor with parameters that suit the image sets of a run.

        A run calls it before it begins, and records what it returns. Extractors made by hand stay
        as they are.

        Parameters
        ----------
        image_sets
            The image sets of the run. Use only their names and parameters: nothing is read yet.

        Raises
        ------
        HarnessError
            If no value suits all of them.
        """
        return self

    def caveat(self, images: ImageSet) -> str:
        """Return why the model may not suit an image set, such as other training data, or ""."""
        return ""


class MapSet(Component):
    """A set of attention maps that need no images, such as arrays in files.

    Hooks return map sets with the extractors.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Blocks(harness.MapSet):
    ...     name = "blocks"
    ...     def keys(self):
    ...         return ["two"]
    ...     def load(self, key):
    ...         return harness.AttentionMap(np.kron(np.eye(2), np.full((3, 3), 1 / 3)), image=key)
    >>> Blocks().locate("two")
    ('two', HeadIndex(layer=0, head=0))
    """

    kind = "extractor"

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Return the names of the maps.

        Returns
        -------
        sequence of str
            At least one name, each once, in a fixed order.

        Raises
        ------
        HarnessError
            If the set itself (its folder, its file) cannot be read.
        """

    def locate(self, key: str) -> tuple[str, HeadIndex]:
        """Return the image and the head of a map, without loading it.

        If loading fails, the map is recorded as missing there.

        Parameters
        ----------
        key
            One of `keys`.

        Returns
        -------
        image : str
            The name of the image; by default the key.
        head : HeadIndex
            By default the first head.
        """
        return key, FIRST_HEAD

    @abstractmethod
    def load(self, key: str) -> AttentionMap:
        """Return a map.

        Parameters
        ----------
        key
            One of `keys`.

        Returns
        -------
        AttentionMap
            With the image and the head that `locate` gives.

        Raises
        ------
        HarnessError
            If the map cannot be read, with the reason; the others are still used.
        """
