from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import harness
from harness.objects.functions import function_component
from harness.plugin.spec import format_spec

WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(6), 6)


def by_name(weights: Any, *, seed: int, clusters: int = 2) -> Any:
    return (np.arange(len(weights)) + seed) % clusters


class Halving:
    def __call__(self, w: Any, s: int) -> Any:
        return by_name(w, seed=s)


@pytest.mark.parametrize(
    "function",
    [by_name, lambda w, s: by_name(w, seed=s), Halving(), partial(by_name, clusters=2)],
)
def test_a_function_gets_the_seed_by_name_or_second(function: Callable[..., Any]) -> None:
    clusterer: Any = function_component("clusterer", function)

    assert clusterer.cluster(WEIGHTS, seed=1).tolist() == [1, 0, 1, 0, 1, 0]


def test_a_function_gets_weights_of_its_own_to_change() -> None:
    def emptied(weights: Any, seed: int) -> Any:
        weights[:] = 0
        return np.zeros(len(weights), dtype=int)

    graph = harness.Graph.from_weights(WEIGHTS)
    clusterer: Any = function_component("clusterer", emptied)
    clusterer.cluster(graph, seed=0)

    assert graph.edges == 30


@pytest.mark.parametrize("kind", ["control", "perturbation"])
def test_a_function_draws_maps(kind: str) -> None:
    drawing: Any = function_component(kind, lambda weights, seed: weights * (seed + 1))
    attention = harness.AttentionMap(WEIGHTS, image="a", layer=1)

    drawn = drawing.draw(attention, seed=1)

    assert np.array_equal(drawn.weights, 2 * WEIGHTS)
    assert (drawn.image, drawn.layer) == ("a", 1)


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (by_name, "by_name"),
        (partial(by_name, clusters=3), "by_name[clusters=3]"),
        (partial(partial(by_name, clusters=3)), "by_name[clusters=3]"),
        (lambda w, s: w, "lambda"),
        (Halving(), "Halving"),
    ],
)
def test_a_function_is_called_by_its_name_and_what_it_binds(
    function: Callable[..., Any], spec: str
) -> None:
    assert format_spec(function_component("clusterer", function)) == spec


@pytest.mark.parametrize(
    ("kind", "function", "message"),
    [
        ("clusterer", lambda weights: weights, r"takes \(weights, seed\), not \(weights\)"),
        ("clusterer", lambda a, b, c: a, r"takes \(weights, seed\)"),
        ("clusterer", partial(by_name, WEIGHTS[:1, 0].tolist()), r"takes|by name"),
        ("selector", by_name, "a function can be a clusterer, a control, a perturbation, but no"),
    ],
)
def test_a_function_that_does_not_fit_is_refused(
    kind: str, function: Callable[..., Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        format_spec(function_component(kind, function))
