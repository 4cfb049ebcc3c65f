import numpy as np

from harness_plugins.extractors.pretrained.cosine import cosines


def test_a_row_of_zeros_is_similar_to_nothing() -> None:
    found = cosines(np.array([[0, 0], [3, 4], [-6, -8]], dtype=np.float32))

    np.testing.assert_allclose(found, [[0, 0, 0], [0, 1, -1], [0, -1, 1]], atol=1e-15)


def test_cosines_are_symmetric_to_the_last_bit() -> None:
    found = cosines(np.random.default_rng(0).normal(size=(50, 30)))

    np.testing.assert_array_equal(found, found.T)
