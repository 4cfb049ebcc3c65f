"""The records of a run: cells, selections, stabilities and scores."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import Significance
from harness.plugin.profile import Point, Selection

# The kind of stability that no perturbation measures: across levels.
LEVELS = "levels"


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


def point_row(cell: str, index: int, point: Point) -> dict[str, Any]:
    """The row of a cell's point in the table of points."""
    finite = {
        name: value if math.isfinite(value) else None for name, value in point.diagnostics.items()
    }
    return {
        **vars(point),
        "cell": cell,
        "point": index,
        "diagnostics": json.dumps(finite, sort_keys=True),
        "warnings": json.dumps(point.warnings),
    }


@dataclass(frozen=True)
class ControlRecord:
    """A selection beside the draws of one control, each of them selected from likewise.

    null_candidates: the level chosen on each draw, −1 if none was accepted.
    """

    significance: Significance
    null_candidates: Sequence[int]
    bias: SelectionBias


@dataclass(frozen=True)
class SelectionRecord:
    """The result of a selector on a cell: a selection, or None with the reason why it failed.

    tests: how it compares with the draws of each control.
    """

    cell: str
    selector: str
    selection: Selection | None
    reason: str = ""
    tests: Mapping[str, ControlRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class StabilityRecord:
    """The stability of the clusters of an accepted selection.

    kind: LEVELS, or the spec of a perturbation; jaccard: the mean adjusted Jaccard similarity to
    the partitions compared with; weakest_*: label, nodes and mean best Jaccard index of the cluster
    that they recover least; −1, 0 and NaN if there is none.
    """

    cell: str
    selector: str
    kind: str
    n_compared: int
    jaccard: float
    weakest_cluster: int
    weakest_size: int
    weakest_jaccard: float


@dataclass(frozen=True)
class ScoreRecord:
    """A score of a run; figures of another version or code are computed again.

    score: its spec; lowest, highest: its range.
    """

    score: str
    higher_is_better: bool
    lowest: float
    highest: float
    version: int
    code: str


@dataclass(frozen=True)
class FigureRecord:
    """A score of the labels of one level of a cell: NaN if it is undefined.

    reason: why there is no figure, "" if the score did not fail.
    """

    cell: str
    point: int
    score: str
    figure: float
    reason: str = ""
