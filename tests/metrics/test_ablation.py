import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.special import softmax
from scipy.stats import wilcoxon

from harness.metrics.ablation import Chance, Effect, contrasts, effects, embedding_figures
from harness.metrics.patch_sets import PatchSet, contiguous_orders, patch_sets, random_orders
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
    return effects(LOGITS, lambda removed: removed @ shares, sets, ORDERS, target, shares)


def test_figures_are_those_of_the_logits_without_the_patches() -> None:
    for effect, each in zip(found(), patch_sets(LABELS, 2), strict=True):
        after = LOGITS + patch_changes()[each.removed].sum(axis=0)
        assert effect.logits == pytest.approx(after - LOGITS)
        assert effect.figures["logit"] == pytest.approx(after[0] - 2.0)
        assert effect.figures["margin"] == pytest.approx(after[0] - max(after[1:]) - 1.0)
        assert effect.figures["probability"] == pytest.approx(
            softmax(after)[0] - softmax(LOGITS)[0]
        )
        assert effect.predicted == after.argmax()
        assert effect.changed == (after.argmax() != 0)
        assert effect.patches == each.removed.sum()


def test_the_draws_mean_is_the_one_known_in_closed_form() -> None:
    shares = patch_changes()[:, 0]
    for effect in found():
        k = effect.patches
        assert effect.random.expected == pytest.approx(k * shares.mean())
        # Of the sum of k of 12 drawn without replacement.
        variance = k * shares.var() * (12 - k) / 11
        assert effect.random.expected is not None
        error = abs(effect.random.figures["logit"] - effect.random.expected)
        assert error <= 4 * np.sqrt(variance / 4000) + 1e-9


def test_p_is_the_fraction_of_all_sets_that_change_the_logit_as_much() -> None:
    shares = patch_changes()[:, 0]
    for effect in found():
        if effect.kind != "alone":
            continue
        every = [shares[list(s)].sum() for s in itertools.combinations(range(12), effect.patches)]
        exact = np.mean(np.abs(every) >= abs(effect.figures["logit"]) - 1e-9)
        assert effect.random.p == pytest.approx(exact, abs=0.04)
        low, high = np.quantile(every, (0.025, 0.975))
        assert (effect.random.low, effect.random.high) == pytest.approx((low, high), abs=0.4)


def test_removing_everything_is_no_more_than_chance() -> None:
    shares = patch_changes()
    every = PatchSet("together", (-1, 0, 1, 2), np.ones(12, dtype=bool))

    (effect,) = effects(LOGITS, lambda removed: removed @ shares, [every], ORDERS, 0, shares)

    for chance in (effect.random, effect.contiguous):
        assert chance.p == 1
        assert dict(chance.figures) == pytest.approx(dict(effect.figures))


def test_what_changes_nothing_has_no_small_p() -> None:
    none = np.zeros((12, 3))
    sets = list(patch_sets(LABELS, 1))

    for effect in effects(LOGITS, lambda removed: removed @ none, sets, ORDERS, 0):
        assert (effect.figures["logit"], effect.random.p, effect.contiguous.p) == (0, 1, 1)
        assert effect.random.expected is None
        assert not effect.changed


EMBEDDING = np.array([2.0, 1.0, -1.0, 0.5])


def embedding_changes() -> Floats:
    """What each patch adds to four dimensions, (patches, dimensions)."""
    return np.random.default_rng(0).normal(size=(12, 4))


def moved() -> list[Effect]:
    changes = embedding_changes()
    return effects(
        EMBEDDING, lambda removed: removed @ changes, list(patch_sets(LABELS, 1)), ORDERS
    )


def test_distances_are_those_of_scipy() -> None:
    changes = np.random.default_rng(1).normal(size=(20, 4))
    expected = [cosine(EMBEDDING, EMBEDDING + change) for change in changes]
    assert embedding_figures(EMBEDDING, changes)["distance"] == pytest.approx(expected)


def test_an_embedding_that_only_grows_has_not_moved() -> None:
    assert embedding_figures(EMBEDDING, EMBEDDING[None] * 3)["distance"] == pytest.approx(
        [0], abs=1e-12
    )


def test_an_embedding_without_direction_is_at_distance_1() -> None:
    assert embedding_figures(EMBEDDING, -EMBEDDING[None])["distance"].tolist() == [1]


def test_an_effect_is_the_distance_without_the_patches() -> None:
    for effect, each in zip(moved(), patch_sets(LABELS, 1), strict=True):
        after = EMBEDDING + embedding_changes()[each.removed].sum(axis=0)
        assert effect.figures["distance"] == pytest.approx(cosine(EMBEDDING, after))
        assert (effect.kind, effect.clusters) == (each.kind, each.clusters)
        assert effect.patches == each.removed.sum()
        assert (effect.logits, effect.predicted) == ((), None)


def test_p_is_the_fraction_of_all_sets_that_move_it_as_far() -> None:
    for effect in moved():
        if effect.kind != "alone":
            continue
        every = [
            cosine(EMBEDDING, EMBEDDING + embedding_changes()[list(chosen)].sum(axis=0))
            for chosen in itertools.combinations(range(12), effect.patches)
        ]
        exact = np.mean(np.array(every) >= effect.figures["distance"] - 1e-9)
        assert effect.random.p == pytest.approx(exact, abs=0.04)
        assert effect.random.figures["distance"] == pytest.approx(np.mean(every), abs=0.05)


def test_no_sets_have_no_effects() -> None:
    assert effects(EMBEDDING, lambda removed: removed @ embedding_changes(), [], ORDERS) == []


Image = tuple[int, list[Effect]]


def effect(logit: float, chance: float, patches: int) -> Effect:
    random, contiguous = (Chance({"logit": mean}, 0, 0, 1) for mean in (chance, 2 * chance))
    return Effect("alone", (0,), patches, {"logit": logit}, random, contiguous)


@pytest.fixture
def images() -> list[Image]:
    random = np.random.default_rng(0)
    return [
        (
            20,
            [
                effect(random.normal(-2), random.normal(-1), 4),
                effect(random.normal(), random.normal(), 6),
                effect(random.normal(1), random.normal(), 10),
            ],
        )
        for _ in range(12)
    ]


def test_the_first_and_the_last_in_the_order_of_salience_are_contrasted(
    images: list[Image],
) -> None:
    found = {(each.removed, each.figure): each for each in contrasts(images)}

    for removed, place, fraction in (("most salient", 0, 0.2), ("least salient", 2, 0.5)):
        contrast = found[removed, "logit"]  # type: ignore[index]
        clusters = np.array([image[1][place].figures["logit"] for image in images])
        random = np.array([image[1][place].random.figures["logit"] for image in images])
        assert contrast.fraction == pytest.approx(fraction)
        assert contrast.clusters.mean == pytest.approx(clusters.mean())
        assert contrast.random.mean == pytest.approx(random.mean())
        assert contrast.contiguous.mean == pytest.approx(2 * random.mean())
        assert contrast.beyond_random.mean == pytest.approx((clusters - random).mean())
        assert contrast.beyond_contiguous.mean == pytest.approx((clusters - 2 * random).mean())
        assert contrast.beyond_random.p == pytest.approx(wilcoxon(clusters - random).pvalue)
        assert contrast.clusters.p == pytest.approx(wilcoxon(clusters).pvalue)


def test_each_cluster_counts_within_its_image_first(images: list[Image]) -> None:
    each = next(one for one in contrasts(images) if one.removed == "each")

    means = [np.mean([effect.figures["logit"] for effect in image[1]]) for image in images]
    assert each.clusters.mean == pytest.approx(np.mean(means))
    assert each.fraction == pytest.approx(1 / 3)


def test_an_interval_covers_most_of_what_resampled_images_give(
    images: list[Image],
) -> None:
    estimate = contrasts(images)[0].clusters
    logits = np.array([image[1][0].figures["logit"] for image in images])
    random = np.random.default_rng(1)

    means = random.choice(logits, (4000, 12)).mean(axis=1)

    assert (estimate.low, estimate.high) == pytest.approx(
        np.quantile(means, (0.025, 0.975)), abs=0.1
    )


def test_an_image_of_one_cluster_is_in_no_contrast(images: list[Image]) -> None:
    alone = (20, [effect(-100, 0, 5)])

    assert contrasts([*images, alone]) == contrasts(images)
    assert contrasts([alone]) == []


def test_of_few_images_there_is_a_mean_and_no_test(images: list[Image]) -> None:
    (one, *_) = contrasts(images[:1])

    assert (one.images, one.clusters.low, one.clusters.p) == (1, None, None)
    assert one.clusters.mean == pytest.approx(images[0][1][0].figures["logit"])
