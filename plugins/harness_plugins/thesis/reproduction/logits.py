"""What zeroing clusters' outputs does to the logits: tables 4.4 to 4.6, and over all images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

from harness import UNASSIGNED, Floats
from harness.command import (
    Ablation,
    AblationSettings,
    Effect,
    ImageAblation,
    Interval,
    interval_panels,
)
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
        figures[f"{name}-logits"] = _dots(study, rows, found.images[0], called)
        rows += _rows(study, found.images[0])
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


def _rows(study: Study, found: ImageAblation) -> list[dict[str, Any]]:
    """The logits of all classes, intact and without each set of clusters."""
    intact = _intact(found)
    rows = [_row("nothing", 0, study.by_class(intact.round(DIGITS)))]
    for effect in found.effects:
        logits = (intact + effect.logits).round(DIGITS)
        rows.append(_row(_name(effect), effect.patches, study.by_class(logits)))
    return rows


def _dots(
    study: Study, given: Sequence[Mapping[str, Any]], found: ImageAblation, called: str
) -> "Figure":
    """The logits of the table as dots, a panel a class, and those without random patches.

    given: the thesis' rows of the table.
    """
    assert found.prediction is not None
    target, intact = found.prediction.target, _intact(found)
    panels: dict[str, list[Interval]] = {}
    for number, name in enumerate(study.classes):
        before = float(intact[number])
        panels[name] = [
            *(
                # Of two values that the thesis gives, the first.
                Interval(f"thesis: {row['removed']}", "thesis", float(row[name].split(" ")[0]))
                for row in given
            ),
            Interval("nothing", "here", before),
        ]
        for effect in found.effects:
            removed = _name(effect)
            panels[name].append(Interval(removed, "here", before + effect.logits[number]))
            if number == target:
                for series, chance in (
                    ("as many random patches: mean, 95 %", effect.random),
                    ("as many, contiguous: mean, 95 %", effect.contiguous),
                ):
                    ends = (before + each for each in (chance.first, chance.low, chance.high))
                    panels[name].append(Interval(removed, series, *ends))
    return interval_panels(
        panels,
        title=f"{called}: logits with clusters removed",
        axis="logit of the class; the line: with nothing removed",
        marked=dict(zip(study.classes, intact.tolist(), strict=True)),
        width=study.width,
    )


def _intact(found: ImageAblation) -> Floats:
    assert found.prediction is not None
    return np.array(found.prediction.logits)


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
