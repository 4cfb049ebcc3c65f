"""Whether clusters agree with the foreground of the image: the thesis' main claim."""

from dataclasses import asdict
from typing import Any

import pandas

from harness.command import BrightnessThreshold, MethodAgreement
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, method


def foreground_agreement(study: Study) -> Output:
    """Agreement of every method's clusters with the foreground, beside two baselines."""
    if study.image_set.load(study.image_set.keys()[0]).pixels.shape[2] != 1:
        raise MissingRequirementError(
            "needs to know the foreground, which brightness defines for grey images on black only; "
            "with masks: `harness foreground RUN --masks DIR`"
        )
    found = study.thesis_run.foreground(
        BrightnessThreshold(0), study.plugins, progress=study.progress
    )
    rows = [row for each in found.methods for row in _rows(each)]
    return Output(
        {"semantics": pandas.DataFrame(rows)},
        remarks=(
            "Adjusted mutual information of clusters with the foreground (pixels above 0), means "
            "over the images with a stable phase, compared with as many spatial blocks and with "
            "pixel k-means. See docs/foreground.md.",
        ),
    )


def _rows(each: MethodAgreement) -> list[dict[str, Any]]:
    named = {
        "method": method(each.method.clusterer),
        "images": each.images,
        "clusters": each.n_clusters,
    }
    ami = each.figure("ami")
    if ami is None:
        return [named]
    return [
        {
            **named,
            "AMI": ami.mean.mean,
            "baseline": baseline.name.replace("_", " "),
            "baseline AMI": baseline.mean.mean,
            **{f"difference {name}": value for name, value in asdict(baseline.difference).items()},
        }
        # By chance, AMI is 0.
        for baseline in ami.baselines
        if baseline.name != "chance"
    ]
