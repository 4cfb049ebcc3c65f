"""What changes the digest of an object, and what does not."""

import itertools
import threading
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from harness.objects.components import component_of
from harness.planning.content import code_digest, described

PRELUDE = """
from dataclasses import dataclass
import numpy as np
import harness
"""
FUNCTION = """
def method(weights, seed):
    # a comment
    return np.arange(len(weights)) % 2
"""
COMPONENT = """
@dataclass(frozen=True)
class Mine(harness.Clusterer):
    name = "mine"
    clusters: int = 2
    def cluster(self, graph, *, seed):
        return np.arange(graph.n) % self.clusters
"""


def digest(source: str, name: str = "method") -> str:
    """The digest of what a session that runs a source defines by a name."""
    session: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(PRELUDE + source, f"<cell {next(CELLS)}>", "exec"), session)
    return code_digest(component_of("clusterer", session[name]))


CELLS = itertools.count()


@pytest.mark.parametrize(
    ("source", "changed", "name"),
    [
        (FUNCTION, "\n\n" + FUNCTION.replace("# a comment", "# another"), "method"),
        (FUNCTION, FUNCTION + "unused = 3\n", "method"),
        (COMPONENT, "\n\n" + COMPONENT.replace("return", "return  # as it is\\\n"), "Mine"),
    ],
)
def test_layout_comments_and_other_cells_change_nothing(
    source: str, changed: str, name: str
) -> None:
    changed = changed.replace("# as it is\\\n", "")

    assert digest(changed, name) == digest(source, name)


@pytest.mark.parametrize(
    ("source", "old", "new", "name"),
    [
        (FUNCTION, "% 2", "% 3", "method"),
        (FUNCTION, "seed):", "seed, more=1):", "method"),
        ("K = 2" + FUNCTION.replace("% 2", "% K"), "K = 2", "K = 3", "method"),
        ("K = [2]" + FUNCTION.replace("% 2", "% K[0]"), "[2]", "[3]", "method"),
        ("K = np.eye(2)" + FUNCTION.replace("% 2", "% int(K.sum())"), "eye(2)", "eye(3)", "method"),
        (
            "def parts():\n    return 2\n" + FUNCTION.replace("% 2", "% parts()"),
            "return 2",
            "return 3",
            "method",
        ),
        (
            "class Parts:\n    count = 2\n" + FUNCTION.replace("% 2", "% Parts.count"),
            "count = 2",
            "count = 3",
            "method",
        ),
        (
            "class Parts:\n    def __init__(self, count):\n        self.count = count\n"
            "parts = Parts(2)\n" + FUNCTION.replace("% 2", "% parts.count"),
            "Parts(2)",
            "Parts(3)",
            "method",
        ),
        (
            "def made(k):\n    return lambda weights, seed: np.arange(len(weights)) % k\n"
            "method = made(2)\n",
            "made(2)",
            "made(3)",
            "method",
        ),
        ("method = lambda w, s: len(w) * [0]\n", "[0]", "[1]", "method"),
        (FUNCTION, "def method", "@np.vectorize\ndef method", "method"),
        (
            "from functools import partial\n"
            "def of(weights, seed, k):\n    return k\nmethod = partial(of, k=2)\n",
            "k=2",
            "k=3",
            "method",
        ),
        (COMPONENT, "% self.clusters", "% (1 + self.clusters)", "Mine"),
        ("K = 1\n" + COMPONENT.replace("% self", "% K % self"), "K = 1", "K = 2", "Mine"),
        (COMPONENT, "def cluster", "limit = 3\n    def cluster", "Mine"),
    ],
)
def test_what_a_result_depends_on_changes_the_digest(
    source: str, old: str, new: str, name: str
) -> None:
    assert old in source
    assert digest(source, name) == digest(source, name)
    assert digest(source.replace(old, new), name) != digest(source, name)


def test_functions_that_call_each_other_have_a_digest() -> None:
    source = "def other(w, s):\n    return method(w, s)\n" + FUNCTION.replace(
        "return", "other or 0\n    return"
    )

    assert digest(source) == digest(source)


def of_value(value: Any) -> tuple[str, list[str]]:
    def method(weights: Any, seed: int) -> Any:
        return value

    return described(component_of("clusterer", method))


class Slotted:
    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (lambda k: torch.full((2,), float(k), requires_grad=True), 1, 2),
        (lambda k: np.random.default_rng(k), 1, 2),
        (lambda k: {"a": {k}, "b": (k, [k])}, 1, 2),
        (lambda k: Slotted(k), 1, 2),
        (lambda k: SimpleNamespace(k=k), 1, 2),
        (lambda k: partial(max, k), 1, 2),
        (lambda k: float(f"0.{k}"), 1, 2),
        (lambda k: np.array([None, k]), 1, 2),
    ],
)
def test_values_count_by_their_content(make: Any, one: Any, other: Any) -> None:
    assert of_value(make(one)) == of_value(make(one))
    assert of_value(make(one))[0] != of_value(make(other))[0]
    assert of_value(make(one))[1] == []


def test_the_weights_of_a_model_count() -> None:
    model = torch.nn.Linear(2, 2)
    before = of_value(model)
    assert of_value(model) == before

    with torch.no_grad():
        model.weight += 1

    assert of_value(model)[0] != before[0]


def test_a_value_that_holds_itself_has_a_digest() -> None:
    circle: list[Any] = [1]
    circle.append(circle)

    assert of_value(circle)[1] == []


@pytest.mark.parametrize("make", [threading.Lock, lambda: iter([1])])
def test_what_has_no_content_that_could_be_told_is_named(make: Any) -> None:
    value = make()

    digest, unknown = of_value(value)

    assert unknown == [type(value).__name__]
    assert of_value(value)[0] == digest
    assert of_value(make())[0] != digest


def test_wrapped_functions_count_by_what_they_wrap() -> None:
    def with_constant(k: int) -> Any:
        return lru_cache(lambda: k)

    assert of_value(with_constant(1))[0] == of_value(with_constant(1))[0]
    assert of_value(with_constant(1))[0] != of_value(with_constant(2))[0]


def test_functions_of_installed_packages_count_by_their_name_and_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import networkx

    before = of_value(networkx.pagerank)[0]
    assert of_value(networkx.pagerank)[0] == before

    monkeypatch.setattr(networkx, "__version__", "0")

    assert of_value(networkx.pagerank)[0] != before
