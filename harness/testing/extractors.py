"""What extractors keep to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.engine import checks
from harness.errors import HarnessError, InvalidResultError
from harness.plugin.patches import Patches
from harness.plugin.sources import Extractor
from harness.plugin.values import AttentionMap, Image, Variant
from harness.testing.inputs import plain_image
from harness.testing.law import BrokenLawError, law, require, require_line

# Heights, widths and channels of images; a model must take one of these.
SHAPES = ((28, 28, 1), (32, 32, 3), (224, 224, 3), (40, 56, 3))
CARRY = (
    "yield, for every image in turn, a map for each head, with image.key, image.variant, layer "
    "and head"
)


def suitable_images(extractor: Extractor) -> list[Image]:
    """Two images of a size that the model takes, and a control's draw of that size."""
    refused = ""
    for shape in SHAPES:
        first, second = (plain_image(key, *shape) for key in ("a", "b"))
        try:
            maps_of(extractor, [first])
        except InvalidResultError:
            raise
        except HarnessError as error:
            refused = str(error)
            continue
        drawn = replace(first, pixels=second.pixels, variant=Variant("control", "noise"))
        return [first, second, drawn]
    raise BrokenLawError(f"it takes images of none of the sizes {SHAPES}: {refused}")


def maps_of(extractor: Extractor, images: Sequence[Image]) -> list[AttentionMap]:
    """The valid maps of images, in the order of images and heads."""
    heads = checks.head_indices(extractor.head_indices(), extractor.name)
    expected = checks.PendingMaps(extractor.name, heads)

    def given() -> Iterator[Image]:
        for index, image in enumerate(images):
            expected.take(image, index)
            yield image

    extracted = checks.iterator(extractor.extract(given()), "extract()", "maps")
    found = [expected.item_of(each) for each in extracted]
    count = len(images) * len(heads)
    require(len(found) == count, f"it gives {len(found)} of {count} maps")
    return [
        each for each, _ in sorted(found, key=lambda pair: (pair[1], pair[0].layer, pair[0].head))
    ]


@law(Extractor, advice=CARRY)
def every_image_gets_a_map_for_each_head(extractor: Extractor) -> None:
    maps_of(extractor, suitable_images(extractor))


@law(Extractor, advice="set the model to evaluation, and use no random numbers")
def the_same_image_gives_the_same_maps(extractor: Extractor) -> None:
    images = suitable_images(extractor)
    for first, second in zip(*(maps_of(extractor, images) for _ in range(2)), strict=True):
        is_same = np.array_equal(first.weights, second.weights)
        require(is_same, f"two calls give other weights for layer {first.layer}, head {first.head}")


@law(Extractor, advice="compute the map from the image's pixels alone, not from those before it")
def maps_do_not_depend_on_the_other_images(extractor: Extractor) -> None:
    images = suitable_images(extractor)
    together = maps_of(extractor, images)
    alone = [each for image in images for each in maps_of(extractor, [image])]
    for first, second in zip(together, alone, strict=True):
        is_same = np.allclose(first.weights, second.weights, rtol=1e-4, atol=1e-9)
        require(is_same, f"{first.image!r} gets other weights alone than among other images")


@law(Extractor, advice="return where the patches of the maps lie, or None")
def patches_are_those_of_the_maps(extractor: Extractor) -> None:
    image = suitable_images(extractor)[0]
    patches = extractor.patches(image)
    if patches is None:
        return
    checks.kind_of(patches, Patches, "patches()")
    for attention in maps_of(extractor, [image]):
        count = patches.grid[0] * patches.grid[1]
        require(count == attention.n, f"patches() gives {count} patches, and a map {attention.n}")


@law(Extractor, advice="return a digest of the model's weights as text, the same in every call")
def its_fingerprint_is_a_text(extractor: Extractor) -> None:
    first, second = extractor.fingerprint(), extractor.fingerprint()
    require_line(first, "fingerprint()")
    require(first == second, f"two calls of fingerprint() give {first!r} and {second!r}")
