import itertools

import numpy as np
import pytest
from scipy.special import softmax

from harness.metrics.ablation import (
    Effect,
    PatchSet,
    count_patch_sets,
    drop_singletons,
    effects,
    patch_sets,
)
from harness.metrics.patch_orders import contiguous_orders, random_orders
from harness.plugin.values import Floats

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1, -1])
ORDERS = random_orders(12, 4000, 0), contiguous_orders((3, 4), 4000, 0)
LOGITS = np.array([2.0, 1.0, -1.0])


def patch_changes() -> Floats:
    """Each patch's share in three logits, (patches, classes)."""
    return np.random.default_rng(0).normal(size=(12, 3)) - 0.2


def found(target: int = 0, together: int = 2) -> list[Effect]:
    shares = patch_changes()
    sets = list(patch_sets(LABELS, together))
    return effects(LOGITS, lambda removed: removed @ shares, shares, target, sets, ORDERS)


def test_figures_are_those_of_the_logits_without_the_patches() -> None:
    for effect, each in zip(found(), patch_sets(LABELS, 2), strict=True):
        after = LOGITS + patch_changes()[each.removed].sum(axis=0)
        assert effect.logits == pytest.approx(after - LOGITS)
        assert effect.logit == pytest.approx(after[0] - 2.0)
        assert effect.margin == pytest.approx(after[0] - max(after[1:]) - 1.0)
        assert effect.probability == pytest.approx(softmax(after)[0] - softmax(LOGITS)[0])
        assert effect.predicted == after.argmax()
        assert effect.changed == (after.argmax() != 0)
        assert effect.accuracy == (after.argmax() == 0) - 1
        assert effect.patches == each.removed.sum()


def test_the_draws_mean_is_the_one_known_in_closed_form() -> None:
    shares = patch_changes()[:, 0]
    for effect in found():
        k = effect.patches
        assert effect.random.expected == pytest.approx(k * shares.mean())
        # Of the sum of k of 12 drawn without replacement.
        variance = k * shares.var() * (12 - k) / 11
        assert effect.random.expected is not None
        error = abs(effect.random.logit - effect.random.expected)
        assert error <= 4 * np.sqrt(variance / 4000) + 1e-9


def test_p_is_the_share_of_all_sets_that_change_the_logit_as_much() -> None:
    shares = patch_changes()[:, 0]
    for effect in found():
        if effect.kind != "alone":
            continue
        every = [shares[list(s)].sum() for s in itertools.combinations(range(12), effect.patches)]
        exact = np.mean(np.abs(every) >= abs(effect.logit) - 1e-9)
        assert effect.random.p == pytest.approx(exact, abs=0.04)
        low, high = np.quantile(every, (0.025, 0.975))
        assert (effect.random.low, effect.random.high) == pytest.approx((low, high), abs=0.4)


def test_removing_everything_is_no_more_than_chance() -> None:
    shares = patch_changes()
    every = PatchSet("together", (-1, 0, 1, 2), np.ones(12, dtype=bool))

    (effect,) = effects(LOGITS, lambda removed: removed @ shares, shares, 0, [every], ORDERS)

    for chance in (effect.random, effect.contiguous):
        assert chance.p == 1
        assert (chance.logit, chance.margin) == pytest.approx((effect.logit, effect.margin))


def test_what_changes_nothing_has_no_small_p() -> None:
    none = np.zeros((12, 3))
    sets = list(patch_sets(LABELS, 1))

    for effect in effects(LOGITS, lambda removed: removed @ none, None, 0, sets, ORDERS):
        assert (effect.logit, effect.random.p, effect.contiguous.p) == (0, 1, 1)
        assert effect.random.expected is None
        assert not effect.changed


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


def test_a_cluster_of_one_patch_is_none() -> None:
    labels = np.array([7, 7, 3, -1, 5, 5, 5])

    assert drop_singletons(labels).tolist() == [7, 7, -1, -1, 5, 5, 5]
    assert drop_singletons(np.array([-1])).tolist() == [-1]
