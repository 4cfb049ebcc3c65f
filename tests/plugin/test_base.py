"""What the docstrings of base classes and hooks show is a plugin."""

import doctest
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import harness
from harness.plugin import hooks, registry
from harness.plugin.component import Component
from harness.plugin.spec import format_spec

BASES = {base: hook for hook, bases in registry.HOOKS.items() for base in bases}
IMPORTS = "from dataclasses import dataclass, replace\nimport numpy as np\nimport harness\n"


def example(documented: object) -> str:
    """The first example of a docstring."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(documented) or "")[0].source


@pytest.mark.parametrize(
    ("base", "hook"), [*BASES.items(), (harness.LabelledImageSet, "harness_image_sets")]
)
def test_the_examples_of_a_base_class_and_its_hook_make_a_plugin(
    base: type[Component], hook: str, tmp_path: Path
) -> None:
    component = example(base)
    (name,) = re.findall(r"^class (\w+)\(harness", component, re.MULTILINE)
    implementation = re.sub(r"\[My\w+\]", f"[{name}]", example(getattr(hooks, hook)))
    path = tmp_path / "plugin.py"
    path.write_text(IMPORTS + component + implementation)

    loaded = registry.load([path])

    assert not loaded.broken
    assert name in {
        component_class.__name__
        for found in loaded.components[base.kind].values()
        for component_class, source in found
        if source.origin == str(path)
    }


class Recording(harness.Clusterer):
    """Counts the edges of the graph that it receives."""

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.full(graph.n, graph.edges)


def test_a_method_takes_a_bare_array_as_the_value_of_its_weights() -> None:
    assert Recording().cluster(np.ones((3, 3)), seed=0).tolist() == [6, 6, 6]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Parametrised(harness.Clusterer):
    name: ClassVar[str] = "parametrised"
    share: float = 0.5
    count: int | None = None
    sides: tuple[int, ...] = ()
    path: Path = Path()

    def __post_init__(self) -> None:
        assert type(self.share) is float

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.arange(graph.n)


def test_parameters_are_converted_to_their_types_before_they_are_checked() -> None:
    given: dict[str, Any] = {"share": np.int64(1), "count": np.int8(2), "sides": [np.int64(3)]}

    made = Parametrised(**given, path="a")  # type: ignore[arg-type]

    assert made == Parametrised(1.0, 2, (3,), Path("a"))
    assert format_spec(made) == "parametrised[share=1.0,count=2,sides=[3],path=a]"


@pytest.mark.parametrize("wrong", [{"share": "1"}, {"count": 2.5}, {"count": True}, {"sides": "a"}])
def test_a_parameter_of_a_wrong_type_is_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(harness.HarnessError, match=f"parametrised: {name}: expected"):
        Parametrised(**wrong)


@pytest.mark.parametrize("call", ["cluster", "cluster_sweep"])
def test_a_seed_that_is_left_out_is_zero_and_help_shows_it(call: str) -> None:
    @dataclass(frozen=True)
    class Seeded(harness.Clusterer):
        name: ClassVar[str] = "seeded"

        def cluster(self, graph, *, seed):  # type: ignore[no-untyped-def]
            return np.full(graph.n, seed)

    method = getattr(Seeded(), call)
    weights: Any = np.ones((3, 3)) if call == "cluster" else [np.ones((3, 3))]

    assert [each.tolist() for each in np.atleast_2d(np.array(list(method(weights))))] == [[0] * 3]
    assert inspect.signature(method).parameters["seed"].default == 0


def test_what_draws_takes_its_seed_by_name_only() -> None:
    with pytest.raises(harness.HarnessError, match="draw: the seed is given by name, as in seed=1"):
        harness.make("perturbation", "seeds").draw(np.eye(3), 1)


def test_a_bare_array_is_checked_like_a_value() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\] is -1.0"):
        Recording().cluster(np.array([[0.0, -1.0], [0.0, 0.0]]), seed=0)  # type: ignore[arg-type]
