"""Which of the thesis' claims hold here, by rules that are fixed beforehand."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas

from harness import HarnessError
from harness.command import best_unions, bootstrap_interval, signed_rank_p
from harness_plugins.thesis.reproduction.accuracy import DATA, best, gains, of_data
from harness_plugins.thesis.reproduction.attention import heads_that_cluster
from harness_plugins.thesis.reproduction.claims import METHODS, SIGNIFICANT, Row, measured
from harness_plugins.thesis.reproduction.clusters import partitions_of_two_counts
from harness_plugins.thesis.reproduction.exhibit import Finding, Output, Verdict
from harness_plugins.thesis.reproduction.logits import ablation_of_all
from harness_plugins.thesis.reproduction.semantics import foreground_agreement
from harness_plugins.thesis.reproduction.study import (
    FEWEST_IMAGES,
    HIGHEST,
    LOUVAIN,
    SDP,
    MissingRequirementError,
    Study,
    method,
)

# Points of accuracy below which a difference is hardly any: the largest that the thesis calls so is
# .88, and the smallest gain that it counts 4.09.
HARDLY = 1.0
# The thesis' union of clusters has a Jaccard index of .966.
ALIKE = 0.9
# Modularities that the thesis calls meaningful and strong.
MEANINGFUL, STRONG = 0.3, 0.5


class Judgement(NamedTuple):
    """Whether a claim held, and in what numbers."""

    finding: Finding
    numbers: str


Judge = Callable[[Study, Sequence[Row]], Judgement]


def claims(study: Study) -> Output:
    """A verdict on each claim of the thesis, and the comparisons that it rests on."""
    rows = measured(study)
    verdicts = tuple(
        Verdict(number, claim, *_judged(judge, study, rows.get(number, [])))
        for number, (claim, judge) in enumerate(CLAIMS, 1)
    )
    comparisons = [{"number": number, **row} for number, of in rows.items() for row in of]
    return Output(
        {
            "claims": pandas.DataFrame(verdicts),
            "claims-comparisons": pandas.DataFrame(comparisons),
        },
        remarks=(
            "A comparison holds if its mean difference has the claimed sign and p is at most "
            f"{SIGNIFICANT:g}; with fewer than {FEWEST_IMAGES} images p cannot be that small, and "
            "the claim is not tested. A claim of several comparisons holds if all hold. Accuracies "
            f"differ hardly if they differ by less than {HARDLY:g} points. Not held means not "
            "shown on these images with these weights, not refuted.",
            "Comparisons are over the images clustered; a method without a stable phase has "
            "modularity 0 there. low and high: 95 % bootstrap interval of the mean difference; p: "
            "Wilcoxon's paired signed-rank test, or Mann and Whitney's where named; not corrected.",
        ),
        verdicts=verdicts,
    )


def _judged(judge: Judge, study: Study, rows: Sequence[Row]) -> Judgement:
    try:
        return judge(study, rows)
    # What keeps one claim from being tested does not concern the others.
    except (MissingRequirementError, HarnessError) as reason:
        return Judgement("not tested", str(reason))


def _finding(holds: bool) -> Finding:
    return "held" if holds else "not held"


def _compared(rows: Iterable[Row], sign: int = 1) -> Judgement:
    """Held if all differences have the sign and are significant."""
    rows = list(rows)
    numbers = "; ".join(map(_numbers, rows))
    if not rows or any(not np.isfinite(row.get("p", np.nan)) for row in rows):
        return Judgement("not tested", f"needs {FEWEST_IMAGES} images: {numbers}")
    holds = (sign * row["difference"] > 0 and row["p"] <= SIGNIFICANT for row in rows)
    return Judgement(_finding(all(holds)), numbers)


def _numbers(row: Row) -> str:
    if not row["images"]:
        return f"{row['group']} and {row['reference']}: no image has both"
    p = row.get("p", np.nan)
    tested = f"p {p:.2g}, " if np.isfinite(p) else ""
    mean, other = (_mean(row[name]) for name in ("mean", "reference mean"))
    return f"{row['group']} {mean}, {row['reference']} {other} ({tested}{row['images']} images)"


def _mean(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "–"


def _attention_raises(study: Study, rows: Sequence[Row]) -> Judgement:
    gained = gains(study.accuracies)
    if not gained:
        raise MissingRequirementError(
            "needs models without attention and with 12 heads (--models) for one of "
            f"{', '.join(DATA)}"
        )
    raised = {data: gain >= HARDLY for data, gain in gained.items()}
    holds = all(
        raised[data] if data in ("CIFAR10", "TFFlower") else abs(gain) < HARDLY
        for data, gain in gained.items()
    )
    numbers = ", ".join(f"{data} {gain:+.3f} points" for data, gain in gained.items())
    untested = [data for data in DATA if data not in gained]
    more = f"; without models: {', '.join(untested)}" if untested else ""
    # One data set can speak against the claim, but only all of them for it.
    return Judgement("not tested" if holds and untested else _finding(holds), numbers + more)


def _heads_hardly_matter(study: Study, rows: Sequence[Row]) -> Judgement:
    texts, spreads = [], []
    for data, part in DATA.items():
        found = of_data(study.accuracies, part)
        by_heads = {
            heads: best(found, heads) for heads in sorted(found["heads"].unique()) if heads > 0
        }
        values = {heads: value for heads, value in by_heads.items() if value is not None}
        if len(values) > 1:
            spreads.append(max(values.values()) - min(values.values()))
            listed = ", ".join(f"{value:.2f} % with {heads}" for heads, value in values.items())
            texts.append(f"{data} {listed}")
    if not spreads:
        raise MissingRequirementError("needs models of several numbers of heads (--models)")
    return Judgement(_finding(max(spreads) < HARDLY), "; ".join(texts))


def _compared_as_claimed(study: Study, rows: Sequence[Row]) -> Judgement:
    return _compared(rows)


def _by_recognition(study: Study, rows: Sequence[Row]) -> Judgement:
    of_louvain = [row for row in rows if row["group"].startswith(method(LOUVAIN))]
    if not of_louvain:
        raise MissingRequirementError("needs images of the model's classes")
    if not all(row["can be significant"] for row in of_louvain):
        numbers = "; ".join(map(_numbers, of_louvain))
        return Judgement("not tested", f"too few images of one kind to be significant: {numbers}")
    return _compared(of_louvain)


def _sdp_fails(study: Study, rows: Sequence[Row]) -> Judgement:
    return _compared((row for row in rows if row["group"].startswith(method(SDP))), sign=-1)


def _follow_content(study: Study, rows: Sequence[Row]) -> Judgement:
    table = foreground_agreement(study).tables["semantics"]
    of_louvain = table[table["method"] == method(LOUVAIN)]
    if "AMI" not in table or of_louvain["AMI"].isna().any():
        return Judgement("not tested", "no image has clusters to compare with a foreground")
    numbers = "; ".join(
        f"AMI with the foreground {row['AMI']:.3f}, {row['baseline']} {row['baseline AMI']:.3f}"
        for row in of_louvain.to_dict("records")
    )
    blocks = of_louvain[of_louvain["baseline"] == "spatial blocks"]
    lows = blocks["difference low"].dropna()
    if lows.empty:
        return Judgement("not tested", f"too few images: {numbers}")
    return Judgement(_finding(bool((lows > 0).all())), f"{numbers}; the blocks decide")


def _noise_has_none(study: Study, rows: Sequence[Row]) -> Judgement:
    found = _compared(row for row in rows if row["group"] == method(LOUVAIN))
    reaching, profiles = _noise_reaching(study, MEANINGFUL)
    numbers = f"{found.numbers}; {reaching} of {profiles} profiles of noise reach {MEANINGFUL:g}"
    if found.finding == "not tested":
        return Judgement("not tested", numbers)
    return Judgement(_finding(found.finding == "held" and not reaching), numbers)


def _limits(study: Study, rows: Sequence[Row]) -> Judgement:
    meaningful, profiles = _noise_reaching(study, MEANINGFUL)
    strong, _ = _noise_reaching(study, STRONG)
    return Judgement(
        _finding(not meaningful),
        f"of {profiles} profiles of noise, {meaningful} of Louvain's reach {MEANINGFUL:g} and "
        f"{strong} reach {STRONG:g}; thresholds above {HIGHEST}/n are not covered",
    )


def _noise_reaching(study: Study, limit: float) -> tuple[int, int]:
    """How many of Louvain's profiles of noise reach a modularity, and how many there are."""
    points = study.thesis_points
    noise = points[(points["role"] == "control") & (points["clusterer"] == LOUVAIN)]
    largest = noise.groupby(["image", "draw"])["modularity"].max()
    return int((largest >= limit).sum()), len(largest)


def _zeroing(study: Study, rows: Sequence[Row]) -> Judgement:
    found = ablation_of_all(study)
    of = {each.removed: each for each in found.contrasts if each.figure == "logit"}
    if not of:
        raise MissingRequirementError("needs images in which Louvain finds two clusters")
    texts, holds, tested = [], [], True
    for removed, sign in (("least salient", 1), ("most salient", -1)):
        one = of[removed].clusters  # type: ignore[index]
        p = np.nan if one.p is None else one.p
        tested = tested and bool(np.isfinite(p))
        holds.append(sign * one.mean > 0 and p <= SIGNIFICANT)
        texts.append(
            f"without the {removed} cluster the logit changes by {one.mean:+.3f} (p {p:.2g})"
        )
    turned = sum(
        effect.changed and effect.predicted == image.prediction.target
        for image in found.images
        if image.prediction is not None
        for effect in image.effects
    )
    numbers = f"{'; '.join(texts)}; {turned} zeroings turn a wrong prediction right"
    if not tested:
        return Judgement("not tested", f"needs {FEWEST_IMAGES} images clustered: {numbers}")
    return Judgement(_finding(all(holds) and turned > 0), numbers)


def _further_clusters(study: Study, rows: Sequence[Row]) -> Judgement:
    from scipy.stats import spearmanr

    alike, correlations = [], []
    points = study.thesis_points
    of_louvain = points[(points["role"] == "observed") & (points["clusterer"] == LOUVAIN)]
    for key in study.clustered_keys:
        if found := partitions_of_two_counts(study, key):
            alike.append(min(union.jaccard for union in best_unions(*found)))
        one = of_louvain[of_louvain["image"] == key]
        if one["n_clusters"].nunique() > 1:
            correlations.append(float(spearmanr(one["level"], one["n_clusters"]).statistic))
    if len(alike) < FEWEST_IMAGES or len(correlations) < FEWEST_IMAGES:
        raise MissingRequirementError(f"needs {FEWEST_IMAGES} images with two numbers of clusters")
    low, _ = bootstrap_interval(np.array(correlations))
    p = signed_rank_p(np.array(correlations))
    holds = low > 0 and p <= SIGNIFICANT and float(np.mean(alike)) >= ALIKE
    return Judgement(
        _finding(holds),
        f"smallest Jaccard index of a cluster with a union {np.mean(alike):.3f}, mean of "
        f"{len(alike)} images (held from {ALIKE:g}); rank correlation of threshold and clusters "
        f"{np.mean(correlations):.2f} (p {p:.2g})",
    )


def _beyond_embedding(study: Study, rows: Sequence[Row]) -> Judgement:
    communities = tuple(method(name) for name in METHODS if name != SDP)
    return _compared(row for row in rows if row["group"].startswith(communities))


def _heads_differ(study: Study, rows: Sequence[Row]) -> Judgement:
    table = heads_that_cluster(study).tables["heads"]
    if len(table) < 2:
        raise MissingRequirementError("needs a model with several heads (--many-heads)")
    clusters = table["median_p"] <= SIGNIFICANT
    return Judgement(
        _finding(bool(clusters.any() and not clusters.all())),
        f"of {len(table)} heads, {clusters.sum()} cluster more than noise (median p over "
        f"{int(table['images'].max())} images at most {SIGNIFICANT:g}); the others' median p is up "
        f"to {table['median_p'].max():.2g}; what heads attend to is not measured",
    )


CLAIMS: Sequence[tuple[str, Judge]] = (
    (
        "Attention raises accuracy on CIFAR10 and TFFlower, and hardly changes it on "
        "Fashion-MNIST and CINIC10.",
        _attention_raises,
    ),
    ("The number of heads hardly changes total accuracy.", _heads_hardly_matter),
    (
        "Louvain reaches a higher modularity than Infomap, both a higher one than SDP.",
        _compared_as_claimed,
    ),
    ("Louvain needs a higher threshold than Infomap.", _compared_as_claimed),
    ("Images classified correctly have a higher modularity than misclassified ones.",
     _by_recognition),
    ("SDP fails once pruning disconnects the graph.", _sdp_fails),
    ("Clusters follow the content of the image.", _follow_content),
    ("Random pixels have no meaningful clusters.", _noise_has_none),
    (
        "Zeroing the background raises the logit of the class, zeroing the object lowers it; "
        "zeroing can turn a wrong prediction right.",
        _zeroing,
    ),
    (
        "A further cluster need not improve a clustering; a higher threshold gives more clusters.",
        _further_clusters,
    ),
    ("A modularity above .3 is meaningful, above .5 strong.", _limits),
    (
        "Community detection clusters attention better than k-means or DBSCAN on the SDP's "
        "embedding.",
        _beyond_embedding,
    ),
    ("Heads differ: some attend to something, others to nothing that can be named.",
     _heads_differ),
)  # fmt: skip
