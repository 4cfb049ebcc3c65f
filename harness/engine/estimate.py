"""How long a run takes, estimated before it starts and while cells are computed."""

import statistics
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.metrics.reach import Reach, reach
from harness.planning.plan import Plan, PlannedCell, PlannedMap
from harness.planning.progress import duration
from harness.plugin.values import OBSERVED
from harness.store import Store
from harness.store.missing import CellKind, timings
from harness.store.selections import Accepted, accepted

# Cells of a kind whose median time counts, and ended cells from which the pace is taken.
RECENT = 200
# Ended cells from which a pace can be told.
FEWEST = 4


@dataclass(frozen=True)
class CostEstimate:
    """How many cells a run has, how many are computed already, and how long the rest takes.

    perturbed: the most cells that selected levels may add. Seconds are estimated from stored cells
    of the same methods: seconds of new cells, perturbed_seconds of perturbed ones; untimed: new
    cells of methods without any, left out of `seconds`; tests: by control, what the tests of a
    selector can reach; taken_over: how many of the cached ones other runs have, by their folders.
    """

    cells: int
    controls: int
    cached: int
    perturbed: int
    seconds: float
    perturbed_seconds: float
    untimed: int
    tests: Mapping[str, Reach]
    taken_over: Mapping[str, int] = field(default_factory=dict)

    @property
    def new(self) -> int:
        """Cells to compute before levels are selected."""
        return self.cells - self.cached

    def __str__(self) -> str:
        observed = self.cells - self.controls
        text = f"{self.cells} cells ({observed} of maps, {self.controls} of controls)"
        text += f", {self.cached} cached, {self.new} new"
        if self.perturbed:
            text += f", then up to {self.perturbed} for stability"
        if self.seconds:
            text += f"; about {duration(self.seconds)}"
        if self.perturbed_seconds:
            text += f"; for stability up to {duration(self.perturbed_seconds)}"
        if self.untimed:
            text += f"; no like cell was timed here for {self.untimed}"
        return text

    def reaches(self) -> Iterator[str]:
        """Generate a line for the controls under which tests can reach the same."""
        for found in dict.fromkeys(self.tests.values()):
            controls = [name for name, each in self.tests.items() if each == found]
            yield f"{', '.join(controls)}: {found}"


def levels_of(selections: Iterable[Accepted]) -> Mapping[str, Sequence[int]]:
    """The indices of all selected levels by cell, each once."""
    selected: defaultdict[str, set[int]] = defaultdict(set)
    for cell, _, level, *_ in selections:
        selected[cell].add(level)
    return {cell: sorted(points) for cell, points in selected.items()}


def cost_of(
    plan: Plan,
    store: Store | None,
    is_new: Callable[[PlannedCell], bool],
    workers: int,
    *,
    taken_over: Mapping[str, int] | None = None,
    times: "KindTimes | None" = None,
) -> CostEstimate:
    """Count a plan's cells, and those of them that have to be computed.

    taken_over: cells that are not new because other runs have them; times: of those.
    """
    cells, controls, new = 0, 0, Counter[CellKind]()
    # One after the other: there may be many.
    for cell in plan.distinct_cells():
        cells += 1
        controls += cell.map.variant.role == "control"
        new[_kind(cell)] += is_new(cell)
    if new.total() or taken_over:
        # Every selector may select a level of its own on every map.
        perturbed = Counter(
            {
                CellKind("", "perturbation", *method): count * len(plan.settings.selectors)
                for method, count in plan.perturbable()
            }
        )
    else:
        levels = levels_of(accepted(store) if store else ())
        selected = {cell.key: cell for cell in plan.perturbed_cells(levels) if is_new(cell)}
        perturbed = Counter(map(_kind, selected.values()))
    times = times or KindTimes()
    for kind, seconds in timings(store) if store else ():
        times.add(kind, seconds)

    def work(counts: Counter[CellKind], points: int) -> float:
        found = ((times.of(kind) or 0.0) * count for kind, count in counts.items())
        return sum(found) * points / workers

    return CostEstimate(
        cells,
        controls,
        cells - new.total(),
        perturbed.total(),
        work(new, plan.settings.levels),
        work(perturbed, plan.settings.stability_draws),
        sum(count for kind, count in new.items() if times.of(kind) is None),
        planned_tests(plan),
        taken_over or {},
    )


def planned_tests(plan: Plan) -> dict[str, Reach]:
    """What the tests of a selector can reach, by control, if no cell fails.

    Maps from images count as of one size, which is not known before they are extracted.
    """
    settings = plan.settings
    observed, drawn = dict[str, PlannedMap](), []
    for each in plan.maps:
        if each.variant != OBSERVED:
            drawn.append(each)
        elif not each.reason:
            # Maps that several extractors share are tested in the first one's group.
            observed.setdefault(each.key, each)

    def pool(planned: PlannedMap) -> Hashable:
        if settings.pooling == "image":
            return planned.observed or planned.key
        return planned.extractor, planned.head_index, planned.nodes

    pooled = dict.fromkeys((each.variant.name, pool(each), each.key) for each in drawn)
    draws = Counter((control, group) for control, group, _ in pooled)
    methods = len(plan.graphs) * len(plan.clusterers) * settings.repeats
    found = {}
    for control in dict.fromkeys(control for control, _ in draws):
        tested = [draws[control, pool(each)] for each in observed.values()]
        found[control] = reach([count for count in tested if count] * methods)
    return found


def _kind(cell: PlannedCell) -> CellKind:
    return CellKind(cell.map.extractor, cell.map.variant.role, cell.graph, cell.clusterer)


class KindTimes:
    """The seconds that recent cells took, by kind.

    Medians, because the first cell of a method in each worker imports the method's library.
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[CellKind, deque[float]] = defaultdict(
            lambda: deque(maxlen=RECENT)
        )

    def add(self, kind: CellKind, seconds: float) -> None:
        """Add a cell."""
        self._seconds[kind].append(seconds)

    def of(self, kind: CellKind) -> float | None:
        """The median of cells of the kind, else of the method's; None if there is none."""
        found = list(self._seconds[kind] if kind in self._seconds else self._of_method(kind))
        return statistics.median_low(found) if found else None

    def _of_method(self, kind: CellKind) -> Iterator[float]:
        for other, seconds in self._seconds.items():
            if other.method == kind.method:
                yield from seconds


class RemainingTime:
    """Estimates how long the cells of a phase still take, from those that have ended.

    Threads may share it. missing: the number of cells without a record, by kind.
    """

    def __init__(self, missing: Mapping[CellKind, int]) -> None:
        self._missing = Counter(missing)
        self._times = KindTimes()
        # When cells ended, and how long they took.
        self._ended: deque[tuple[float, float]] = deque(maxlen=RECENT)
        self._lock = threading.Lock()

    def add(self, kind: CellKind, seconds: float | None) -> None:
        """Count a cell that has ended; seconds: None if it was not computed."""
        with self._lock:
            self._missing[kind] -= 1
            if seconds is not None:
                self._times.add(kind, seconds)
                self._ended.append((time.monotonic(), seconds))

    def restart(self) -> None:
        """Take the pace from now on: before, cells waited for maps."""
        with self._lock:
            self._ended.clear()

    def seconds(self) -> float | None:
        """The estimate; None while too few cells have ended."""
        with self._lock:
            # The later half: at first, libraries are imported and caches are cold.
            recent = list(self._ended)[len(self._ended) // 2 :]
            work = sum(seconds for _, seconds in recent[1:])
            if len(self._ended) < FEWEST or not work:
                return None
            return (recent[-1][0] - recent[0][0]) / work * self._work(self._missing)

    def _work(self, counts: Mapping[CellKind, int]) -> float:
        """The seconds of some cells one after the other; unknown kinds take the others' mean."""
        known = {kind: time for kind in counts if (time := self._times.of(kind)) is not None}
        timed = sum(counts[kind] for kind in known)
        work = sum(counts[kind] * seconds for kind, seconds in known.items())
        return work * sum(counts.values()) / timed if timed else 0.0
