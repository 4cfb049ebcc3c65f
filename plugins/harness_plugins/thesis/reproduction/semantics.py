"""Whether clusters follow what the image shows: the thesis' main claim."""

from dataclasses import asdict
from typing import Any

from harness.command import BrightnessThreshold, MethodAgreement
from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, method


def agreement(study: Study) -> Made:
    """Agreement of every method's clusters with the foreground, beside two baselines."""
    import pandas

    if study.image_set.load(study.image_set.keys()[0]).pixels.shape[2] != 1:
        raise MissingRequirementError(
            "needs to know the foreground, which is told by brightness for grey images on black "
            "only; with masks: `harness meaning RUN --masks DIR`"
        )
    found = study.thesis_run.meaning(BrightnessThreshold(0), study.plugins)
    rows = [row for each in found.methods for row in _rows(each)]
    return Made(
        {"semantics": pandas.DataFrame(rows)},
        remarks=(
            "Adjusted mutual information of clusters with the foreground (pixels above 0), means "
            "over the images with a stable phase; beside it as many spatial blocks, and k-means on "
            "the raw patches. See docs/meaning.md.",
        ),
    )


def _rows(each: MethodAgreement) -> list[dict[str, Any]]:
    named = {
        "method": method(each.method.clusterer),
        "images": each.images,
        "clusters": each.n_clusters,
    }
    if each.ami is None:
        return [named]
    return [
        {
            **named,
            "AMI": each.ami.mean,
            "beside": baseline.name.replace("_", " "),
            "its AMI": baseline.ami.mean,
            **{f"difference {name}": value for name, value in asdict(baseline.difference).items()},
        }
        for baseline in each.baselines
    ]
