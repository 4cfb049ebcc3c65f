from typing import Any

import numpy as np
import pytest

from harness.plugin.values import AttentionMap, Image


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"must be \(n, n\), not \(2, 3\)"),
        (np.array([[0.0, np.nan], [0.0, 0.0]]), r"\[0, 1\] is nan"),
        (np.array([[0.0, 0.0], [-0.5, 0.0]]), r"\[1, 0\] is -0.5"),
        (np.full((2, 2), 1e308), "the weights' sum must be finite, not inf"),
        (np.ones((2, 2), dtype=int), "must be floating point, not int64"),
    ],
)
def test_invalid_weights_are_refused_with_their_position(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        AttentionMap(weights)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [([[0.5]], "list"), (None, "NoneType"), (np.ma.array(np.ones((1, 1)), mask=True), "Masked")],
)
def test_what_is_no_array_or_has_a_mask_is_refused_by_its_type(wrong: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"attention weights must be a numpy array, not {name}"):
        AttentionMap(wrong)
    with pytest.raises(TypeError, match=f"pixels must be a numpy array, not {name}"):
        Image("a", wrong)


def test_a_truth_that_is_no_array_is_refused() -> None:
    truth: Any = [0]

    with pytest.raises(TypeError, match="truth must be a numpy array, not list"):
        AttentionMap(np.ones((1, 1)), truth=truth)


def test_a_region_needs_a_grid() -> None:
    region = (0.5, 1.0, 10.0, 20.0)

    assert AttentionMap(np.ones((4, 4)), grid=(2, 2), region=region).region == region
    with pytest.raises(ValueError, match="there is no grid"):
        AttentionMap(np.ones((4, 4)), region=region)


def test_a_region_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="a region must be finite, its height and width more"):
        AttentionMap(np.ones((4, 4)), grid=(2, 2), region=(0.0, 0.0, 0.0, 4.0))


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (-2, -2)])
def test_a_grid_that_does_not_hold_the_patches_is_refused(rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match=f"a grid of {rows}×{columns} does not hold 4 nodes"):
        AttentionMap(np.ones((4, 4)), grid=(rows, columns))


def test_equal_pixels_have_equal_digests_whatever_their_key() -> None:
    pixels = np.zeros((2, 3, 1), dtype=np.uint8)

    assert Image("a", pixels).digest == Image("b", pixels.copy()).digest
    assert Image("a", pixels).digest != Image("a", pixels.reshape(3, 2, 1)).digest
