from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

import harness
from harness_plugins.extractors.batches import in_batches


@dataclass(frozen=True)
class Prepared:
    """An image as a model would take it."""

    key: str
    shape: tuple[int, ...]


def photo(key: str, height: int = 4) -> harness.Image:
    return harness.Image(key, np.zeros((height, 4, 1), dtype=np.uint8))


def prepare(image: harness.Image) -> Prepared:
    if image.key.startswith("unprepared"):
        raise harness.HarnessError(image.key)
    return Prepared(image.key, image.pixels.shape)


class Model:
    """Gives two results for each image, and remembers what was computed together."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []

    def __call__(self, images: Sequence[Prepared]) -> list[Iterator[str]]:
        self.passes.append([image.key for image in images])
        if any(image.key == "impossible" for image in images):
            raise harness.HarnessError("impossible")
        return [self.results(image.key) for image in images]

    def results(self, key: str) -> Iterator[str]:
        if key == "broken":
            raise harness.HarnessError("broken")
        yield f"{key} first"
        yield f"{key} second"


def results_of(images: list[harness.Image], model: Model, batch: int) -> Iterator[str]:
    for image, prepared, result in in_batches(images, prepare, model, batch):
        assert prepared.key == image.key
        yield result


def both(*keys: str) -> list[str]:
    return [f"{key} {which}" for key in keys for which in ("first", "second")]


@pytest.mark.parametrize("batch", [1, 2, 4, 7])
def test_results_come_in_the_order_of_the_images_whatever_their_sizes(batch: int) -> None:
    images = [photo(str(number), height) for number, height in enumerate([4, 5, 4, 4, 6, 5])]
    model = Model()

    assert list(results_of(images, model, batch)) == both(*"012345")

    heights = {image.key: image.pixels.shape[0] for image in images}
    assert all(len({heights[key] for key in together}) == 1 for together in model.passes)
    assert max(map(len, model.passes)) <= batch


def test_images_of_one_size_are_computed_together_even_if_others_are_between_them() -> None:
    model = Model()

    list(results_of([photo("a"), photo("b", 5), photo("c"), photo("d")], model, 4))

    assert model.passes == [["a", "c", "d"], ["b"]]


@pytest.mark.parametrize("failing", ["unprepared", "impossible", "broken"])
def test_an_image_that_fails_takes_no_result_of_other_sizes_in_its_batch(failing: str) -> None:
    images = [photo("a"), photo("b"), photo(failing, 5), photo("c"), photo("d")]
    # After an image that cannot be prepared, no other is taken.
    expected = both("a", "b") if failing == "unprepared" else both("a", "b", "c")
    found: list[str] = []

    with pytest.raises(harness.HarnessError, match=failing):
        found.extend(results_of(images, Model(), 4))

    assert found == expected


def test_a_result_that_fails_takes_none_of_the_others_computed_with_it() -> None:
    found: list[str] = []

    with pytest.raises(harness.HarnessError, match="broken"):
        found.extend(results_of([photo("a"), photo("broken"), photo("c")], Model(), 3))

    assert found == both("a", "c")


def test_no_more_images_are_taken_than_a_batch_before_their_results_come() -> None:
    taken: list[str] = []

    def images() -> Iterator[harness.Image]:
        for number in range(6):
            taken.append(str(number))
            yield photo(str(number))

    running = in_batches(images(), prepare, Model(), 2)

    assert taken == []
    next(running)
    assert taken == ["0", "1"]
    assert [result for *_, result in running] == both(*"012345")[1:]
