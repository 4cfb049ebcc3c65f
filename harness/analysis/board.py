"""The leaderboard of a run with its tests, and what has to be known to read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.leaderboard import Comparison, Row, comparisons_of, ranked
from harness.analysis.outcomes import Outcome
from harness.analysis.verdicts import Verdict, verdicts
from harness.planning.progress import SILENT, Progress
from harness.store import Store
from harness.store.missing import unfinished
from harness.store.sessions import caveats, ran_inline


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


def board(
    store: Store, found: Iterable[Outcome], by: str | None = None, progress: Progress = SILENT
) -> Board:
    """The board of a run, given all its outcomes, by the leaderboard's rule or by a column."""
    comparisons, controls = comparisons_of(store, found, progress), store.controls()
    return Board(
        str(store.folder),
        ranked(comparisons, by),
        comparisons,
        verdicts(store),
        store.settings(),
        controls,
        caveats(store, controls),
        by,
        any(map(ran_inline, store.sessions())),
        unfinished(store),
    )
