import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.scores.partition import InvalidLabels
from harness.scores.saliency import Salience, order_by_salience


@st.composite
def clustered_maps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 9))
    weights = draw(arrays.arrays(np.float64, (n, n), elements=st.floats(0, 1)))
    labels = draw(arrays.arrays(np.int64, n, elements=st.integers(-1, 3)))
    return weights, labels


@given(clustered_maps())
def test_incoming_is_the_mean_over_pairs_of_a_patch_outside_and_one_inside(
    clustered: tuple[np.ndarray, np.ndarray],
) -> None:
    weights, labels = clustered
    for cluster in order_by_salience(weights, labels):
        pairs = [
            weights[outside, inside]
            for outside in range(len(labels))
            for inside in range(len(labels))
            if labels[inside] == cluster.label and labels[outside] != cluster.label
        ]
        assert cluster.size == sum(labels == cluster.label)
        expected = math.fsum(pairs) / len(pairs) if pairs else 0.0
        assert cluster.incoming == pytest.approx(expected)


@given(clustered_maps())
def test_every_cluster_is_ordered_once_the_most_attended_first(
    clustered: tuple[np.ndarray, np.ndarray],
) -> None:
    weights, labels = clustered
    order = order_by_salience(weights, labels)
    assert sorted(each.label for each in order) == sorted(set(labels.tolist()) - {-1})
    assert all(
        (first.incoming, -first.label) > (second.incoming, -second.label)
        for first, second in itertools.pairwise(order)
    )


def test_even_attention_makes_no_cluster_salient_whatever_its_size() -> None:
    n = 8
    labels = np.array([0, 1, 1, 2, 2, 2, 2, -1])
    order = order_by_salience(np.full((n, n), 1 / n), labels)
    assert order == (Salience(0, 1, 1 / n), Salience(1, 2, 1 / n), Salience(2, 4, 1 / n))


def test_attention_inside_a_cluster_changes_nothing() -> None:
    weights = np.random.default_rng(0).random((6, 6))
    labels = np.array([0, 0, 0, 1, 1, 1])
    before = order_by_salience(weights, labels)
    weights[labels[:, None] == labels] = 7.0
    assert order_by_salience(weights, labels) == before


def test_labels_of_another_number_of_patches_are_refused() -> None:
    with pytest.raises(InvalidLabels, match=r"must be \(3,\)"):
        order_by_salience(np.ones((3, 3)), np.array([0, 1]))
