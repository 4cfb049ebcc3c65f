"""What is known about the inputs of a run before it is planned, and the record of a map."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from harness.plugin.patches import Region
from harness.plugin.values import HeadIndex

# The fields of a MapRecord that are tuples: lists in messages, JSON in the file.
LISTS = ("grid", "truth", "region")


@dataclass(frozen=True)
class MapRecord:
    """A map, whose weights are in maps/<digest>.npy, or the reason why there is none.

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
        written = {key: None if each is None else json.dumps(each) for key, each in lists.items()}
        return {**vars(self), **written, "map": self.key}

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
class SurveyedImage:
    """An image of a set: its digest and size, or the reason why it cannot be loaded.

    class_name: that of the label, or the label itself if the set has no name for it.
    """

    image_set: str
    key: str
    digest: str = ""
    height: int = 0
    width: int = 0
    channels: int = 0
    label: int | None = None
    class_name: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SurveyedExtractor:
    """The heads whose maps an extractor returns for each image, and the digest of its weights.

    reason: why it cannot be used; then it has no weights, and its first head stands for all.
    """

    spec: str
    head_indices: tuple[HeadIndex, ...]
    fingerprint: str
    reason: str = ""


@dataclass(frozen=True)
class SurveyedMap:
    """A map of a map set, named by the key of its record."""

    map_set: str
    image: str
    head_index: HeadIndex
    record: MapRecord


@dataclass(frozen=True)
class Survey:
    """All that a plan needs to know about the inputs."""

    images: tuple[SurveyedImage, ...]
    extractors: tuple[SurveyedExtractor, ...]
    maps: tuple[SurveyedMap, ...]
