import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import significance
from harness.planning.plan import PlannedCell, PlannedMap
from harness.plugin.profile import Selection
from harness.plugin.values import FIRST_HEAD, OBSERVED, Variant
from harness.store import Store, open_for_writing
from harness.store.missing import missing_cells
from harness.store.records import CellRecord, ControlRecord, SelectionRecord, StabilityRecord
from harness.store.selections import (
    Group,
    accepted,
    groups,
    perturbed_cells,
    replace_selections,
    replace_stabilities,
)

CHOSEN = Selection(1, math.nan, True, (0, 3), "why")
REFUSED = Selection(2, 0.1, False, None, "nothing")


def compared(statistic: float, nulls: Sequence[float]) -> ControlRecord:
    return ControlRecord(
        significance(statistic, nulls), [-1] * len(nulls), SelectionBias(math.nan, math.nan)
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_for_writing(tmp_path) as opened:
        yield opened


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    return store.connection.execute(query).fetchall()


def test_new_selections_replace_the_old_ones(store: Store) -> None:
    replace_selections(store, [SelectionRecord("a", "old", CHOSEN)], ["old"])
    replace_selections(
        store,
        [SelectionRecord("a", "new", CHOSEN), SelectionRecord("b", "new", None, "failed")],
        ["old", "new"],
    )

    assert rows(store, "SELECT * FROM selections ORDER BY cell") == [
        ("a", "new", 1, None, 1, 0, 3, "ok", "why"),
        ("b", "new", None, None, 0, None, None, "failed", "failed"),
    ]


def test_replacing_selections_of_some_selectors_leaves_those_of_others(store: Store) -> None:
    tests = {"noise": compared(0.5, [0.1, 0.2])}
    replace_selections(
        store,
        [SelectionRecord("a", name, CHOSEN, tests=tests) for name in ("first", "second")],
        ["first", "second"],
    )
    replace_selections(store, [SelectionRecord("a", "second", REFUSED, tests=tests)], ["second"])

    assert rows(store, "SELECT selector, accepted FROM selections ORDER BY selector") == [
        ("first", 1),
        ("second", 0),
    ]
    assert len(rows(store, "SELECT * FROM tests")) == 2


def test_the_false_discovery_family_is_one_selector_under_one_control(store: Store) -> None:
    def record(cell: str, selector: str, above: int) -> SelectionRecord:
        tests = {"noise": compared(0.5, [0.0] * above + [1.0] * (9 - above))}
        return SelectionRecord(cell, selector, CHOSEN, tests=tests)

    replace_selections(
        store, [record("a", "one", 9), record("b", "one", 0), record("a", "two", 9)], ["one", "two"]
    )

    assert rows(store, "SELECT cell, selector, p, q FROM tests ORDER BY selector, cell") == [
        ("a", "one", 0.1, pytest.approx(0.2)),
        ("b", "one", 1.0, 1.0),
        ("a", "two", 0.1, pytest.approx(0.1)),
    ]


def test_an_undefined_test_is_null_in_the_file(store: Store) -> None:
    tests = {"noise": compared(math.nan, [math.nan])}
    replace_selections(store, [SelectionRecord("a", "one", CHOSEN, tests=tests)], ["one"])

    assert rows(store, "SELECT statistic, null_mean, null_std, z, p, bias FROM tests") == [
        (None, None, None, None, 1.0, None)
    ]


def test_accepted_selections_come_with_their_plateau(store: Store) -> None:
    alone = Selection(4, 1.0, True, None, "")
    replace_selections(
        store,
        [
            SelectionRecord("a", "one", CHOSEN),
            SelectionRecord("a", "two", alone),
            SelectionRecord("b", "one", REFUSED),
            SelectionRecord("c", "one", None, "failed"),
        ],
        ["one", "two"],
    )

    assert accepted(store) == [("a", "one", 1, 0, 3), ("a", "two", 4, 4, 4)]


def planned(
    key: str,
    image: str,
    variant: Variant = OBSERVED,
    *,
    repeat: int = 0,
    clusterer: str = "louvain",
    point: int | None = None,
) -> PlannedCell:
    observed = "" if variant == OBSERVED else image
    map_key = f"{image} {variant.name}" if variant.role == "control" else image
    of = PlannedMap(map_key, "set", image, image, "vit", FIRST_HEAD, variant, observed=observed)
    return PlannedCell(key, of, "threshold", clusterer, repeat, 0, point)


NOISE = Variant("control", "noise")
SHUFFLED = Variant("control", "shuffled")
SEEDS = Variant("perturbation", "seeds")
JITTER = Variant("perturbation", "jitter")


def test_a_group_holds_the_cells_of_one_method_with_one_repeat(store: Store) -> None:
    cells = [
        planned("a0", "a"),
        planned("a0 noise", "a", NOISE),
        planned("a0 shuffled", "a", SHUFFLED),
        planned("a1", "a", repeat=1),
        planned("b0", "b"),
        planned("b0 noise", "b", NOISE),
        planned("other", "a", clusterer="infomap"),
        planned("a0 seeds", "a", SEEDS, point=2),
    ]
    store.write_plan({"selectors": []}, {}, [], cells)
    store.write_cells(
        CellRecord(cell.key, "failed" if cell.key == "b0" else "ok") for cell in cells
    )

    assert list(groups(store)) == [
        Group(
            {"a0": "a"},
            {"noise": {"a0 noise": "a", "b0 noise": "b"}, "shuffled": {"a0 shuffled": "a"}},
        ),
        Group({"a1": "a"}, {"noise": {}, "shuffled": {}}),
        Group({"other": "a"}, {"noise": {}, "shuffled": {}}),
    ]


def test_a_cell_that_extractors_share_is_in_the_first_group(store: Store) -> None:
    shared, own = planned("a", "a"), planned("b", "b")
    control = planned("a noise", "a", NOISE)
    of_other = [
        replace(cell, map=replace(cell.map, extractor="other")) for cell in (shared, own, control)
    ]
    store.write_plan({"selectors": []}, {}, [], [shared, control, *of_other])
    store.write_cells(CellRecord(key, "ok") for key in ("a", "b", "a noise"))

    assert list(groups(store)) == [
        Group({"a": "a"}, {"noise": {"a noise": "a"}}),
        Group({"b": "b"}, {"noise": {"a noise": "a"}}),
    ]


def test_perturbed_cells_are_found_by_cell_and_level(store: Store) -> None:
    cells = [planned("a", "a"), planned("other", "a", clusterer="infomap")]
    store.write_plan({"selectors": []}, {}, [], cells)
    store.extend_plan(
        [
            planned("a2 seeds", "a", SEEDS, point=2),
            planned("a2 jitter", "a", JITTER, point=2),
            planned("a5 seeds", "a", SEEDS, point=5),
        ]
    )
    store.write_cells([CellRecord("a2 seeds", "ok"), CellRecord("a2 jitter", "killed", "why")])

    assert perturbed_cells(store) == {
        ("a", 2): {"seeds": "a2 seeds", "jitter": None},
        ("a", 5): {"seeds": None},
    }


def test_cells_added_to_the_plan_are_missing_like_all_others(store: Store) -> None:
    store.write_plan({"selectors": []}, {}, [], [planned("a", "a")])
    store.write_cells([CellRecord("a", "ok")])
    store.extend_plan([planned("a2 seeds", "a", SEEDS, point=2)])

    ((missing, _),) = missing_cells(store, -1, 10)

    found = [missing[name] for name in ("cell", "position", "point", "role", "control")]
    assert found == ["a2 seeds", 2, 2, "perturbation", "seeds"]


def test_new_stabilities_replace_the_old_ones(store: Store) -> None:
    old = StabilityRecord("a", "one", "levels", 2, math.nan, -1, 0, math.nan)
    new = StabilityRecord("b", "one", "seeds", 5, 0.75, 3, 12, 0.5)
    replace_stabilities(store, [old])
    assert rows(store, "SELECT * FROM stabilities") == [
        ("a", "one", "levels", 2, None, -1, 0, None)
    ]
    replace_stabilities(store, [new])
    assert rows(store, "SELECT * FROM stabilities") == [("b", "one", "seeds", 5, 0.75, 3, 12, 0.5)]
