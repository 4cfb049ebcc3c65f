import numpy as np

from harness.engine.selection import sample

POOL = [f"null {index}" for index in range(50)]


def test_from_a_larger_pool_a_seeded_sample_is_taken_in_order() -> None:
    drawn = sample(POOL, 10, 3)

    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn, key=POOL.index)
    assert drawn == sample(POOL, 10, 3)
    assert drawn != sample(POOL, 10, 4)


def test_a_pool_that_is_small_enough_is_taken_whole() -> None:
    assert sample(POOL, 50, 3) == POOL


def test_samples_have_the_draws_that_earlier_versions_took() -> None:
    indices = np.random.default_rng(3).choice(list(range(50)), 10, replace=False)

    assert sample(POOL, 10, 3) == [POOL[index] for index in sorted(indices)]
