import numpy as np
import pytest
from scipy.stats import wilcoxon

from harness.metrics.ablation import Chance, Effect
from harness.metrics.ablation_contrasts import OF_LOGITS, ImageEffects, contrasts


def effect(logit: float, chance: float, patches: int) -> Effect:
    """A cluster's effect of which only the logit's changes matter."""
    drawn = Chance(chance, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, None)
    near = Chance(2 * chance, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, None)
    return Effect("alone", (0,), patches, (logit,), logit, 0.0, 0.0, 0.0, 0, False, drawn, near)


@pytest.fixture
def images() -> list[ImageEffects]:
    random = np.random.default_rng(0)
    return [
        ImageEffects(
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
    images: list[ImageEffects],
) -> None:
    found = {(each.removed, each.figure): each for each in contrasts(images, OF_LOGITS)}

    for removed, place, share in (("most salient", 0, 0.2), ("least salient", 2, 0.5)):
        contrast = found[removed, "logit"]  # type: ignore[index]
        clusters = np.array([image.effects[place].logit for image in images])
        random = np.array([image.effects[place].random.logit for image in images])
        assert contrast.share == pytest.approx(share)
        assert contrast.clusters.mean == pytest.approx(clusters.mean())
        assert contrast.random.mean == pytest.approx(random.mean())
        assert contrast.contiguous.mean == pytest.approx(2 * random.mean())
        assert contrast.beyond_random.mean == pytest.approx((clusters - random).mean())
        assert contrast.beyond_contiguous.mean == pytest.approx((clusters - 2 * random).mean())
        assert contrast.beyond_random.p == pytest.approx(wilcoxon(clusters - random).pvalue)
        assert contrast.clusters.p == pytest.approx(wilcoxon(clusters).pvalue)


def test_each_cluster_counts_within_its_image_first(images: list[ImageEffects]) -> None:
    each = next(one for one in contrasts(images, OF_LOGITS) if one.removed == "each")

    means = [np.mean([effect.logit for effect in image.effects]) for image in images]
    assert each.clusters.mean == pytest.approx(np.mean(means))
    assert each.share == pytest.approx(1 / 3)


def test_an_interval_covers_most_of_what_resampled_images_give(
    images: list[ImageEffects],
) -> None:
    estimate = contrasts(images, OF_LOGITS)[0].clusters
    logits = np.array([image.effects[0].logit for image in images])
    random = np.random.default_rng(1)

    means = random.choice(logits, (4000, 12)).mean(axis=1)

    assert (estimate.low, estimate.high) == pytest.approx(
        np.quantile(means, (0.025, 0.975)), abs=0.1
    )


def test_an_image_of_one_cluster_is_in_no_contrast(images: list[ImageEffects]) -> None:
    alone = ImageEffects(20, [effect(-100, 0, 5)])

    assert contrasts([*images, alone], OF_LOGITS) == contrasts(images, OF_LOGITS)
    assert contrasts([alone], OF_LOGITS) == []


def test_of_few_images_there_is_a_mean_and_no_test(images: list[ImageEffects]) -> None:
    (one, *_) = contrasts(images[:1], OF_LOGITS)

    assert (one.images, one.clusters.low, one.clusters.p) == (1, None, None)
    assert one.clusters.mean == pytest.approx(images[0].effects[0].logit)
