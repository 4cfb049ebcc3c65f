"""What becomes of pieces of work, as the store keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.metrics.significance import Significance
from harness.plugin.patches import Region
from harness.plugin.profile import Point, Selection
from harness.plugin.values import HeadIndex, Variant


@dataclass(frozen=True)
class MapRecord:
    """An extracted map: where its weights are (maps/<digest>.npy), or why it is not there.

    truth holds each node's true community, if they are known; region is where on the image the grid
    lies, None for all of it; detail is a traceback or a dead process' last words.
    """

    key: str
    digest: str = ""
    nodes: int = 0
    grid: tuple[int, int] | None = None
    truth: tuple[int, ...] | None = None
    region: Region | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class MissingCell:
    """A planned cell without a record; map is its map's record, None while there is none.

    point is the index of the level of a perturbed cell, None for a cell of all levels.
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
    """What became of a selection: status ok with the selection, or failed with the reason.

    tests: by control, where its statistic stands among those of the control's draws.
    """

    cell: str
    selector: str
    selection: Selection | None
    reason: str = ""
    tests: Mapping[str, Significance] = field(default_factory=dict)


# The kind of stability that no perturbation tells: across levels.
LEVELS = "levels"


@dataclass(frozen=True)
class StabilityRecord:
    """How alike the clusters of an accepted selection are to what they are compared with.

    kind: LEVELS, or the spelling of a perturbation; compared: with how many partitions;
    jaccard: their mean Jaccard likeness, adjusted for chance; NaN is undefined. The weakest is
    the cluster that is found again least, with its nodes and mean best Jaccard index; −1, 0 and
    NaN where there is none.
    """

    cell: str
    selector: str
    kind: str
    compared: int
    jaccard: float
    weakest: int
    weakest_size: int
    weakest_jaccard: float
