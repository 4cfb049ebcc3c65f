"""Over a set of images: does removing the clusters that stand out change answers beyond chance?"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from harness.metrics.ablation import ROUNDING, Effect
from harness.metrics.embedding_ablation import EmbeddingEffect
from harness.metrics.inference import Estimate, estimate
from harness.plugin.values import Floats

Removed = Literal["most salient", "least salient", "each"]
Figure = Literal["logit", "margin", "probability", "accuracy", "distance"]
OF_LOGITS: tuple[Figure, ...] = ("logit", "margin", "probability", "accuracy")
OF_EMBEDDINGS: tuple[Figure, ...] = ("distance",)
# With fewer no cluster is more salient than another.
FEWEST_CLUSTERS = 2


@dataclass(frozen=True)
class Contrast:
    """Changes of one figure when one kind of cluster is removed from every image, beside chance.

    share: of an image's patches that are removed, the mean; clusters: removing the cluster; random
    and contiguous: as many patches, means over draws. beyond_random and beyond_contiguous: the
    paired differences, clusters less chance. "each": every cluster on its own, the mean within an
    image first.
    """

    removed: Removed
    figure: Figure
    images: int
    share: float
    clusters: Estimate
    random: Estimate
    contiguous: Estimate
    beyond_random: Estimate
    beyond_contiguous: Estimate


@dataclass(frozen=True)
class ImageEffects:
    """What removing each cluster alone did to an image of some patches; most salient first."""

    patches: int
    effects: Sequence[Effect] | Sequence[EmbeddingEffect]

    def when(self, removed: Removed) -> Sequence[Effect] | Sequence[EmbeddingEffect]:
        """The effects of one kind of cluster."""
        return {
            "most salient": self.effects[:1],
            "least salient": self.effects[-1:],
            "each": self.effects,
        }[removed]


def contrasts(images: Sequence[ImageEffects], figures: Sequence[Figure]) -> list[Contrast]:
    """Figures for every kind of cluster, over the images with at least two clusters.

    figures: those of logits, or of embeddings, as the images' effects are.
    """
    several = [image for image in images if len(image.effects) >= FEWEST_CLUSTERS]
    if not several:
        return []
    return [
        contrast
        for removed in get_args(Removed)
        for contrast in _contrasts(removed, several, figures)
    ]


def _contrasts(
    removed: Removed, images: Sequence[ImageEffects], figures: Sequence[Figure]
) -> Iterator[Contrast]:
    chosen = [image.when(removed) for image in images]
    share = statistics.fmean(
        statistics.fmean(effect.patches for effect in effects) / image.patches
        for image, effects in zip(images, chosen, strict=True)
    )
    for figure in figures:
        # (images, 3): the clusters', random patches' and contiguous patches' mean changes.
        changes = np.array(
            [
                np.mean(
                    [
                        [
                            getattr(each, figure)
                            for each in (effect, effect.random, effect.contiguous)
                        ]
                        for effect in effects
                    ],
                    axis=0,
                )
                for effects in chosen
            ]
        )
        clusters, random, contiguous = changes.T
        yield Contrast(
            removed,
            figure,
            len(images),
            share,
            _estimate(clusters),
            _estimate(random),
            _estimate(contiguous),
            _estimate(clusters - random),
            _estimate(clusters - contiguous),
        )


def _estimate(figures: Floats) -> Estimate:
    # What is rounding alone is no difference.
    return estimate(np.where(np.abs(figures) < ROUNDING, 0.0, figures))
