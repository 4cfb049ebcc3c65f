"""The records of a run: maps, cells, selections and stabilities."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from harness.metrics.significance import Significance
from harness.plugin.patches import Region
from harness.plugin.profile import Point, Selection
from harness.plugin.values import HeadIndex, Variant

# The kind of stability that no perturbation measures: across levels.
LEVELS = "levels"
# The fields of a MapRecord that are tuples: lists in messages, JSON in the file.
LISTS = ("grid", "truth", "region")


@dataclass(frozen=True)
class MapRecord:
    """An extracted map, whose weights are in maps/<digest>.npy, or the reason why there is none.

    key: the map's key in the plan, "" outside of a plan; grid: rows and columns of patches; region:
    where the grid lies on the image, None for all of it; truth: each node's true community, if
    known; detail: a traceback, or the last output of a process that died.
    """

    key: str
    digest: str = ""
    nodes: int = 0
    grid: tuple[int, int] | None = None
    truth: tuple[int, ...] | None = None
    region: Region | None = None
    reason: str = ""
    detail: str = ""

    def to_message(self) -> dict[str, Any]:
        """What another process needs to load the map, as JSON-able values."""
        names = ("digest", "nodes", "grid", "region")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_message(cls, key: str, message: Mapping[str, Any]) -> Self:
        """The map of a message that has the values of `to_message`, and truth if known."""
        return cls(key, message["digest"], message["nodes"], **_tuples(message))

    def to_row(self) -> dict[str, Any]:
        """The row of the table `maps`; grid, truth and region are JSON."""
        lists = {name: getattr(self, name) for name in LISTS}
        return {
            **vars(self),
            **{name: None if value is None else json.dumps(value) for name, value in lists.items()},
            "map": self.key,
        }

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """The map of a row of the table `maps`."""
        tuples = _tuples({name: json.loads(row[name] or "null") for name in LISTS})
        reason, detail = row["reason"], row["detail"]
        return cls(row["map"], row["digest"], row["nodes"], **tuples, reason=reason, detail=detail)


def _tuples(lists: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: lists.get(name) for name in LISTS}
    return {name: None if value is None else tuple(value) for name, value in found.items()}


@dataclass(frozen=True)
class MissingCell:
    """A planned cell without a record, and the record of its map if there is one.

    point: the index of the level of a perturbed cell, None for a cell of all levels.
    """

    position: int
    key: str
    image: str
    head_index: HeadIndex
    variant: Variant
    graph: str
    clusterer: str
    seed: int
    point: int | None
    map: MapRecord | None


@dataclass(frozen=True, eq=False)
class CellRecord:
    """The result of a cell.

    status: ok, failed (an exception), timed out, killed (the process died), invalid (bad output of
    the clusterer) or skipped (no map). points: those computed, also before a failure; peak_memory:
    in bytes.
    """

    key: str
    status: str
    reason: str = ""
    detail: str = ""
    seconds: float = 0.0
    peak_memory: int | None = None
    points: Sequence[Point] = ()


@dataclass(frozen=True)
class Timing:
    """The mean seconds a level of a clusterer's cells on a graph builder's graphs."""

    graph: str
    clusterer: str
    seconds: float


@dataclass(frozen=True)
class SelectionRecord:
    """The result of a selector on a cell: a selection, or None with the reason why it failed.

    tests: the significance of its statistic under each control.
    """

    cell: str
    selector: str
    selection: Selection | None
    reason: str = ""
    tests: Mapping[str, Significance] = field(default_factory=dict)


@dataclass(frozen=True)
class StabilityRecord:
    """The stability of the clusters of an accepted selection.

    kind: LEVELS, or the spec of a perturbation; n_compared: the number of partitions compared with;
    jaccard: the mean adjusted Jaccard similarity to them. weakest_cluster is the label of the
    cluster that they recover least, with its nodes and mean best Jaccard index; −1, 0 and NaN if
    there is none.
    """

    cell: str
    selector: str
    kind: str
    n_compared: int
    jaccard: float
    weakest_cluster: int
    weakest_size: int
    weakest_jaccard: float
