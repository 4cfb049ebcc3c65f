"""Components made by hand, with their parameters as keywords."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.plugin.registry import HOOKS
from support import PLUGINS

CONSTRUCTORS = {
    name: getattr(harness, name)
    for name in harness.HOMES["harness.components"].split()
    if name != "make"
}


def test_every_base_class_has_a_constructor_which_says_that_it_returns_it() -> None:
    returned = {inspect.signature(make).return_annotation for make in CONSTRUCTORS.values()}

    assert returned == {each for of_hook in HOOKS.values() for each in of_hook}


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.asarray(0.5)[()]])
def test_keywords_are_what_brackets_are(value: Any) -> None:
    assert harness.clusterer("louvain", resolution=value) == harness.clusterer(
        "louvain[resolution=0.5]"
    )


def test_brackets_and_keywords_can_be_mixed(tmp_path: Path) -> None:
    found = harness.map_set("planted[count=2]", n=36)

    assert (found.count, found.n) == (2, 36)  # type: ignore[attr-defined]


def test_a_keyword_takes_a_value_that_a_spec_would_have_to_quote(tmp_path: Path) -> None:
    folder = tmp_path / "a, b]"
    folder.mkdir()

    assert harness.image_set("folder", path=folder).path == folder  # type: ignore[attr-defined]


def test_plugins_may_be_given() -> None:
    assert harness.extractor("deep", plugins=[PLUGINS / "deep.py"]).name == "deep"


@pytest.mark.parametrize(
    ("constructor", "arguments", "keywords", "message"),
    [
        ("clusterer", (), {}, "clusterer: missing a required argument: 'spec'"),
        ("clusterer", (3,), {}, "spec: expected text, not 3"),
        ("clusterer", ("louvian",), {}, "did you mean 'louvain'?"),
        ("clusterer", ("threshold",), {}, "'threshold' is no clusterer but a graph builder"),
        ("clusterer", ("louvain,sdp",), {}, "describes 2 components; one is wanted"),
        ("clusterer", ("louvain",), {"resolutoin": 1}, "did you mean 'resolution'?"),
        ("clusterer", ("louvain",), {"resolution": "x"}, "resolution: expected a number, not 'x'"),
        ("clusterer", ("louvain",), {"resolution": [1, 2]}, "expected a number, not [1, 2]"),
        ("clusterer", ("louvain",), {"resolution": -1}, "resolution must be above 0, not -1.0"),
        ("clusterer", ("louvain[resolution=1]",), {"resolution": 1}, "resolution is given twice"),
        ("selector", ("fixed",), {}, "level is required"),
        ("extractor", ("planted",), {}, "'planted' is a MapSet, which harness.map_set makes"),
        ("image_control", ("permuted-rows",), {}, "a MapControl, which harness.map_control makes"),
    ],
)
def test_what_makes_no_component_is_a_wrong_value(
    constructor: str, arguments: tuple[Any, ...], keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        CONSTRUCTORS[constructor](*arguments, **keywords)

    assert message in str(refused.value)
    assert isinstance(refused.value, ValueError)
