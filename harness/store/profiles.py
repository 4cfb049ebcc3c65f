"""Profiles for selectors, which compare figures of many of them and rarely look at a label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np

from harness.plugin.profile import Point, Profile
from harness.plugin.values import Floats, read_only
from harness.store.schema import FIGURES
from harness.store.tables import Store

QUERY = f"SELECT {', '.join(FIGURES)} FROM points WHERE cell = ? ORDER BY point"


@dataclass(frozen=True, eq=False)
class StoredProfile(Profile):
    """A profile whose figures are read at once, and its points when one is asked for.

    figures: a column (levels,) by name. Points can be had while the store is open.
    """

    figures: Mapping[str, Floats]

    def column(self, name: str) -> Floats:
        """As of any profile; no point is read for a figure."""
        return self.figures[name] if name in self.figures else super().column(name)


def stored_profile(store: Store, cell: str) -> StoredProfile:
    """The profile of a cell; empty if it has no points."""
    rows = store.connection.execute(QUERY, (cell,)).fetchall()
    # NULL becomes NaN.
    columns = np.array(rows, dtype=np.float64).reshape(-1, len(FIGURES)).T.copy()
    figures = dict(zip(FIGURES, read_only(columns), strict=True))
    return StoredProfile(_StoredPoints(store, cell, len(rows)), figures)


@dataclass(eq=False)
class _StoredPoints(Sequence[Point]):
    store: Store
    cell: str
    count: int

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        return self._read[index]

    @cached_property
    def _read(self) -> Sequence[Point]:
        return self.store.profile(self.cell).points
