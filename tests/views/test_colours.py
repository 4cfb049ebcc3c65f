import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import hsv_to_rgb, to_rgb
from numpy.typing import NDArray

from harness.metrics.partition import by_size, drop_singletons
from harness.plugin.values import UNASSIGNED
from harness.views.colours import (
    COLOURS,
    GOLDEN,
    SINGLETON_COLOUR,
    UNASSIGNED_COLOUR,
    cluster_colours,
    colour,
)


def test_the_largest_cluster_is_first_then_that_with_the_first_patch_unassigned_are_none() -> None:
    labels = np.array([4, 4, 1, 1, 1, -1, -1, -1, -1, 0, 0])

    assert by_size(labels) == [1, 4, 0]
    assert cluster_colours(labels)[UNASSIGNED] == UNASSIGNED_COLOUR


def test_twenty_clusters_have_colours_of_their_own() -> None:
    labels = np.repeat(np.arange(20), 2)

    assert len(set(cluster_colours(labels).values())) == 21


def test_clusters_of_one_patch_are_grey_and_take_no_colour_from_others() -> None:
    labels = np.array([5, 0, 0, 1, 2, 2])

    assert cluster_colours(labels, (1, 6)) == {
        5: SINGLETON_COLOUR,
        0: colour(0),
        1: SINGLETON_COLOUR,
        2: colour(1),
        UNASSIGNED: UNASSIGNED_COLOUR,
    }


GRIDS = st.tuples(st.integers(1, 8), st.integers(1, 8))


@st.composite
def partitions(draw: st.DrawFn) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Labels of patches on a grid, some unassigned."""
    grid = draw(GRIDS)
    largest = draw(st.integers(0, 63))
    count = grid[0] * grid[1]
    labels = st.lists(st.integers(-1, largest), min_size=count, max_size=count)
    return np.array(draw(labels)), grid


@given(partitions())
def test_clusters_that_touch_have_different_colours(
    drawn: tuple[NDArray[np.int64], tuple[int, int]],
) -> None:
    labels, grid = drawn
    shared = drop_singletons(labels)
    colours, laid = cluster_colours(labels, grid), shared.reshape(grid)

    for row, column in np.ndindex(*grid):
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            if row + down < grid[0] and 0 <= column + right < grid[1]:
                one, other = int(laid[row, column]), int(laid[row + down, column + right])
                assert one == other or colours[one] != colours[other]


def test_small_clusters_change_no_colour_of_larger_ones() -> None:
    few = np.array([0] * 8 + [1] * 5 + [2] * 3)
    more = np.array([0] * 8 + [1] * 5 + [2, 2, 3])

    before, after = (cluster_colours(labels, (4, 4)) for labels in (few, more))
    assert [after[label] for label in range(3)] == [before[label] for label in range(3)]


def test_a_colour_is_the_one_that_matplotlib_computes() -> None:
    assert [colour(place) for place in range(len(COLOURS))] == list(map(to_rgb, COLOURS))
    for place in range(len(COLOURS), 200):
        hue = (place * GOLDEN % 1, 0.45, 0.75 + 0.2 * (place % 2))
        assert colour(place) == tuple(hsv_to_rgb(hue))
