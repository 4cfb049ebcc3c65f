"""Existing attention maps in files of arrays."""

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors import derived
from harness_plugins.extractors.array_files import FoundArray, find_arrays
from harness_plugins.extractors.heads import check, choose
from harness_plugins.extractors.tokens import patches_only
from harness_plugins.parameters import check_bounds

Axis = Literal["images", "layers", "heads"]
# The axes before a map's rows and columns, by their number, if `axes` is not given.
USUAL_AXES: Mapping[int, tuple[Axis, ...]] = {
    0: (),
    1: ("images",),
    3: ("images", "layers", "heads"),
}
FIRST_HEAD = harness.HeadIndex(0, 0)
# Largest deviation of a row's sum from one: bfloat16 rounds weights by up to a relative 2⁻⁹.
ROUNDING = 2**-8


@dataclass(frozen=True)
class _Source:
    """A map's image and head, and the stored maps from which it is computed: layers × heads.

    If the array has a reason why there is no map, only the image is used.
    """

    image: str
    array: FoundArray
    axes: tuple[Axis, ...] = ()
    number: int = 0
    head_index: harness.HeadIndex = FIRST_HEAD
    layers: tuple[int, ...] = (0,)
    heads: tuple[int, ...] = (0,)

    def stored(self, layer: int, head: int) -> NDArray[np.floating[Any]]:
        """The stored map (N, N) of this image at a layer and head, checked."""
        numbers = {"images": self.number, "layers": layer, "heads": head}
        try:
            weights = self.array.matrix(tuple(numbers[axis] for axis in self.axes))
            # Check each stored map before they are averaged, so that an error names its position.
            return harness.AttentionMap(weights).weights
        except (ValueError, harness.HarnessError) as error:
            alone = len(self.layers) * len(self.heads) == 1
            where = "" if alone else _head_name(self.axes, layer, head).lstrip() + ": "
            raise harness.HarnessError(f"{where}{error}") from error


@dataclass(frozen=True)
class Arrays(harness.MapSet):
    """Existing attention in .npy, .npz and .safetensors files.

    Arrays have the shape (n, n), (images, n, n) or (images, layers, heads, n, n), or another shape
    that `axes` describes. Row i is what node i attends to; a node may be a patch, a word, or
    anything else. Weights are floating point, finite and not negative; rows need not sum to one.
    16-bit floats are converted to 32 bits. Store large arrays in .npy or .safetensors files, which
    are read map by map; an array of an archive is read whole, up to 4 GiB.

    Parameters
    ----------
    path
        a file, or a folder with files.
    grid
        rows and columns of patches, if the nodes are patches of an image.
    axes
        the axes before the last two, out of images, layers, heads. By default, one axis is images,
        and three are images, layers, heads; for two, it is required.
    layers
        numbers from 0, ranges such as 0-5, all, last, or mean; mean is that of the layers named
        with it, or of all.
    heads
        likewise.
    rollout
        whether to compute attention rollout (Abnar and Zuidema 2020) up to each of the layers, of
        the mean over the heads. It needs a layers axis, and attention over all tokens.
    prefix_tokens
        number of tokens before the patches, such as the class token; they are removed after the
        rollout.
    prefix
        how rows without the removed tokens are treated. renormalise: they are rescaled to sum to
        one; drop: they stay as they are.
    """

    name: ClassVar[str] = "arrays"
    path: Path
    grid: tuple[int, int] | None = None
    axes: tuple[Axis, ...] | None = None
    layers: tuple[str, ...] = ("all",)
    heads: tuple[str, ...] = ("all",)
    rollout: bool = False
    prefix_tokens: int = 0
    prefix: Literal["renormalise", "drop"] = "renormalise"

    def __post_init__(self) -> None:
        if self.grid is not None and min(self.grid) < 1:
            raise harness.HarnessError(
                f"arrays: grid must be at least 1×1 patches, not {self.grid[0]}×{self.grid[1]}"
            )
        if self.axes is not None and len(set(self.axes)) < len(self.axes):
            raise harness.HarnessError(f"arrays: axes {', '.join(self.axes)} names one twice")
        check(self.layers, "layers")
        check(self.heads, "heads")
        if self.rollout and "mean" in self.layers:
            raise harness.HarnessError("arrays: rollout cannot be combined with layers=mean")
        check_bounds(self, "prefix_tokens", least=0)
        if self.prefix == "drop" and not self.prefix_tokens:
            raise harness.HarnessError(
                "arrays: prefix=drop needs prefix_tokens, the number of tokens to remove"
            )

    def keys(self) -> Sequence[str]:
        """The image's name, followed by the layer and the head if the array has such axes.

        The image's name consists of the file's name, a colon and the array's name, and the image's
        number in brackets.
        """
        return list(self._sources)

    def locate(self, key: str) -> tuple[str, harness.HeadIndex]:
        """The image's name, the layer and the head."""
        source = self._sources[key]
        return source.image, source.head_index

    def load(self, key: str) -> harness.AttentionMap:
        """One map."""
        source = self._sources.get(key)
        if source is None:
            raise harness.HarnessError(f"{self.path}: there is no map {key!r}")
        try:
            if source.array.reason:
                raise ValueError(source.array.reason)
            return harness.AttentionMap(
                patches_only(self._weights(source), self.prefix_tokens, self.prefix),
                image=source.image,
                layer=source.head_index.layer,
                head=source.head_index.head,
                grid=self.grid,
            )
        except (ValueError, harness.HarnessError) as error:
            raise harness.HarnessError(f"{key}: {error}") from error

    def _weights(self, source: _Source) -> NDArray[np.floating[Any]]:
        """The map over all tokens, computed from the stored ones."""
        if self.rollout:
            up_to_layer = derived.rollout(
                _over_all_tokens(layer, derived.mean(source.stored(layer, h) for h in source.heads))
                for layer in source.layers
            )
            (weights,) = deque(up_to_layer, maxlen=1)
            return weights
        return derived.mean(source.stored(each, h) for each in source.layers for h in source.heads)

    @cached_property
    def _sources(self) -> Mapping[str, _Source]:
        sources: dict[str, _Source] = {}
        for array in find_arrays(self.path):
            for key, source in self._sources_in(array):
                if key in sources:
                    raise harness.HarnessError(
                        f"{self.path}: two maps have the name {key}, in "
                        f"{sources[key].array.file.name} and in {array.file.name}; rename one"
                    )
                sources[key] = source
        if all(source.array.reason for source in sources.values()):
            (key, first), *others = sources.items()
            more = f" ({len(others)} more refused)" if others else ""
            raise harness.HarnessError(f"{key}: {first.array.reason}{more}")
        return sources

    def _sources_in(self, array: FoundArray) -> Iterator[tuple[str, _Source]]:
        """Every map of an array, from its header alone; or one entry with the reason for none."""
        try:
            if array.reason:
                raise harness.HarnessError(array.reason)
            axes = self._axes_of(array.shape)
            counts = dict(zip(axes, array.shape, strict=False))
            layers = choose(self.layers, counts.get("layers", 1), "layers", array.name)
            heads = choose(self.heads, counts.get("heads", 1), "heads", array.name)
        except harness.HarnessError as error:
            reason = str(error).removeprefix(f"{array.name}: ")
            yield array.name, _Source(array.name, replace(array, reason=reason))
            return
        # An axis over which maps are averaged is not part of their names.
        separate = {"layers": not layers.mean, "heads": not (heads.mean or self.rollout)}
        numbered = [axis for axis in axes if separate.get(axis)]
        by_layer, by_head = layers.groups, heads.groups
        if self.rollout:
            by_layer = [(layer, tuple(range(layer + 1))) for layer in layers.numbers]
            by_head = [(0, heads.numbers)]
        for number in range(counts.get("images", 1)):
            image = f"{array.name}[{number}]" if "images" in axes else array.name
            for (layer, of_layers), (head, of_heads) in itertools.product(by_layer, by_head):
                index = harness.HeadIndex(layer, head)
                source = _Source(image, array, axes, number, index, of_layers, of_heads)
                yield image + _head_name(numbered, layer, head), source

    def _axes_of(self, shape: tuple[int, ...]) -> tuple[Axis, ...]:
        """The axes before a map's own; HarnessError if the shape is not that of maps."""
        before = len(shape) - 2
        axes = USUAL_AXES.get(before) if self.axes is None else self.axes
        if not 2 <= len(shape) <= 5 or shape[-1] != shape[-2] or min(shape) < 1:
            wrong = ", not (n, n), with up to three axes before them: images, layers, heads"
        elif axes is None:
            wrong = (
                "; name the first two axes: "
                "axes=[layers,heads], axes=[images,heads] or axes=[images,layers]"
            )
        elif len(axes) != before:
            wrong = f", with {before} axes before a map's own; axes names {len(axes)}"
        elif self.rollout and "layers" not in axes:
            wrong = ", without layers to roll out; axes=… names the layers axis"
        elif self.prefix_tokens >= shape[-1]:
            wrong = f"; prefix_tokens={self.prefix_tokens} leaves no node"
        else:
            return axes
        raise harness.HarnessError(f"its shape is {shape}{wrong}")


def _head_name(axes: Sequence[Axis], layer: int, head: int) -> str:
    """The layer and the head, if the axes include them: ` layer 3 head 0`."""
    layers = f" layer {layer}" if "layers" in axes else ""
    return layers + (f" head {head}" if "heads" in axes else "")


def _over_all_tokens(layer: int, weights: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """A layer's weights, if their rows sum to one; else tokens are missing."""
    off = np.abs(weights.sum(axis=1, dtype=np.float64) - 1)
    row = int(off.argmax())
    if off[row] > ROUNDING:
        raise harness.HarnessError(
            f"rollout needs attention over all tokens, with rows that sum to one; in layer {layer} "
            f"row {row} sums to {weights[row].sum():.3g}"
        )
    return weights


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    return [Arrays]
