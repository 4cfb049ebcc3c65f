from collections import Counter

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import harness
from harness_plugins.extractors.planted import Planted


def maps(spec: str = "") -> harness.MapSet:
    made: harness.MapSet = harness.make("extractor", f"planted[{spec}]" if spec else "planted")
    return made


def first(spec: str) -> harness.AttentionMap:
    return maps(spec).load("planted-000")


def truth_of(attention: harness.AttentionMap) -> harness.Integers:
    assert attention.truth is not None
    return attention.truth


def logits(attention: harness.AttentionMap) -> harness.Floats:
    """Up to a constant a row."""
    found = np.log(attention.weights)
    return np.asarray(found - found.mean(axis=1, keepdims=True))


def test_maps_are_named_by_number_and_have_a_grid_where_their_nodes_make_a_square() -> None:
    assert list(maps("count=3").keys()) == ["planted-000", "planted-001", "planted-002"]
    assert maps().load("planted-002").image == "planted-002"
    assert maps().load("planted-000").grid == (14, 14)
    assert first("n=30").grid is None
    assert first("n=30,grid=[5,6]").grid == (5, 6)


@given(st.integers(0, 99))
def test_rows_are_a_softmax(seed: int) -> None:
    weights = Planted(n=36, seed=seed).load("planted-000").weights

    assert weights.sum(axis=1) == pytest.approx(np.ones(36))
    assert (weights > 0).all()


def test_a_map_depends_on_its_number_and_the_seed_only() -> None:
    few, many = maps("count=2"), maps("count=20")

    assert few.load("planted-001").digest == many.load("planted-001").digest
    assert few.load("planted-000").digest != few.load("planted-001").digest
    assert maps("seed=1").load("planted-000").digest != few.load("planted-000").digest


def test_communities_are_two_to_eight_unless_their_number_is_given() -> None:
    drawn = maps("count=60,n=64")

    assert {len(set(truth_of(drawn.load(key)))) for key in drawn.keys()} == set(range(2, 9))
    assert len(set(truth_of(first("k=5")))) == 5


@given(st.integers(1, 9), st.integers(18, 60))
def test_equal_sizes_differ_by_one_node_at_most(k: int, n: int) -> None:
    planted = Planted(k=k, n=n).load("planted-000")

    sizes = Counter(truth_of(planted).tolist()).values()

    assert len(sizes) == k
    assert max(sizes) - min(sizes) <= 1


def test_unequal_sizes_are_in_the_ratios_of_the_whole_numbers() -> None:
    sizes = Counter(truth_of(first("k=4,n=100,sizes=unequal")).tolist()).values()

    assert sorted(sizes) == [10, 20, 30, 40]


def test_pure_noise_has_one_community_of_all_nodes() -> None:
    assert set(truth_of(first("signal=0"))) == {0}
    assert set(truth_of(first("k=1,signal=2"))) == {0}


def test_maps_of_any_signal_share_their_noise() -> None:
    noise, planted = first("k=3,signal=0,n=64"), first("k=3,signal=1.5,n=64")

    difference = logits(planted) - logits(noise)

    # Up to a constant a row the signal is all that differs.
    same = truth_of(planted)[:, None] == truth_of(planted)
    for row, inside in zip(difference, same, strict=True):
        assert row[inside] - row[~inside].mean() == pytest.approx(np.full(inside.sum(), 1.5))


def test_noise_has_its_deviation_and_columns_have_theirs() -> None:
    found = logits(first("signal=0,n=400,spread=0.8"))
    columns = found.mean(axis=0)

    assert columns.std() == pytest.approx(0.8, rel=0.15)
    assert (found - columns).std() == pytest.approx(1, rel=0.02)


def test_asymmetry_makes_the_signal_go_one_way() -> None:
    symmetric, one_way = (
        first(f"k=2,signal=1,n=64,asymmetry={asymmetry}") for asymmetry in (0.0, 1.0)
    )
    same = truth_of(one_way)[:, None] == truth_of(one_way)
    others = ~np.eye(64, dtype=bool)

    change = np.log(one_way.weights) - np.log(symmetric.weights)
    # Rows are compared to what they are outside of their communities.
    change -= np.array([row[~inside].mean() for row, inside in zip(change, same, strict=True)])[
        :, None
    ]

    inside = change[same & others]
    assert np.abs(inside) == pytest.approx(np.ones(len(inside)))
    assert (change + change.T)[same & others] == pytest.approx(np.zeros(len(inside)))


def test_hubs_receive_more_than_all_others() -> None:
    received = first("hubs=3,hub_strength=4,spread=0").weights.sum(axis=0)

    strongest = np.sort(received)[::-1]
    assert strongest[2] > 5 * strongest[3]


def test_locality_lowers_logits_with_distance() -> None:
    far = np.log(first("locality=0.5,signal=0").weights)
    near = np.log(first("signal=0").weights)
    places = np.argwhere(np.ones((14, 14)))

    change = far - near - np.diag(far - near)[:, None]

    assert change == pytest.approx(-0.5 * cdist(places, places))


def test_four_blocks_of_a_square_are_its_quarters() -> None:
    blocks = truth_of(first("k=4,arrangement=blocks")).reshape(14, 14)

    for quarter in (blocks[:7, :7], blocks[:7, 7:], blocks[7:, :7], blocks[7:, 7:]):
        assert len(np.unique(quarter)) == 1


@pytest.mark.parametrize("sizes", ["equal", "unequal"])
@pytest.mark.parametrize("k", [3, 5, 7, 8])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_are_in_one_piece(seed: int, k: int, sizes: str) -> None:
    blocks = truth_of(
        first(f"k={k},sizes={sizes},arrangement=blocks,n=120,grid=[8,15],seed={seed}")
    )
    grid = networkx.grid_2d_graph(8, 15)

    for community in range(k):
        rows, columns = np.nonzero(blocks.reshape(8, 15) == community)
        members = grid.subgraph(zip(rows.tolist(), columns.tolist(), strict=True))
        assert networkx.is_connected(members)


def test_an_unknown_map_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="there is no map 'planted-016'"):
        maps().load("planted-016")
    with pytest.raises(harness.HarnessError, match="there is no map 'planted-0'"):
        maps().load("planted-0")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("count=0", "count must be"),
        ("n=1", "n must be"),
        ("signal=-1", "signal must be"),
        ("signal=nan", "signal must be"),
        ("asymmetry=1.5", "asymmetry must be"),
        ("hubs=197", "hubs must be"),
        ("seed=-1", "seed must be at least 0"),
        ("k=0", "k must be at least 1"),
        ("k=99", "196 nodes are too few for 99 communities of equal sizes with two nodes each$"),
        ("n=12", "12 nodes are too few for 8 communities .*the most that may be drawn"),
        ("grid=[3,3]", "grid must hold n=196 patches, not 3×3"),
        ("grid=[-14,-14]", "grid must hold n=196 patches"),
        ("n=30,locality=1", "need a grid, and n=30 is not a square"),
        ("n=30,arrangement=blocks", "need a grid, and n=30 is not a square"),
    ],
)
def test_parameters_that_make_no_map_are_refused(spec: str, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        maps(spec)
