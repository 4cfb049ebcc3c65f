"""What the tests of a run found: significance, nothing, or too few draws to tell."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.method import grouped
from harness.metrics.reach import Reach, draws_for, reach
from harness.metrics.significance import is_significant
from harness.metrics.ties import exceeds
from harness.store import Store

# The tests, with what the groups have in common that share their draws.
TESTS = """
SELECT tests.selector, tests.control, tests.p, tests.q, length(tests.null_statistics) / 8 AS draws,
       observed.extractor, observed.layer, observed.head, cells.nodes, observed.graph,
       observed.clusterer, observed.repeat, observed.image_set <> '' AS of_images
FROM tests
JOIN cells ON cells.cell = tests.cell
JOIN planned AS observed ON observed.position =
    (SELECT min(position) FROM planned WHERE cell = tests.cell AND role = 'observed')
ORDER BY observed.position
"""
GROUP_OF_MAPS = "extractor", "layer", "head", "nodes"
# How many different maps without an image each group has.
STORED_MAPS = """
SELECT extractor, layer, head, nodes, count(DISTINCT map) FROM planned JOIN maps USING (map)
WHERE role = 'observed' AND image_set = '' AND reason = ''
GROUP BY extractor, layer, head, nodes
"""


@dataclass(frozen=True)
class Verdict:
    """The tests of one selector under one control, which are one family of the discovery rate.

    significant: tests with q ≤ .05; at_smallest: tests whose p is the smallest that their draws
    allow; by_chance: how many these are on average where nothing is to be found. If none is
    significant, and by_chance and its standard deviation do not explain at_smallest, the family is
    undecided: nulls is the `--nulls` with which the tests at the smallest p would be significant if
    they stayed there.
    """

    selector: str
    control: str
    reach: Reach
    significant: int
    at_smallest: int
    by_chance: float
    nulls: int | None

    @property
    def nothing(self) -> bool:
        """Whether no more tests stand out than chance explains."""
        return not self.significant and self.nulls is None


def verdicts(store: Store) -> list[Verdict]:
    """The verdict on every family of tests of a run, by control and selector."""
    tests = [dict(row) for row in store.rows(TESTS)]
    families = grouped(
        (test for test in tests if test["draws"]), lambda test: (test["control"], test["selector"])
    )
    controls = store.controls()
    ordered = sorted(families.items(), key=lambda family: controls.index(family[0][0]))
    return [_verdict(store, *key, family) for key, family in ordered]


def _verdict(store: Store, control: str, selector: str, tests: Sequence[dict[str, Any]]) -> Verdict:
    significant = int(is_significant([test["q"] for test in tests]).sum())
    smallest = [test for test in tests if not exceeds(test["p"], 1 / (test["draws"] + 1))]
    by_chance = sum(1 / (test["draws"] + 1) for test in tests)
    # Counts of rare events have their mean as variance.
    undecided = not significant and len(smallest) > by_chance + math.sqrt(by_chance)
    return Verdict(
        selector,
        control,
        reach([test["draws"] for test in tests]),
        significant,
        len(smallest),
        by_chance,
        _nulls_for(store, tests, smallest) if undecided else None,
    )


def _nulls_for(
    store: Store, tests: Sequence[dict[str, Any]], smallest: Sequence[dict[str, Any]]
) -> int:
    """The `--nulls` that give every test at the smallest p enough draws."""
    needed = draws_for(len(tests), len(smallest))
    if store.settings()["pooling"] == "image":
        return needed
    readable = store.count("SELECT count(DISTINCT digest) FROM images WHERE reason = ''")
    # A Counter, as maps that failed since they were tested are in no group.
    stored = Counter({row[:-1]: row[-1] for row in store.connection.execute(STORED_MAPS)})

    def group(test: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(test[name] for name in (*GROUP_OF_MAPS, "graph", "clusterer", "repeat"))

    def nulls(members: Sequence[dict[str, Any]]) -> int:
        first, tested = members[0], len(members)
        planned = (
            readable if first["of_images"] else stored[tuple(first[name] for name in GROUP_OF_MAPS)]
        )
        # Every map has the same number of draws, and those do not count that cannot be drawn, or
        # are drawn from images whose maps have other sizes.
        return -(-needed // tested) * planned if tested < planned else needed

    groups = grouped(tests, group)
    return max(nulls(groups[group(test)]) for test in smallest)
