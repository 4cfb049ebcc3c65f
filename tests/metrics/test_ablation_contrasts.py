import numpy as np
import pytest
from scipy.stats import wilcoxon

from harness.metrics.ablation import Chance, Effect, contrasts

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
