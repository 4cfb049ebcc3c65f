"""The base classes of everything that can be plugged in.

The examples assume `import harness`, `import numpy as np` and
`from dataclasses import dataclass, replace`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from harness.plugin import conversion
from harness.plugin.component import Component
from harness.plugin.graph import Graph, Partition
from harness.plugin.patches import Patches
from harness.plugin.profile import Profile, Selection
from harness.plugin.values import FIRST_HEAD, AttentionMap, Floats, HeadIndex, Image


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
        """Return the names of the images, in a fixed order, each once, at least one.

        They include images that `load` refuses. Raises HarnessError if the set itself (its
        folder, its file) cannot be read.
        """

    @abstractmethod
    def load(self, key: str) -> Image:
        """Return the decoded image of that key.

        Raises HarnessError, with the reason, if it cannot be read; the others are still used.
        """


Split = Literal["train", "validation", "test"]
"""The part of a labelled image set that an image belongs to."""


class LabelledImageSet(ImageSet):
    """Images of known classes, in three splits: what a classifier is trained and tested on.

    Beside the methods of `ImageSet` it defines `classes`, and a field `split`: one of the three,
    such as "test", or None for all images. `dataclasses.replace(images, split="train")` gives
    another split of the same set. No key is in two splits. Every image has a `label`.

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
        """Return the names of the classes; a label is an index into them.

        Without names the set is not labelled, such as a folder whose labels were not asked for.
        """


class Extractor(Component):
    """A model that turns images into attention maps.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Uniform(harness.Extractor):
    ...     name = "uniform"
    ...     patches: int = 4
    ...     def head_indices(self):
    ...         return [harness.HeadIndex(0, 0)]
    ...     def extract(self, images):
    ...         n = self.patches  # a model would be loaded here, once
    ...         for image in images:
    ...             weights = np.full((n, n), 1 / n)
    ...             yield harness.AttentionMap(weights, image.key, variant=image.variant)
    >>> [attention.n for attention in Uniform().extract([np.zeros((8, 8), dtype=np.uint8)])]
    [4]
    """

    kind = "extractor"
    _converted: ClassVar[conversion.Conversions] = {"extract": conversion.as_images}

    @abstractmethod
    def head_indices(self) -> Sequence[HeadIndex]:
        """Return the heads that `extract` gives for every image, without loading the model."""

    @abstractmethod
    def extract(self, images: Iterable[Image]) -> Iterator[AttentionMap]:
        """Yield one map a head for each image in turn.

        Write a generator that loads the model once. Each map carries the key and the variant of
        its image, and its layer and head. What its own modules warn of, by `warnings.warn`, is
        shown with the extractor's name.

        Raises HarnessError if the image last taken does not suit the model.
        """

    def fingerprint(self) -> str:
        """Return a digest of what the maps depend on beside images and parameters: the weights."""
        return ""

    def patches(self, image: Image) -> Patches | None:
        """Return where the patches of an image's maps lie, for controls that move them.

        None if that is not known before the maps are.
        """
        return None

    def for_images(self, image_sets: Sequence[ImageSet]) -> Self:
        """Return the extractor with parameters that depend on the image sets of a run.

        A run calls it before it begins, and records what it returns; extractors made by hand stay
        as they are. Only the sets' names and parameters may be used: nothing is read yet.

        Raises HarnessError if no value suits all of them.
        """
        return self

    def caveat(self, images: ImageSet) -> str:
        """Return why the model may not suit a set of images, such as other training data, or ""."""
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
        """Return the names of the maps, in a fixed order, each once, at least one.

        Raises HarnessError if the set itself (its folder, its file) cannot be read.
        """

    def locate(self, key: str) -> tuple[str, HeadIndex]:
        """Return the image and the head of a map, without loading it.

        By default every map has an image of its own, named by the key, and the first head. If
        loading fails, the map is recorded as missing there.
        """
        return key, FIRST_HEAD

    @abstractmethod
    def load(self, key: str) -> AttentionMap:
        """Return the map of that key, with the image and head that `locate` gives.

        Raises HarnessError, with the reason, if it cannot be read; the others are still used.
        """


class GraphBuilder(Component):
    """A family of graphs for every map, sparser as the level rises.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Absolute(harness.GraphBuilder):
    ...     name = "absolute"
    ...     stop: float = 0.1
    ...     def levels(self, attention, count):
    ...         return np.linspace(0.0, self.stop, count)
    ...     def build(self, attention, levels):
    ...         for level in levels.tolist():
    ...             yield harness.Graph.from_weights(
    ...                 attention.weights, threshold=level, level=level
    ...             )
    >>> [graph.edges for graph in Absolute().build(np.full((3, 3), 0.05), np.array([0.0, 0.1]))]
    [6, 0]
    """

    kind = "graph builder"
    _converted: ClassVar[conversion.Conversions] = {
        "levels": conversion.as_attention,
        "build": conversion.as_attention,
    }

    @abstractmethod
    def levels(self, attention: AttentionMap, count: int) -> Floats:
        """Return increasing, finite levels (count,).

        They may depend on the number of patches but on no weight: a map and its controls are
        compared level by level.
        """

    @abstractmethod
    def build(self, attention: AttentionMap, levels: Floats) -> Iterator[Graph]:
        """Yield one graph (n nodes) a level, with that `level`, in the order of the levels."""


class Clusterer(Component):
    """A method that divides the nodes of a graph into clusters.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Components(harness.Clusterer):
    ...     name = "components"
    ...     smallest: int = 2
    ...     def cluster(self, graph, *, seed):
    ...         sizes = np.bincount(graph.components)[graph.components]
    ...         return np.where(sizes < self.smallest, harness.UNASSIGNED, graph.components)
    >>> Components().cluster(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), seed=0)
    array([ 0,  0, -1])
    """

    kind = "clusterer"
    _converted: ClassVar[conversion.Conversions] = {
        "cluster": conversion.as_graph,
        "cluster_sweep": conversion.as_graphs,
    }

    @abstractmethod
    def cluster(self, graph: Graph, *, seed: int) -> NDArray[np.integer[Any]] | Partition:
        """Return the cluster of every node.

        Parameters
        ----------
        graph
            The graph, at a safe scale (`Graph.at_safe_scale`); it must not be changed.
        seed
            Seed of all randomness, 0 ≤ seed < 2³¹: same graph and seed, same labels. 0 if it is
            left out in a call by hand.

        Returns
        -------
        ndarray of int, shape (n,), or Partition
            Labels ≥ 0 in any order; −1 means unassigned. A `Partition` also has figures of the
            method's own.
        """

    def cluster_sweep(
        self, graphs: Iterable[Graph], *, seed: int
    ) -> Iterator[NDArray[np.integer[Any]] | Partition]:
        """Yield what `cluster` returns for each graph of a sweep, in the order of the graphs.

        Override it if several graphs together cost less than one after the other; labels must be
        those of `cluster`. Graphs are built as they are taken, and results stored as they are
        yielded: take no more graphs ahead than that saves time, since a time limit loses what is
        not yet yielded. A warning belongs to the graph whose result is yielded next.

        Parameters
        ----------
        graphs
            Graphs of the same n nodes, such as one map's at several levels; each at a safe scale.
        seed
            As for `cluster`, the same for every graph.
        """
        for graph in graphs:
            yield self.cluster(graph, seed=seed)

    def caveat(self) -> str:
        """Return what the method does not use of a graph, if users may expect it to, or ""."""
        return ""


class Selector(Component):
    """A rule that chooses a level of a profile without a person looking.

    Attributes
    ----------
    needs_controls : bool
        Class variable. If True, a run whose maps have no control is refused before it begins.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class MostClusters(harness.Selector):
    ...     name = "most-clusters"
    ...     def select(self, profile, controls):
    ...         index = int(profile.n_clusters.argmax())
    ...         count = float(profile.n_clusters[index])
    ...         return harness.Selection(index, count, accepted=count > 1)
    """

    kind = "selector"
    needs_controls: ClassVar[bool] = False

    @abstractmethod
    def select(self, profile: Profile, controls: Sequence[Profile]) -> Selection:
        """Return the level chosen.

        Parameters
        ----------
        profile
            The points of one clusterer on one map.
        controls
            Profiles of the same clusterer at the same levels on a control's draws, if there are
            any. For a draw's own profile the observed one is among them.
        """

    def select_each(self, profiles: Sequence[Profile]) -> Iterable[Selection]:
        """Return what `select` returns for each profile, with all the others as its controls.

        Tests treat an observed profile and its draws alike, so that this is what they ask for.
        Override it if several profiles together cost less than one after the other.

        Parameters
        ----------
        profiles
            The observed profile and those of a control's draws. Each one's controls are the others
            in the same order.
        """
        for index, profile in enumerate(profiles):
            yield self.select(profile, [*profiles[:index], *profiles[index + 1 :]])
