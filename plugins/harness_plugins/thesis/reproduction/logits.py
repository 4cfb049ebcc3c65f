"""What zeroing clusters' outputs does to the logits: tables 4.4 to 4.6, and over all images."""

from dataclasses import asdict

import numpy as np
import pandas

from harness import UNASSIGNED
from harness.command import Ablation, AblationSettings, Effect, effect_bars
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.study import LOUVAIN, MissingRequirementError, Study


def logits_of_image(study: Study, number: int, name: str) -> Output:
    """Logits of a shown image with each of Louvain's clusters zeroed, and with all but one."""
    image = study.image(number)
    found = _ablation(study, [image.key])
    if not found.images:
        raise MissingRequirementError(f"{image.key}: {found.nothing[image.key]}")
    (one,) = found.images
    assert one.prediction is not None
    prediction = one.prediction
    rows = [{"removed": "nothing", "patches": 0, **study.by_class(prediction.logits)}]
    bars = []
    for effect in one.effects:
        logits = np.array(prediction.logits) + effect.logits
        removed = _name(effect)
        rows.append({"removed": removed, "patches": effect.patches, **study.by_class(logits)})
        bars.append((removed, effect))
    what = f"change of the logit of {study.classes[prediction.target]}"
    figure = effect_bars(bars, title=f"{image.key}: clusters removed", what=what)
    return Output(
        {name: pandas.DataFrame(rows)},
        {name: figure},
        ("Clusters in order of salience, the attention they get from outside, most first.",),
    )


def over_all_images(study: Study) -> Output:
    """Removing the most salient cluster, the least, and each, over all images, beside chance."""
    found = _ablation(study, [])
    table = pandas.json_normalize([asdict(each) for each in found.contrasts], sep="_")
    return Output(
        {"ablation": table},
        remarks=(
            f"{len(found.images)} images with clusters, {len(found.nothing)} without. How to read "
            "it: docs/ablation.md.",
        ),
    )


def _ablation(study: Study, images: list[str]) -> Ablation:
    return study.thesis_run.ablate(
        LOUVAIN, images, AblationSettings(together=1), study.plugins, progress=study.progress
    )


def _name(effect: Effect) -> str:
    """What is removed."""
    name = " and ".join(
        "unassigned patches" if number == UNASSIGNED else f"cluster {number}"
        for number in effect.clusters
    )
    return f"all but {name}" if effect.kind == "only" else name
