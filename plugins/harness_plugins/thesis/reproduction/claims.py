"""The numbers that speak for or against the thesis' claims."""

from math import comb
from typing import Any

import numpy as np
import pandas

from harness.command import bootstrap_interval, signed_rank_p
from harness_plugins.thesis.reproduction.profiles import with_noise
from harness_plugins.thesis.reproduction.study import (
    ALGORITHMS,
    LOUVAIN,
    SDP,
    MissingRequirementError,
    Study,
    method,
)

METHODS = tuple(ALGORITHMS.values())
# Heavy pruning is the last quarter of the thresholds.
HEAVY = 0.75
# The largest p at which a difference counts.
SIGNIFICANT = 0.05

Row = dict[str, Any]


def measured(study: Study) -> dict[int, list[Row]]:
    """Comparisons by the number of the claim: means, their difference, its interval and test.

    Over the images clustered; a method without a stable phase has modularity 0 there. The interval
    is the 95 % bootstrap interval of the mean difference; p is of the paired signed-rank test, or
    of Mann and Whitney's where named; not corrected.
    """
    chosen = with_noise(study)
    return {
        3: _in_order(chosen),
        4: [_pruning(chosen)],
        5: _misclassified(study, chosen),
        6: _heavy_pruning(study),
        8: _over_noise(chosen),
        11: _noise_reaches(study),
        12: _beyond_embedding(study),
    }


def _in_order(chosen: pandas.DataFrame) -> list[Row]:
    wide = chosen.pivot(index="image", columns="clusterer", values="accepted_modularity")
    claim = "Louvain over Infomap over SDP in modularity"
    return [
        _paired(claim, method(one), wide[one], method(other), wide[other])
        for one, other in ((LOUVAIN, "infomap"), ("infomap", SDP))
    ]


def _beyond_embedding(study: Study) -> list[Row]:
    wide = study.embedding_points.pivot_table(
        index="image", columns="clusterer", values="modularity", aggfunc="mean"
    )
    claim = "community detection beats k-means and DBSCAN on the SDP's embedding"
    return [
        _paired(
            claim, f"{method(one)}, mean over thresholds", wide[one], method(other), wide[other]
        )
        for other in ("sdp[clusterer=kmeans]", "sdp[clusterer=dbscan]")
        for one in METHODS
    ]


def _over_noise(chosen: pandas.DataFrame) -> list[Row]:
    values, noise = "accepted_modularity", "accepted_noise"
    return [
        _paired("images over noise", str(name), rows[values], "noise, same threshold", rows[noise])
        for name, rows in chosen.groupby("method", sort=False)
    ]


def _pruning(chosen: pandas.DataFrame) -> Row:
    both = chosen[chosen["accepted"]].pivot(index="image", columns="clusterer", values="level")
    both = both.reindex(columns=[LOUVAIN, "infomap"]).dropna()
    return _paired(
        "Louvain needs more pruning than Infomap",
        "threshold of louvain-networkx", both[LOUVAIN], "threshold of infomap", both["infomap"],
    )  # fmt: skip


def _heavy_pruning(study: Study) -> list[Row]:
    points = study.thesis_points
    observed = points[points["role"] == "observed"]
    rows = []
    for clusterer in METHODS:
        of_method = observed[observed["clusterer"] == clusterer]
        heavy = of_method["level"] >= HEAVY * of_method["level"].max()
        wide = of_method.assign(heavy=heavy).pivot_table(
            index="image", columns="heavy", values="modularity", aggfunc="mean"
        )
        name = f"{method(clusterer)}, last quarter of thresholds"
        rows.append(
            _paired("SDP fails at heavy pruning", name, wide[True], "lower thresholds", wide[False])
        )
    return rows


def _noise_reaches(study: Study) -> list[Row]:
    points = study.thesis_points
    noise = points[points["role"] == "control"]
    largest = noise.groupby(["clusterer", "image", "draw"], sort=False)["modularity"].max()
    return [
        {
            "claim": f"modularity of {limit} is {word}",
            "group": f"fraction of noise profiles that reach it, {method(str(clusterer))}",
            "mean": float((values >= limit).mean()),
            "images": len(values),
        }
        for limit, word in ((0.3, "meaningful"), (0.5, "strong"))
        for clusterer, values in largest.groupby(level="clusterer", sort=False)
    ]


def _misclassified(study: Study, chosen: pandas.DataFrame) -> list[Row]:
    from scipy.stats import mannwhitneyu

    try:
        keys = study.one_head_examples.keys
    except MissingRequirementError:
        return []
    correct = dict(zip(keys, study.one_head_evaluation.is_right, strict=True))
    rows = []
    for name, of_method in chosen.groupby("method", sort=False):
        is_right = of_method["image"].map(correct).to_numpy(dtype=bool)
        modularity = of_method["accepted_modularity"].to_numpy()
        right, wrong = modularity[is_right], modularity[~is_right]
        row: Row = {
            "claim": "low modularity goes with misclassification (Mann and Whitney)",
            "group": f"{name}, recognised images",
            "mean": _mean(right),
            "reference": f"misclassified ({len(wrong)})",
            "reference mean": _mean(wrong),
            "images": len(modularity),
        }
        if len(right) and len(wrong):
            row["difference"] = row["mean"] - row["reference mean"]
            row["p"] = float(mannwhitneyu(right, wrong).pvalue)
        row["can be significant"] = 2 / comb(len(modularity), len(wrong)) <= SIGNIFICANT
        rows.append(row)
    return rows


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _paired(claim: str, group: str, values: Any, reference: str, others: Any) -> Row:
    first, second = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    # Without edges there is no modularity.
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    difference = first - second
    row = {
        "claim": claim,
        "group": group,
        "mean": _mean(first),
        "reference": reference,
        "reference mean": _mean(second),
        "difference": _mean(difference),
        "images": len(difference),
    }
    if len(difference) > 1:
        row["low"], row["high"] = bootstrap_interval(difference)
        row["p"] = signed_rank_p(difference)
    return row
