"""The thesis' claims, each with the figures that speak for or against it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.profiles import with_noise
from harness_plugins.thesis.reproduction.study import (
    LOUVAIN,
    MissingRequirementError,
    Study,
    method,
)

if TYPE_CHECKING:
    import pandas

SDP = "sdp[clusterer=hdbscan-sklearn]"
# The thresholds at the heavy end: the last quarter.
HEAVY = 0.75


def claims(study: Study) -> Made:
    """One row a claim and comparison: means, their difference with its interval, paired test."""
    import pandas

    chosen = with_noise(study)
    rows = [
        *_in_order(chosen),
        *_beyond_embedding(study),
        *_over_noise(chosen),
        _pruning(chosen),
        *_heavy_pruning(study),
        *_noise_reaches(study),
        *_misclassified(study, chosen),
    ]  # fmt: skip
    return Made(
        {"claims": pandas.DataFrame(rows)},
        remarks=(
            "Over the images clustered; a method without a stable phase has modularity 0 there. "
            "low and high: 95 % bootstrap interval of the mean difference; p: Wilcoxon's paired "
            "signed-rank test, or Mann and Whitney's where it says so; not corrected.",
        ),
    )


def _in_order(chosen: "pandas.DataFrame") -> list[dict[str, Any]]:
    wide = chosen.pivot(index="image", columns="clusterer", values="reached")
    claim = "Louvain over Infomap over SDP in modularity"
    return [
        _paired(claim, method(one), wide[one], method(other), wide[other])
        for one, other in ((LOUVAIN, "infomap"), ("infomap", SDP))
    ]


def _beyond_embedding(study: Study) -> list[dict[str, Any]]:
    points = study.embedding_points
    wide = points.pivot_table(
        index="image", columns="clusterer", values="modularity", aggfunc="mean"
    )
    claim = "community detection beats k-means and DBSCAN on the SDP's embedding"
    return [
        _paired(
            claim, f"{method(one)}, mean over thresholds", wide[one],
            method(other), wide[other],
        )
        for other in ("sdp[clusterer=kmeans]", "sdp[clusterer=dbscan]")
        for one in (LOUVAIN, "infomap", SDP)
    ]  # fmt: skip


def _over_noise(chosen: "pandas.DataFrame") -> list[dict[str, Any]]:
    return [
        _paired(
            "images over noise", str(name), of["reached"], "noise, same threshold", of["beside"]
        )
        for name, of in chosen.groupby("method", sort=False)
    ]


def _pruning(chosen: "pandas.DataFrame") -> dict[str, Any]:
    both = chosen[chosen["accepted"]].pivot(index="image", columns="clusterer", values="level")
    both = both.reindex(columns=[LOUVAIN, "infomap"]).dropna()
    return _paired(
        "Louvain needs more pruning than Infomap",
        "threshold of louvain-networkx", both[LOUVAIN], "threshold of infomap", both["infomap"],
    )  # fmt: skip


def _heavy_pruning(study: Study) -> list[dict[str, Any]]:
    points = study.thesis_points
    observed = points[points["role"] == "observed"]
    rows = []
    for clusterer in (LOUVAIN, "infomap", SDP):
        of = observed[observed["clusterer"] == clusterer]
        heavy = of["level"] >= HEAVY * of["level"].max()
        wide = of.assign(heavy=heavy).pivot_table(
            index="image", columns="heavy", values="modularity", aggfunc="mean"
        )
        rows.append(
            _paired(
                "SDP fails at heavy pruning", f"{method(clusterer)}, last quarter of thresholds",
                wide[True], "thresholds before", wide[False],
            )
        )  # fmt: skip
    return rows


def _noise_reaches(study: Study) -> list[dict[str, Any]]:
    points = study.thesis_points
    noise = points[points["role"] == "control"]
    largest = noise.groupby(["clusterer", "image", "draw"], sort=False)["modularity"].max()
    return [
        {
            "claim": f"modularity of {limit} is {word}",
            "of": f"share of noise profiles that reach it, {method(str(clusterer))}",
            "mean": float((of >= limit).mean()),
            "images": len(of),
        }
        for limit, word in ((0.3, "meaningful"), (0.5, "strong"))
        for clusterer, of in largest.groupby(level="clusterer", sort=False)
    ]


def _misclassified(study: Study, chosen: "pandas.DataFrame") -> list[dict[str, Any]]:
    from scipy.stats import mannwhitneyu

    try:
        keys = study.one_head_examples.keys
    except MissingRequirementError:
        return []
    right = dict(zip(keys, study.one_head_evaluation.is_right, strict=True))
    rows = []
    for name, of in chosen.groupby("method", sort=False):
        is_right = of["image"].map(right).to_numpy(dtype=bool)
        reached = of["reached"].to_numpy()
        row: dict[str, Any] = {
            "claim": "low modularity goes with misclassification (Mann and Whitney)",
            "of": f"{name}, recognised images",
            "mean": _mean(reached[is_right]),
            "beside": f"misclassified ({(~is_right).sum()})",
            "its mean": _mean(reached[~is_right]),
            "images": len(reached),
        }
        if is_right.any() and not is_right.all():
            row["difference"] = row["mean"] - row["its mean"]
            row["p"] = float(mannwhitneyu(reached[is_right], reached[~is_right]).pvalue)
        rows.append(row)
    return rows


def _mean(figures: Any) -> float:
    return float(np.mean(figures)) if len(figures) else float("nan")


def _paired(claim: str, name: str, one: Any, beside: str, other: Any) -> dict[str, Any]:
    from harness.command import bootstrap_interval, signed_rank_p

    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    difference = first - second
    row = {
        "claim": claim,
        "of": name,
        "mean": _mean(first),
        "beside": beside,
        "its mean": _mean(second),
        "difference": _mean(difference),
        "images": len(difference),
    }
    if len(difference) > 1:
        row["low"], row["high"] = bootstrap_interval(difference)
        row["p"] = signed_rank_p(difference)
    return row
