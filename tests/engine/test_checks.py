import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.engine import checks
from harness.errors import InvalidResultError
from harness.plugin.values import AttentionMap, HeadIndex, Image, Variant
from support import PLUGINS
from support.runs import Command, small_command


def test_a_map_is_located_by_its_image_layer_and_head() -> None:
    assert checks.location(("a", HeadIndex(3, 1)), "mine") == {"image": "a", "layer": 3, "head": 1}


@pytest.mark.parametrize(
    "returned", [None, "a", ("a",), ("a", 3), (1, HeadIndex(0, 0)), ("a", (0, 0))]
)
def test_an_invalid_location_is_refused(returned: Any) -> None:
    with pytest.raises(InvalidResultError, match=r"mine: locate\(\) returned .*, not a name and"):
        checks.location(returned, "mine")


def test_a_key_without_a_character_is_refused() -> None:
    with pytest.raises(InvalidResultError, match=r"^set: keys\(\) named a key without a character"):
        checks.keys(["a", ""], "set")


def test_nothing_in_place_of_several_results_or_levels_is_refused_by_name() -> None:
    with pytest.raises(InvalidResultError, match=r"^mine: extract\(\) returned None, not maps$"):
        checks.iterator(None, "mine: extract()", "maps")
    with pytest.raises(InvalidResultError, match=r"^levels\(\) returned None, not numbers$"):
        checks.levels(None, 1)


def test_labels_with_a_mask_are_refused() -> None:
    masked = np.ma.array(np.zeros(3, dtype=np.int64), mask=True)

    with pytest.raises(InvalidResultError, match="labels must be a numpy array, not MaskedArray"):
        checks.labels(masked, 3)


def test_a_map_that_lost_its_variant_is_told_from_one_that_came_twice() -> None:
    pending = checks.PendingMaps("mine", [HeadIndex(0, 0)])
    observed = Image("a", np.zeros((2, 2, 1), dtype=np.uint8))
    pending.take(observed, 0)
    pending.item_of(AttentionMap(np.eye(4), "a"))

    with pytest.raises(InvalidResultError, match="head 0 twice, or never named that head"):
        pending.item_of(AttentionMap(np.eye(4), "a"))
    pending.take(replace(observed, variant=Variant("control", "noise")), 1)
    with pytest.raises(InvalidResultError, match="'a' that does not carry its image's variant"):
        pending.item_of(AttentionMap(np.eye(4), "a"))


def unruly(*more: str) -> list[str]:
    """A run of plugins of which `more` makes one break its promises."""
    return small_command(
        None,
        *more,
        plugin=PLUGINS / "unruly.py",
        images="unruly-images",
        extractors="unruly-extractor",
        selectors="stable-phase",
        levels=4,
        isolation="process" if any("mode=exit" in each for each in more) else "none",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--images", "unruly-images[mode=empty]"], 1, "keys() returned no keys"),
        (["--images", "unruly-images[mode=twice]"], 1, "keys() named 'a' twice"),
        (["--images", "unruly-images[mode=numbers]"], 1, "keys() named 1, which is not a string"),
        (["--images", "unruly-images[mode=surrogate]"], 1, r"named 'a\udcff', which UTF-8"),
        (["--images", "unruly-images[mode=escape]"], 2, r"a\x1b[31m: no pixels"),
        (["--images", "unruly-images[mode=text]"], 1, "keys() returned a str, not a list"),
        (["--images", "unruly-images[mode=none]"], 2, "load() returned None, not a harness.Image"),
        (["--images", "unruly-images[mode=label]"], 2, "b: ValueError: a label must fit 64 bits"),
        pytest.param(
            ["--images", "unruly-images[mode=exit]"],
            2,
            "b: the process exited with code 3",
            marks=pytest.mark.slow,
        ),
        (
            ["--extractors", "unruly-extractor[mode=heads]"],
            1,
            "head_indices() must name each head once",
        ),
        (["--extractors", "unruly-extractor[mode=few]"], 2, "gave no map for layer 0, head 1"),
        (["--extractors", "unruly-extractor[mode=many]"], 0, "head 1 twice, or never named"),
        (["--extractors", "unruly-extractor[mode=other]"], 1, "an image it was not given"),
        (["--extractors", "unruly-extractor[mode=array]"], 1, "extract() returned a ndarray"),
        (["--extractors", "unruly-extractor[mode=variant]"], 2, "variant=image.variant"),
        pytest.param(
            ["--extractors", "unruly-extractor[mode=exit]"],
            2,
            "b: the process exited with code 3",
            marks=pytest.mark.slow,
        ),
        (["--controls", "unruly-control[mode=shape]"], 2, "drew (2, 2, 1) from an image of"),
        pytest.param(
            ["--controls", "unruly-control[mode=exit]"],
            2,
            "] of b: the process exited with code 3",
            marks=pytest.mark.slow,
        ),
        (["--controls", "unruly-control[mode=none]"], 2, "draw() returned None, not a harness.Im"),
        (["--graphs", "unruly-graphs[mode=few]"], 2, "build() gave no graph for level"),
        (["--graphs", "unruly-graphs[mode=many]"], 2, "build() gave more than 4 graphs"),
        (["--graphs", "unruly-graphs[mode=none]"], 2, "build() returned None, not graphs"),
        (["--graphs", "unruly-graphs[mode=smaller]"], 2, "gave a graph of 8 nodes at level 0"),
        (["--graphs", "unruly-graphs[mode=falling]"], 2, "must return 4 increasing numbers"),
        (["--graphs", "unruly-graphs[mode=nan]"], 2, "must return 4 increasing numbers"),
        (["--clusterers", "unruly-clusterer[mode=word]"], 2, "the diagnostic 'gap' is 'wide'"),
        (["--clusterers", "unruly-clusterer[mode=list]"], 2, "diagnostics are a list"),
        (["--clusterers", "unruly-clusterer[mode=surrogate]"], 2, "ValueError: bad name ?"),
        (["--selectors", "unruly-selector[mode=beyond]"], 2, "chose level 4 of 0 … 3"),
        (["--selectors", "unruly-selector[mode=plateau]"], 2, "does not contain the level 0"),
        (["--selectors", "unruly-selector[mode=none]"], 2, "select() returned None"),
        pytest.param(
            ["--selectors", "unruly-selector[mode=exit]"],
            2,
            "the process exited with code 3",
            marks=pytest.mark.slow,
        ),
        (["--selectors", "fixed[level=99]"], 2, "level 99 is not among the levels"),
    ],
)
def test_a_plugin_that_breaks_its_promises_is_named_and_costs_its_own(
    harness_command: Command, arguments: list[str], code: int, line: str
) -> None:
    finished = harness_command(*unruly(*arguments))

    assert "Traceback" not in finished.stderr
    assert line in finished.stderr
    assert finished.returncode == code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "ok"),
    [
        (["--images", "unruly-images[mode=exit]"], 4),
        (["--extractors", "unruly-extractor[mode=exit]"], 4),
        (["--controls", "unruly-control[mode=exit]"], 6),
    ],
)
def test_a_dead_image_leaves_its_neighbours_alone(
    harness_command: Command, arguments: list[str], ok: int
) -> None:
    finished = harness_command(*unruly(*arguments, "--json"))

    (row,) = json.loads(finished.stdout)["rows"]
    # Two heads of three images, one of which ends the process; a control costs its tests alone.
    assert (row["ok"], row["total"]) == (ok, 6)
