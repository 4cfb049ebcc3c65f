"""How far a run is: its cells, and what is left to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.store import Store

# Planned cells without a record, by whether they are perturbed.
MISSING = """
SELECT role = 'perturbation', count(*) FROM planned LEFT JOIN cells USING (cell)
WHERE status IS NULL GROUP BY 1
"""
# Seconds of the past that the speed of a run is measured over.
WINDOW = 60.0


@dataclass(frozen=True)
class RunProgress:
    """The planned cells of a run: those that are ok, that failed, that were skipped, and all.

    A cell is skipped because another one failed. step: what the run does now, "" if it has
    finished.
    """

    done: int = 0
    failed: int = 0
    skipped: int = 0
    total: int = 0
    finished: bool = False
    step: str = "The run reads its images and models."

    @property
    def ended(self) -> int:
        """How many cells have a record."""
        return self.done + self.failed + self.skipped


def run_progress(store: Store) -> RunProgress:
    """How far a run is; its perturbed cells are planned once the levels are selected."""
    if not store.is_planned():
        return RunProgress()
    statuses = store.statuses()
    total, done = sum(statuses.values()), statuses.pop("ok", 0)
    missing, skipped = statuses.pop("missing", 0), statuses.pop("skipped", 0)
    waiting = dict(store.connection.execute(MISSING))
    finished = not missing and store.sessions()[-1].get("finished", True)
    if waiting.get(0):
        step = "Maps are made and clustered."
    elif waiting.get(1):
        step = "Perturbed maps are clustered, for stability."
    else:
        step = "" if finished else "Levels are selected and tested, and their stability measured."
    return RunProgress(done, sum(statuses.values()), skipped, total, finished, step)


def seconds_left(seen: Sequence[tuple[float, RunProgress]]) -> float | None:
    """The seconds that the planned cells will still take, as fast as cells ended recently.

    seen: when the run was how far, the latest last. None if no cell ended meanwhile.
    """
    now, latest = seen[-1]
    # What was taken over from other runs was there at once.
    recent = [(time, each) for time, each in seen if now - time <= WINDOW and each.total]
    if len(recent) < 2:
        return None
    start, first = recent[0]
    ended, passed = latest.ended - first.ended, now - start
    return (latest.total - latest.ended) * passed / ended if ended > 0 and passed > 0 else None
