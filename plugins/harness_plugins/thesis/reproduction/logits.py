"""What zeroing clusters' outputs does to the logits: tables 4.4 to 4.6, and over all images."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from harness import UNASSIGNED
from harness.command import Ablation, AblationSettings, ClusterSalience, Contrast, Effect
from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.study import LOUVAIN, MissingRequirementError, Study


def logits_of(place: int) -> Callable[[Study], Made]:
    """Logits of the image shown at that place with each of Louvain's clusters zeroed, and all but
    one.
    """

    def make(study: Study) -> Made:
        import pandas

        from harness.command import effect_bars

        if place >= len(study.shown):
            raise MissingRequirementError(f"needs {place + 1} images; {len(study.shown)} are shown")
        image = study.shown[place]
        found = _ablation(study, [image.key])
        if not found.images:
            raise MissingRequirementError(f"{image.key}: {found.nothing[image.key]}")
        (one,) = found.images
        assert one.prediction is not None
        logits, names = one.prediction.logits, list(study.classes)
        rows = [{"removed": "nothing", "patches": 0, **dict(zip(names, logits, strict=True))}]
        bars = []
        for effect in one.effects:
            after = np.array(logits) + effect.logits
            removed = _name(effect, one.clusters)
            rows.append(
                {
                    "removed": removed,
                    "patches": effect.patches,
                    **dict(zip(names, after.tolist(), strict=True)),
                }
            )
            bars.append((removed, effect))
        name = f"table-4.{place + 4}"
        what = f"change of the logit of {names[one.prediction.target]}"
        figure = effect_bars(bars, title=f"{image.key}: clusters removed", what=what)
        return Made(
            {name: pandas.DataFrame(rows)},
            {name: figure},
            ("Clusters in order of salience, the attention they get from outside, most first.",),
        )

    return make


def over_all_images(study: Study) -> Made:
    """Removing the most salient cluster, the least, and each, over all images, beside chance."""
    import pandas

    found = _ablation(study, [])
    rows = [_flat(contrast) for contrast in found.contrasts]
    return Made(
        {"ablation": pandas.DataFrame(rows)},
        remarks=(
            f"{len(found.images)} images with clusters, {len(found.nothing)} without. How to read "
            "it: docs/ablation.md.",
        ),
    )


def _ablation(study: Study, images: list[str]) -> Ablation:
    return study.thesis_run.ablate(LOUVAIN, images, AblationSettings(together=1), study.plugins)


def _name(effect: Effect, clusters: Sequence[ClusterSalience]) -> str:
    """What is removed; clusters are numbered by salience."""
    places = {cluster.label: place for place, cluster in enumerate(clusters, 1)}
    name = " and ".join(
        "unassigned patches" if label == UNASSIGNED else f"cluster {places[label]}"
        for label in effect.clusters
    )
    return f"all but {name}" if effect.kind == "only" else name


def _flat(contrast: Contrast) -> dict[str, Any]:
    """A contrast as one row: mean, interval and p of each estimate."""
    row: dict[str, Any] = {}
    for name, value in asdict(contrast).items():
        if isinstance(value, dict):
            row.update({f"{name}_{part}": figure for part, figure in value.items()})
        else:
            row[name] = value
    return row
