from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.comparison import METRICS, PairedMethod, PairedMetric, PairedRuns
from harness.analysis.limits import read_limit, regressions
from harness.analysis.method import MethodKey
from harness.errors import HarnessError

NOWHERE = PairedMetric("", 0, 0, 0, 0, None, None, None, None, None, None, None, 0, None)


def method(name: str = "louvain", **means: tuple[float, float]) -> PairedMethod:
    """A method with four pairs that has these metrics in both runs, and no others."""
    metrics = []
    for metric in METRICS:
        if metric in means:
            first, second = means[metric]
            found = replace(NOWHERE, pairs=4, first=first, second=second, difference=second - first)
        else:
            found = NOWHERE
        metrics.append(replace(found, metric=metric))
    return PairedMethod(
        MethodKey(name, "stable-phase", "threshold", "vit", "photos"),
        *(4, 4, 0, 0, 0, 4, 0, 0),
        tuple(metrics),
    )


def runs(*methods: PairedMethod) -> PairedRuns:
    return PairedRuns("before", "after", methods, 0, 0, (), (), (), METRICS)


def judged(found: PairedRuns, *limits: str) -> list[str]:
    return regressions(found, [read_limit(limit) for limit in limits])


@pytest.mark.parametrize(
    ("first", "second", "limit", "is_worse"),
    [
        (0.5, 0.47, "modularity:-5%", True),
        (0.5, 0.48, "modularity:-5%", False),
        (0.5, 0.475, "modularity:-5%", False),
        (0.5, 0.9, "modularity:-5%", False),
        (0.5, 0.47, "modularity:-0.02", True),
        (0.5, 0.49, "modularity:-.02", False),
        (0.5, 0.5, "modularity:-0%", False),
        (0.0, -0.01, "excess:-5%", True),
        (-0.2, -0.25, "excess:-5%", True),
        (-0.2, -0.19, "excess:-5%", False),
        (1.0, 1.3, "seconds:+20%", True),
        (1.0, 1.1, "seconds:+20%", False),
        (1.0, 0.1, "seconds:+20%", False),
        (3.0, 4.0, "n_clusters:+0.5", True),
        (3.0, 2.0, "n_clusters:−0.5", True),
        (3.0, 2.0, "n_clusters:+0.5", False),
    ],
)
def test_a_mean_beyond_the_limit_is_a_regression(
    first: float, second: float, limit: str, is_worse: bool
) -> None:
    metric = limit.partition(":")[0]

    assert bool(judged(runs(method(**{metric: (first, second)})), limit)) == is_worse


def test_the_line_names_method_means_and_limit() -> None:
    (line,) = judged(runs(method(modularity=(0.5, 0.45))), "modularity:-5%")

    assert line == (
        "louvain stable-phase threshold vit photos: modularity 0.5 → 0.45 (-0.05, -10.0%), "
        "beyond modularity:-5%"
    )


@given(st.floats(-1, 1), st.floats(0, 1))
def test_what_did_not_change_is_no_regression(mean: float, size: float) -> None:
    found = runs(method(modularity=(mean, mean)))

    assert judged(found, f"modularity:-{size:.3f}", f"modularity:-{size:.3f}%") == []


def test_every_method_is_judged() -> None:
    found = runs(
        method("louvain", jaccard=(0.9, 0.9)),
        method("infomap", jaccard=(0.9, 0.5)),
        method("sdp", jaccard=(0.9, 0.8)),
    )

    lines = judged(found, "jaccard:-0.2", "jaccard:-5%")

    assert [line.split()[0] for line in lines] == ["infomap", "infomap", "sdp"]


def test_what_failed_in_the_second_run_only_is_a_regression() -> None:
    found = runs(replace(method(modularity=(0.5, 0.6)), ok=3, newly_failed=1))

    assert judged(found, "modularity:-5%") == [
        "louvain stable-phase threshold vit photos: 1 of 4 are ok in the first run only"
    ]


def test_a_missing_method_is_a_regression() -> None:
    missing = replace(method("infomap"), paired=0, ok=0, changed=0, only_first=4)

    (line,) = judged(runs(method(modularity=(0.5, 0.5)), missing), "modularity:-5%")

    assert line.endswith("none of 4 is in the second run")


def test_a_method_that_is_new_is_no_regression() -> None:
    new = replace(method("infomap"), paired=0, ok=0, changed=0, only_second=4)

    assert judged(runs(method(modularity=(0.5, 0.5)), new), "modularity:-5%") == []


def test_a_metric_that_is_missing_on_some_maps_is_a_regression() -> None:
    found = method(jaccard=(0.9, 0.9))
    metrics = tuple(
        replace(each, pairs=3, lost=1) if each.metric == "jaccard" else each
        for each in found.metrics
    )

    (line,) = judged(runs(replace(found, metrics=metrics)), "jaccard:-5%")

    assert line.endswith("1 have jaccard in the first run only")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (runs(), "--fail-on: before and after have nothing in common to be judged"),
        (
            runs(replace(method(), paired=0, ok=0, only_first=4)),
            "--fail-on: before and after have nothing in common to be judged",
        ),
        (
            runs(method(modularity=(0.5, 0.5))),
            "--fail-on ari:-1%: no pair has ari in both runs: nothing can be judged",
        ),
    ],
)
def test_nothing_to_judge_is_an_error(found: PairedRuns, line: str) -> None:
    with pytest.raises(HarnessError) as raised:
        judged(found, "ari:-1%")

    assert str(raised.value) == line


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        ("modulaity:-5%", "there is no metric 'modulaity'; did you mean 'modularity'?"),
        ("", "there is no metric ''; there are modularity, "),
        ("modularity", "expected modularity:, a sign, and a number or a percentage, as in mod"),
        ("modularity:5%", "expected modularity:, a sign, "),
        ("modularity:-5%%", "expected modularity:, a sign, "),
        ("modularity:-nan", "expected modularity:, a sign, "),
        ("modularity:+5%", "modularity is better when larger; a limit is as in modularity:-5%"),
        ("seconds:-5%", "seconds is better when smaller; a limit is as in seconds:+20%"),
    ],
)
def test_a_malformed_limit_is_reported_in_one_line(limit: str, line: str) -> None:
    with pytest.raises(HarnessError) as raised:
        read_limit(limit)

    assert str(raised.value).startswith(f"--fail-on {limit}: {line}")
