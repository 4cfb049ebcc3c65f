"""What zeroing clusters' outputs does to the logits: tables 4.4 to 4.6, and over all images."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

from harness import UNASSIGNED
from harness.command import Ablation, AblationSettings, Effect, ImageAblation, effect_bars
from harness_plugins.thesis.reproduction.deviations import differs
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import cases, printed
from harness_plugins.thesis.reproduction.study import LOUVAIN, MissingRequirementError, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Decimals of logits, as the thesis prints them.
DIGITS = 3


def logits_of_image(study: Study, number: int, name: str) -> Output:
    """Logits of a shown image with each of Louvain's clusters zeroed, and with all but one.

    Of the thesis' pictures also with two clusters zeroed at once, below the thesis' logits.
    """
    image = study.image(number)
    called = study.called(image.key)
    given = cases(name, called) if study.pictures else []
    found = _ablation(study, [image.key], together=2 if given else 1)
    rows: list[dict[str, Any]] = [
        {"by": "thesis", "removed": case, **printed(name, called, case)} for case in given
    ]
    remarks, figures = [], {}
    if given:
        remarks.append(
            "The thesis says by eye what its clusters show; its numbers of clusters are its own. "
            f"{differs(study)}"
        )
    if found.images:
        more, figures[f"{name}-effects"] = _effects(study, found.images[0], called)
        rows += more
        remarks.append(
            "Clusters in order of salience, the attention they get from outside, most first."
        )
    elif given:
        position = study.one_head_examples.keys.index(image.key)
        intact = study.one_head_evaluation.logits[position]
        rows.append(_row("nothing", 0, study.by_class(intact.round(DIGITS))))
        remarks.append(f"No cluster is zeroed here: {found.nothing[image.key]}.")
    else:
        raise MissingRequirementError(f"{image.key}: {found.nothing[image.key]}")
    table = pandas.DataFrame(rows, columns=["by", "removed", "patches", *study.classes])
    table["patches"] = table["patches"].astype("Int64")
    return Output({name: table}, figures, tuple(remarks), called)


def _effects(
    study: Study, found: ImageAblation, called: str
) -> "tuple[list[dict[str, Any]], Figure]":
    """Logits without each set of clusters, and the change of the class's logit as bars."""
    prediction = found.prediction
    assert prediction is not None
    rows, bars = [_row("nothing", 0, study.by_class(np.round(prediction.logits, DIGITS)))], []
    for effect in found.effects:
        logits = np.array(prediction.logits) + effect.logits
        removed = _name(effect)
        rows.append(_row(removed, effect.patches, study.by_class(logits.round(DIGITS))))
        bars.append((removed, effect))
    what = f"change of the logit of {study.classes[prediction.target]}"
    return rows, effect_bars(bars, title=f"{called}: clusters removed", what=what)


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
