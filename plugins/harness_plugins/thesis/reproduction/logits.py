"""What zeroing clusters' outputs does to the logits: tables 4.4 to 4.6, and over all images."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas

from harness import UNASSIGNED
from harness.command import Ablation, AblationSettings, Effect, effect_bars
from harness_plugins.thesis.reproduction.deviations import differs
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import cases, printed
from harness_plugins.thesis.reproduction.study import LOUVAIN, MissingRequirementError, Study


def logits_of_image(study: Study, number: int, name: str) -> Output:
    """Logits of a shown image with each of Louvain's clusters zeroed, and with all but one."""
    image = study.image(number)
    called = study.called(image.key)
    given = cases(name, called) if study.pictures else []
    # The thesis zeroes several clusters at once.
    found = _ablation(study, [image.key], together=2 if given else 1)
    if not found.images:
        raise MissingRequirementError(f"{image.key}: {found.nothing[image.key]}")
    (one,) = found.images
    assert one.prediction is not None
    prediction = one.prediction
    rows: list[dict[str, Any]] = [
        {"by": "thesis", "removed": case, **printed(name, called, case)} for case in given
    ]
    rows.append(_row("nothing", 0, study.by_class(prediction.logits)))
    bars = []
    for effect in one.effects:
        logits = np.array(prediction.logits) + effect.logits
        removed = _name(effect)
        rows.append(_row(removed, effect.patches, study.by_class(logits)))
        bars.append((removed, effect))
    what = f"change of the logit of {study.classes[prediction.target]}"
    figure = effect_bars(bars, title=f"{called}: clusters removed", what=what)
    remarks = ["Clusters in order of salience, the attention they get from outside, most first."]
    if given:
        remarks.append(
            "The thesis says by eye which of its clusters show what; its numbers of clusters are "
            f"not ours. {differs(study)}"
        )
    columns = ["by", "removed", "patches", *study.classes]
    return Output({name: pandas.DataFrame(rows)[columns]}, {name: figure}, tuple(remarks), called)


def _row(removed: str, patches: int, logits: Mapping[str, float]) -> dict[str, Any]:
    return {"by": "here", "removed": removed, "patches": patches, **logits}


def over_all_images(study: Study) -> Output:
    """Removing the most salient cluster, the least, and each, over all images, beside chance."""
    found = ablation_of_all(study)
    table = pandas.json_normalize([asdict(each) for each in found.contrasts], sep="_")
    return Output(
        {"ablation": table},
        remarks=(
            f"{len(found.images)} images with clusters, {len(found.nothing)} without. How to read "
            "it: docs/ablation.md.",
        ),
    )


def ablation_of_all(study: Study) -> Ablation:
    """The effects of removing each of Louvain's clusters from every clustered image."""
    return _ablation(study, [], together=1)


def _ablation(study: Study, images: list[str], together: int) -> Ablation:
    settings = AblationSettings(together=together)
    return study.thesis_run.ablate(
        LOUVAIN, images, settings, study.plugins, progress=study.progress
    )


def _name(effect: Effect) -> str:
    """What is removed."""
    name = " and ".join(
        "unassigned patches" if number == UNASSIGNED else f"cluster {number}"
        for number in effect.clusters
    )
    return f"all but {name}" if effect.kind == "only" else name
