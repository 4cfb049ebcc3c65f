"""Patches that change places, and what is put back where they came from."""

import numpy as np
from shuffled_clusters import _put_back, _rearranged

GRID = (2, 3)
ORDER = np.array([4, 0, 5, 1, 3, 2])


def test_each_place_has_the_patch_of_the_order() -> None:
    numbers = np.arange(6, dtype=np.uint8).reshape(GRID).repeat(4, axis=0).repeat(4, axis=1)

    moved = _rearranged(numbers[:, :, None], ORDER, GRID)[:, :, 0]

    assert np.array_equal(moved[::4, ::4], ORDER.reshape(GRID))
    assert np.array_equal(moved, moved[::4, ::4].repeat(4, axis=0).repeat(4, axis=1))


def test_what_was_moved_is_put_back() -> None:
    values = np.array([7, 8, 9, 10, 11, 12])

    assert np.array_equal(_put_back(values[ORDER], ORDER), values)
