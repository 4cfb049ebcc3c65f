"""What becomes of pieces of work, as the store keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.values import Point, Selection, Slot, Variant


@dataclass(frozen=True)
class StoredMap:
    """An extracted map: where its weights are (maps/<digest>.npy), or why it is not there.

    detail is a traceback or a dead process' last words.
    """

    key: str
    digest: str = ""
    nodes: int = 0
    grid: tuple[int, int] | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class MissingCell:
    """A planned cell without a record; map is its map's record, None while there is none."""

    position: int
    key: str
    image: str
    slot: Slot
    variant: Variant
    graph: str
    clusterer: str
    seed: int
    map: StoredMap | None


@dataclass(frozen=True, eq=False)
class CellRecord:
    """What became of a cell.

    status is ok, failed (an exception), timed out, killed (the process died), invalid (what
    the clusterer returned) or skipped (there was no map). Points of a partial profile are
    kept. peak_memory is in bytes.
    """

    key: str
    status: str
    reason: str = ""
    detail: str = ""
    seconds: float = 0.0
    peak_memory: int | None = None
    points: Sequence[Point] = ()


@dataclass(frozen=True)
class SelectionRecord:
    """What became of a selection: status ok with the selection, or failed with the reason."""

    cell: str
    selector: str
    selection: Selection | None
    reason: str = ""
