"""What image sets and map sets keep to."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

import numpy as np

from harness.engine import checks
from harness.errors import HarnessError, InvalidResultError
from harness.plugin.sources import ImageSet, LabelledImageSet, MapSet, Split
from harness.plugin.values import AttentionMap, Image
from harness.testing.law import law, require

T = TypeVar("T")
# How many images or maps are loaded of a set, which may be large.
LOADED = 5


def loaded(load: Callable[[str], T], keys: Sequence[str], expected: type[T]) -> dict[str, T]:
    """The first values of a set that it does not refuse; raises BrokenLawError if there is none."""
    found: dict[str, T] = {}
    refused = ""
    for key in keys[:LOADED]:
        try:
            found[key] = checks.kind_of(load(key), expected, "load()")
        except InvalidResultError:
            raise
        except HarnessError as error:
            refused = str(error)
    require(found, f"of the first {len(keys[:LOADED])} none can be loaded: {refused}")
    return found


def images_of(images: ImageSet) -> dict[str, Image]:
    """The first images by key; raises InvalidResultError if they are not valid."""
    return loaded(images.load, checks.keys(images.keys(), images.name), Image)


def maps_of(maps: MapSet) -> dict[str, AttentionMap]:
    """The first maps by key; raises InvalidResultError if they are not valid."""
    return loaded(maps.load, checks.keys(maps.keys(), maps.name), AttentionMap)


@law(ImageSet, advice="return a list of different names; load a harness.Image for each")
def images_have_names_and_can_be_loaded(images: ImageSet) -> None:
    for key, image in images_of(images).items():
        require(image.key == key, f"load({key!r}) gives an image with the key {image.key!r}")


@law(ImageSet, advice="sort the names; keep nothing from one call to the next")
def names_and_images_are_the_same_in_every_call(images: ImageSet) -> None:
    require(list(images.keys()) == list(images.keys()), "two calls of keys() differ")
    for key, image in images_of(images).items():
        is_same = images.load(key).digest == image.digest
        require(is_same, f"two calls of load({key!r}) give different pixels")


@law(LabelledImageSet, advice="give every image of every split a label, an index into classes()")
def labels_are_indices_of_classes(images: LabelledImageSet) -> None:
    count = len(images.classes())
    if not count:
        # Its labels were not asked for.
        return
    for key, image in images_of(images).items():
        is_index = image.label is not None and 0 <= image.label < count
        require(is_index, f"{key!r} has the label {image.label}, and there are {count} classes")


@law(LabelledImageSet, advice="give each split names of its own")
def no_image_is_in_two_splits(images: LabelledImageSet) -> None:
    seen: dict[str, str] = {}
    for split in get_args(Split):
        part: Any = images
        for key in replace(part, split=split).keys():
            require(key not in seen, f"{key!r} is in {seen.get(key)} and in {split}")
            seen[key] = split


@law(MapSet, advice="return a list of different names; load a harness.AttentionMap for each")
def maps_have_names_and_can_be_loaded(maps: MapSet) -> None:
    maps_of(maps)


@law(MapSet, advice="give the map the image, layer and head that locate gives for its key")
def maps_come_from_where_they_are_said_to(maps: MapSet) -> None:
    for key, attention in maps_of(maps).items():
        located = checks.location(maps.locate(key), maps.name)
        found = {"image": attention.image, **vars(attention.head_index)}
        require(located == found, f"locate({key!r}) gives {located}, and the map {found}")


@law(MapSet, advice="sort the names; keep nothing from one call to the next")
def names_and_maps_are_the_same_in_every_call(maps: MapSet) -> None:
    require(list(maps.keys()) == list(maps.keys()), "two calls of keys() differ")
    for key, attention in maps_of(maps).items():
        is_same = np.array_equal(maps.load(key).weights, attention.weights)
        require(is_same, f"two calls of load({key!r}) give different weights")
