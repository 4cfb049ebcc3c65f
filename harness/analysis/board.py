"""The leaderboard of a run with its tests, and what has to be known to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.leaderboard import Comparison, Row
from harness.analysis.verdicts import Verdict


@dataclass(frozen=True)
class Board:
    """A run's rows, sorted by a column if any.

    caveats: by control, why a small p may not be evidence; inline: whether a session of it had no
    isolation; unfinished: what it lacks, "" if nothing.
    """

    run: str
    rows: Sequence[Row]
    comparisons: Sequence[Comparison]
    verdicts: Sequence[Verdict]
    settings: Mapping[str, Any]
    controls: Sequence[str]
    caveats: Mapping[str, str]
    by: str | None = None
    inline: bool = False
    unfinished: str = ""
