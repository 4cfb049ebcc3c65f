"""Attention maps that somebody has already, in files of arrays."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors import derived
from harness_plugins.extractors.array_files import FoundArray, find_arrays
from harness_plugins.extractors.heads import Chosen, check, choose
from harness_plugins.extractors.tokens import patches_only
from harness_plugins.parameters import check_bounds

Axis = Literal["images", "layers", "heads"]
# What the axes before a map's rows and columns are, by their number, where it is not said.
USUAL_AXES: Mapping[int, tuple[Axis, ...]] = {
    0: (),
    1: ("images",),
    3: ("images", "layers", "heads"),
}
FIRST_HEAD = harness.HeadIndex(0, 0)
# As far as rows may be from a sum of one: bfloat16 rounds a weight by up to 2⁻⁹ of it.
ROUNDING = 2**-8


@dataclass(frozen=True)
class _Place:
    """A map to be given, and the stored ones that it is made of: the layers' times the heads'.

    `reason` says why it cannot be had, if so; the rest is then of no use.
    """

    image: str
    array: FoundArray
    axes: tuple[Axis, ...] = ()
    number: int = 0
    head_index: harness.HeadIndex = FIRST_HEAD
    layers: tuple[int, ...] = (0,)
    heads: tuple[int, ...] = (0,)
    reason: str = ""

    def stored(self, layer: int, head: int) -> NDArray[np.floating[Any]]:
        """The stored map (N, N) of this image at a layer and head, checked."""
        numbers = {"images": self.number, "layers": layer, "heads": head}
        try:
            weights = self.array.matrix(tuple(numbers[axis] for axis in self.axes))
            # It may be averaged next, and what is wrong with it should be told by its position.
            return harness.AttentionMap(weights).weights
        except (ValueError, harness.HarnessError) as error:
            alone = len(self.layers) * len(self.heads) == 1
            told = "" if alone else _slot_name(self.axes, layer, head).lstrip() + ": "
            raise harness.HarnessError(f"{told}{error}") from error


@dataclass(frozen=True)
class Arrays(harness.MapSet):
    """Attention that is there already, in .npy, .npz and .safetensors files.

    Arrays are of shape (n, n), (images, n, n) or (images, layers, heads, n, n), and others where
    `axes` tells of them. Row i is what node i attends to: a patch, a word, anything. Weights are
    floating point, finite and not negative; rows need not sum to one and are taken as they are.
    Half precision and bfloat16 are widened to single. Large stacks belong in .npy or .safetensors
    files, which are read map by map; an archive's arrays are unpacked whole and may have 4 GiB.

    path: a file, or a folder with files.
    grid: rows and columns of patches, where the nodes are patches of an image.
    axes: what the axes before the last two are, of images, layers, heads. If not given, one is
        images, three are images, layers, heads; two have to be told.
    layers: numbers from 0, ranges such as 0-5, all, last, or mean: of these, or of all.
    heads: likewise.
    rollout: whether attention rollout (Abnar and Zuidema 2020) up to each of the layers is given,
        of the mean over the heads. It needs a layers axis, and attention over all tokens.
    prefix_tokens: how many tokens before the patches are none, such as the class token; they are
        taken out, after the rollout.
    prefix: what becomes of rows of which something was taken out. renormalise: they sum to one
        again; drop: they stay as they are.
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
                f"arrays: grid must be of at least 1×1 patches, not {self.grid[0]}×{self.grid[1]}"
            )
        if self.axes is not None and len(set(self.axes)) < len(self.axes):
            raise harness.HarnessError(f"arrays: axes {', '.join(self.axes)} names one twice")
        check(self.layers, "layers")
        check(self.heads, "heads")
        if self.rollout and "mean" in self.layers:
            raise harness.HarnessError(
                "arrays: rollout runs through layers; it is of no mean of them"
            )
        check_bounds(self, "prefix_tokens", least=0)
        if self.prefix == "drop" and not self.prefix_tokens:
            raise harness.HarnessError(
                "arrays: prefix=drop leaves out no tokens; prefix_tokens says how many there are"
            )

    def keys(self) -> Sequence[str]:
        """The image's name, with the layer and the head where there are several.

        The image's name is the file's, with the array's name after a colon and the image's number
        in brackets. Raises HarnessError if there is no map that can be had.
        """
        return list(self._places)

    def locate(self, key: str) -> tuple[str, harness.HeadIndex]:
        """The image's name, the layer and the head."""
        place = self._places[key]
        return place.image, place.head_index

    def load(self, key: str) -> harness.AttentionMap:
        """One map."""
        place = self._places.get(key)
        if place is None:
            raise harness.HarnessError(f"{self.path}: there is no map {key!r}")
        try:
            if place.reason:
                raise ValueError(place.reason)
            return harness.AttentionMap(
                patches_only(self._weights(place), self.prefix_tokens, self.prefix),
                image=place.image,
                layer=place.head_index.layer,
                head=place.head_index.head,
                grid=self.grid,
            )
        except (ValueError, harness.HarnessError) as error:
            raise harness.HarnessError(f"{key}: {error}") from error

    def _weights(self, place: _Place) -> NDArray[np.floating[Any]]:
        """The map of all tokens, made of those that are stored."""
        if self.rollout:
            up_to_layer = derived.rollout(
                _over_all_tokens(layer, derived.mean(place.stored(layer, h) for h in place.heads))
                for layer in place.layers
            )
            (weights,) = deque(up_to_layer, maxlen=1)
            return weights
        if len(place.layers) * len(place.heads) == 1:
            return place.stored(place.layers[0], place.heads[0])
        return derived.mean(place.stored(each, h) for each in place.layers for h in place.heads)

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        places: dict[str, _Place] = {}
        for array in find_arrays(self.path):
            for key, place in self._places_in(array):
                if key in places:
                    raise harness.HarnessError(
                        f"{self.path}: two maps would be called {key}, in "
                        f"{places[key].array.file.name} and in {array.file.name}; rename one"
                    )
                places[key] = place
        if all(place.reason for place in places.values()):
            (key, first), *others = places.items()
            more = f" ({len(others)} more refused)" if others else ""
            raise harness.HarnessError(f"{key}: {first.reason}{more}")
        return places

    def _places_in(self, array: FoundArray) -> Iterator[tuple[str, _Place]]:
        """Every map of an array, known from its header alone; or one with a reason for none."""
        try:
            if array.reason:
                raise harness.HarnessError(array.reason)
            axes = self._axes_of(array.shape)
            counts = dict(zip(axes, array.shape, strict=False))
            layers = choose(self.layers, counts.get("layers", 1), "layers", array.name)
            heads = choose(self.heads, counts.get("heads", 1), "heads", array.name)
        except harness.HarnessError as error:
            reason = str(error).removeprefix(f"{array.name}: ")
            yield array.name, _Place(array.name, array, reason=reason)
            return
        # Where one map is made of all of an axis, its number there says nothing.
        told = {"layers": not layers.mean, "heads": not (heads.mean or self.rollout)}
        numbered = [axis for axis in axes if told.get(axis)]
        for number in range(counts.get("images", 1)):
            image = f"{array.name}[{number}]" if "images" in axes else array.name
            for layer, of_layers in self._layers_of(layers):
                for head, of_heads in _each(heads) if told["heads"] else [(0, heads.numbers)]:
                    head_index = harness.HeadIndex(layer, head)
                    yield (
                        image + _slot_name(numbered, layer, head),
                        _Place(image, array, axes, number, head_index, of_layers, of_heads),
                    )

    def _layers_of(self, chosen: Chosen) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Each layer of the maps that are given, and the stored layers that its map is made of."""
        if self.rollout:
            for layer in chosen.numbers:
                yield layer, tuple(range(layer + 1))
        elif chosen.mean:
            yield 0, chosen.numbers
        else:
            yield from _each(chosen)

    def _axes_of(self, shape: tuple[int, ...]) -> tuple[Axis, ...]:
        """What the axes before a map's are; HarnessError if the array is none of maps."""
        if not 2 <= len(shape) <= 5 or shape[-1] != shape[-2] or min(shape) < 1:
            raise harness.HarnessError(
                f"its shape is {shape}, not (n, n), with up to three axes before them: images, "
                "layers, heads"
            )
        before = len(shape) - 2
        axes = USUAL_AXES.get(before) if self.axes is None else self.axes
        if axes is None:
            raise harness.HarnessError(
                f"its shape is {shape}, and what the first two are has to be told: "
                "axes=[layers,heads], axes=[images,heads] or axes=[images,layers]"
            )
        if len(axes) != before:
            raise harness.HarnessError(
                f"its shape is {shape}, with {before} axes before a map's own; axes tells of "
                f"{len(axes)}"
            )
        if self.rollout and "layers" not in axes:
            raise harness.HarnessError(
                f"its shape is {shape}, without layers to roll out; axes tells where they are"
            )
        if self.prefix_tokens >= shape[-1]:
            raise harness.HarnessError(
                f"its shape is {shape}; prefix_tokens={self.prefix_tokens} leaves no node"
            )
        return axes


def _each(chosen: Chosen) -> Iterator[tuple[int, tuple[int, ...]]]:
    for number in chosen.numbers:
        yield number, (number,)


def _slot_name(axes: Sequence[Axis], layer: int, head: int) -> str:
    """The layer and the head, as far as there is an axis of them: ` layer 3 head 0`."""
    layers = f" layer {layer}" if "layers" in axes else ""
    return layers + (f" head {head}" if "heads" in axes else "")


def _over_all_tokens(layer: int, weights: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """A layer's weights, if rows sum to one, so that no token's attention is missing."""
    off = np.abs(weights.sum(axis=1, dtype=np.float64) - 1)
    row = int(off.argmax())
    if off[row] > ROUNDING:
        raise harness.HarnessError(
            f"rollout needs attention over all tokens, with rows that sum to one; of layer {layer} "
            f"row {row} sums to {weights[row].sum():.3g}"
        )
    return weights


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    return [Arrays]
