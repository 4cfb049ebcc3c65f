import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.partition import renumbered
from harness.metrics.salience import most_salient, order_by_salience


def attention(seed: int, n: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(n, n))
    return np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))


@given(st.integers(0, 1000), st.lists(st.integers(-1, 3), min_size=4, max_size=12))
def test_salience_is_the_mean_attention_over_pairs_from_outside(
    seed: int, labels: list[int]
) -> None:
    weights = attention(seed, len(labels))

    for each in order_by_salience(weights, np.array(labels)):
        pairs = [
            weights[i, j]
            for i in range(len(labels))
            for j in range(len(labels))
            if labels[i] != each.label and labels[j] == each.label
        ]
        assert np.isclose(each.salience, np.mean(pairs) if pairs else 0)
        assert each.patches == labels.count(each.label)


def test_the_cluster_that_others_look_at_comes_first() -> None:
    weights = np.full((6, 6), 0.1)
    weights[:, 4:] = 0.3

    assert [each.label for each in order_by_salience(weights, np.array([5, 5, 5, 5, 2, 2]))] == [
        2,
        5,
    ]


def test_under_uniform_attention_no_cluster_stands_out() -> None:
    labels = np.array([0] * 9 + [1] * 2 + [2])
    found = order_by_salience(np.full((12, 12), 0.125), labels)

    assert {each.salience for each in found} == {0.125}
    assert [each.label for each in found] == [0, 1, 2]


def test_unassigned_patches_are_no_cluster() -> None:
    assert order_by_salience(np.ones((2, 2)), np.array([-1, -1])) == ()


@given(
    st.integers(0, 1000),
    st.lists(st.integers(-1, 3), min_size=4, max_size=12),
    # With few different weights, many clusters are equally salient, but for rounding.
    st.sampled_from([1, 2, 3, 1000]),
)
def test_the_most_salient_cluster_is_the_first_in_the_order(
    seed: int, labels: list[int], different: int
) -> None:
    clusters = renumbered(np.array([0, *labels]))
    partitions = np.array([clusters, clusters[::-1]])
    members = partitions[:, None] == np.arange(clusters.max() + 1)[:, None]
    n = len(clusters)
    weights = 0.1 * np.random.default_rng(seed).integers(different, size=(n, n))

    for precision in (np.float64, np.float32, np.float16):
        rounded = weights.astype(precision)
        expected = [order_by_salience(rounded, each)[0].label for each in partitions]
        assert most_salient(rounded, members).tolist() == expected
