import itertools

import networkx
import numpy as np
import pytest

from harness.metrics.patch_sets import (
    contiguous_orders,
    count_patch_sets,
    patch_sets,
    random_orders,
)

GRID = (3, 5)
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1, -1])


def test_every_order_ranks_every_patch() -> None:
    for orders in (random_orders(15, 40, 0), contiguous_orders(GRID, 40, 0)):
        assert orders.shape == (40, 15)
        assert (np.sort(orders, axis=1) == np.arange(15)).all()


def test_contiguous_sets_of_any_size_are_connected_on_the_grid() -> None:
    grid = networkx.grid_2d_graph(*GRID)

    for ranks in contiguous_orders(GRID, 60, 3):
        for size in range(1, 16):
            patches = [divmod(patch, GRID[1]) for patch in np.flatnonzero(ranks < size).tolist()]
            assert networkx.is_connected(grid.subgraph(patches))


def test_random_sets_are_mostly_in_pieces() -> None:
    grid = networkx.grid_2d_graph(*GRID)

    connected = [
        networkx.is_connected(
            grid.subgraph(divmod(patch, 5) for patch in np.flatnonzero(ranks < 5))
        )
        for ranks in random_orders(15, 100, 0)
    ]

    assert sum(connected) < 50


def test_each_neighbour_of_a_contiguous_set_is_as_likely_to_be_next() -> None:
    orders = contiguous_orders((1, 4), 6000, 0)

    # From the first of four in a row there is one way on; from the second there are two.
    second = orders[orders[:, 1] == 0]
    assert abs((second[:, 0] == 1).mean() - 0.5) < 0.05
    assert np.abs((orders == 0).mean(axis=0) - 0.25).max() < 0.03
    assert (orders[orders[:, 0] == 0] == np.arange(4)).all()


def test_seeds_repeat_and_differ() -> None:
    for draw in (
        lambda seed: random_orders(15, 20, seed),
        lambda seed: contiguous_orders(GRID, 20, seed),
    ):
        assert (draw(1) == draw(1)).all()
        assert (draw(1) != draw(2)).any()


def test_clusters_are_removed_alone_together_and_all_but_one() -> None:
    sets = list(patch_sets(LABELS, 2))

    named = [(each.kind, each.clusters) for each in sets]
    alone = [(-1,), (0,), (1,), (2,)]
    assert named == [
        *(("alone", clusters) for clusters in alone),
        *(("together", pair) for pair in itertools.combinations((-1, 0, 1, 2), 2)),
        *(("only", clusters) for clusters in alone),
    ]
    assert all((each.removed == np.isin(LABELS, each.clusters)).all() for each in sets[:10])
    assert all((each.removed == (each.clusters[0] != LABELS)).all() for each in sets[10:])


@pytest.mark.parametrize("clusters", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("together", [1, 2, 3, 9])
def test_no_set_comes_twice_and_their_number_is_known(clusters: int, together: int) -> None:
    sets = list(patch_sets(np.arange(2 * clusters) % clusters, together))

    assert len({each.removed.tobytes() for each in sets}) == len(sets)
    assert len(sets) == count_patch_sets(clusters, together)
    assert sum(each.kind == "alone" for each in sets) == clusters
