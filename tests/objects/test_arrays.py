from typing import Any

import numpy as np
import pandas
import pytest
import torch
from numpy.typing import NDArray

import harness
from harness.objects.arrays import array_images, array_maps


def weights(*shape: int) -> NDArray[np.float64]:
    """Random maps with rows that sum to one, of the shape (…, n, n)."""
    return np.random.default_rng(0).dirichlet(np.ones(shape[-1]), shape[:-1])


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        ((4, 4), ["image-0"]),
        ((2, 4, 4), ["image-0", "image-1"]),
        ((1, 2, 4, 4), ["image-0 head 0", "image-0 head 1"]),
        ((1, 2, 1, 4, 4), ["image-0 layer 0 head 0", "image-0 layer 1 head 0"]),
    ],
)
def test_every_shape_gives_a_map_for_each_image_layer_and_head(
    shape: tuple[int, ...], keys: list[str]
) -> None:
    given = weights(*shape)

    maps = array_maps(given)

    assert maps.keys() == keys
    found = [maps.load(key).weights for key in keys]
    assert np.array_equal(np.stack(found), given.reshape(-1, 4, 4))


def test_a_map_knows_its_image_layer_and_head() -> None:
    found = array_maps(weights(2, 3, 2, 4, 4), names=["cat", "dog"]).load("dog layer 2 head 1")

    assert (found.image, found.head_index) == ("dog", harness.HeadIndex(2, 1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_a_tensor_with_gradients_is_read_in_every_precision(dtype: torch.dtype) -> None:
    given = torch.softmax(torch.randn(2, 4, 4, requires_grad=True), -1).to(dtype)

    found = array_maps(given).load("image-1").weights

    assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    assert np.array_equal(found, given[1].detach().to(torch.float64).numpy())


def test_a_frame_of_pandas_is_an_array_of_its_values() -> None:
    found = array_maps(pandas.DataFrame(weights(4, 4))).load("image-0").weights

    assert np.array_equal(found, weights(4, 4))


def test_arrays_in_a_list_may_differ_in_size_and_follow_each_other() -> None:
    maps = array_maps([weights(5, 5), weights(2, 4, 4)])

    assert [maps.load(key).n for key in maps.keys()] == [5, 4, 4]
    assert maps.keys() == ["image-0", "image-1", "image-2"]


def test_prefix_tokens_are_removed_as_from_files(tmp_path: Any) -> None:
    given = weights(2, 10, 10)
    np.save(tmp_path / "maps.npy", given)
    files = harness.make("extractor", f"arrays[path={tmp_path},prefix_tokens=1,grid=[3,3]]")

    found = array_maps(given, prefix=1).load("image-1")

    expected = files.load("maps[1]")
    assert found.grid == expected.grid
    assert np.array_equal(found.weights, expected.weights)


@pytest.mark.parametrize(
    ("n", "grid", "expected"),
    [
        (9, "square", (3, 3)),
        (8, "square", None),
        (9, "none", None),
        (8, (2, 4), (2, 4)),
    ],
)
def test_the_grid_is_square_if_it_can_be_and_is_not_given(
    n: int, grid: Any, expected: tuple[int, int] | None
) -> None:
    assert array_maps(weights(n, n), grid=grid).load("image-0").grid == expected


@pytest.mark.parametrize("change", ["weights", "names", "grid"])
def test_the_spec_changes_with_the_content(change: str) -> None:
    given = weights(2, 4, 4)
    changed: dict[str, Any] = {"names": {"names": ["a", "b"]}, "grid": {"grid": "none"}}.get(
        change, {}
    )

    before, same = array_maps(given).content, array_maps(given.copy()).content
    after = array_maps(given[::-1] if change == "weights" else given, **changed).content

    assert before == same
    assert before != after


@pytest.mark.parametrize(
    ("given", "more", "message"),
    [
        (weights(4, 4)[:3], {}, r"its shape is \(3, 4\), not \(n, n\), \(images, n, n\)"),
        (np.zeros((0, 4, 4)), {}, "its shape is"),
        (weights(1, 1, 1, 1, 4, 4), {}, "its shape is"),
        (np.ma.array(np.eye(3), mask=np.eye(3)), {}, r"a masked array .* array.filled\(0\)"),
        (weights(4, 4) - 1, {}, r"maps: image-0: .*not negative; \[0, 0\] is -"),
        (np.full((2, 3, 3), np.nan), {}, r"maps: image-0: .*\[0, 0\] is nan"),
        (np.ones((3, 3), dtype=int), {}, "floating point, not int64; array.astype"),
        ("planted", {}, "expected an array or a tensor, not 'planted'"),
        ([weights(4, 4), 3], {}, "array 1: expected an array or a tensor, not 3"),
        ([weights(1, 2, 4, 4)] * 2, {}, r"numpy.stack\(arrays, axis=1\)"),
        ([], {}, "there is no map"),
        (torch.eye(3).to_sparse(), {}, "maps: "),
        (weights(4, 4), {"prefix": 4}, "prefix: 4 leaves no token of the 4"),
        (weights(4, 4), {"prefix": -1}, "prefix: expected a whole number from 0"),
        (weights(4, 4), {"grid": (3, 2)}, "a grid of 3×2 does not hold 4 nodes"),
        (weights(2, 4, 4), {"names": ["a"]}, "there are 2 images, and 1 names"),
        (weights(2, 4, 4), {"names": ["a", "a"]}, "a name of its own"),
    ],
)
def test_what_is_no_attention_is_refused_in_one_line(
    given: Any, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError, match=message) as refused:
        array_maps(given, **more)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "count"),
    [((8, 6), 1), ((8, 6, 3), 1), ((5, 8, 6), 5), ((5, 8, 6, 1), 5)],
)
def test_pixels_may_be_of_one_image_or_of_several(shape: tuple[int, ...], count: int) -> None:
    images = array_images(np.zeros(shape, dtype=np.uint8))

    assert len(images.keys()) == count
    assert {images.load(key).pixels.shape[:2] for key in images.keys()} == {(8, 6)}


def test_images_in_a_list_may_differ_in_size() -> None:
    images = array_images([np.zeros((4, 4), np.uint8), np.zeros((6, 5, 3), np.uint8)])

    assert images.load("image-1").pixels.shape == (6, 5, 3)


@pytest.mark.parametrize("given", [np.zeros((4, 4)), np.zeros((2, 3, 4, 4), np.uint8), []])
def test_what_is_no_image_is_refused_in_one_line(given: Any) -> None:
    with pytest.raises(harness.HarnessError, match="images: "):
        array_images(given)
