"""What a run would do, before it does it."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from harness.planning.plan import Plan, PlannedCell
from harness.store import Accepted, Timing


@dataclass(frozen=True)
class CostEstimate:
    """A run's cells, those that are computed already, and how long the rest takes.

    controls: how many of the cells are controls'; perturbed: how many more come at most once
    levels are chosen; seconds: judged by what like cells took in the same store; untimed: new
    cells of methods of which it holds none, which are not in it.
    """

    cells: int
    controls: int
    cached: int
    perturbed: int
    seconds: float
    untimed: int

    @property
    def new(self) -> int:
        """Cells that would be computed before levels are chosen."""
        return self.cells - self.cached

    def __str__(self) -> str:
        observed = self.cells - self.controls
        text = f"{self.cells} cells ({observed} of maps, {self.controls} of controls)"
        text += f", {self.cached} cached, {self.new} new"
        if self.perturbed:
            text += f", then up to {self.perturbed} for stability"
        if self.seconds:
            text += f"; about {self.seconds:.0f} s"
        if self.untimed:
            text += f"; no like cell was timed here for {self.untimed}"
        return text


@dataclass(frozen=True)
class CachedWork:
    """What a store tells of work done: computed cells, what they took, what was chosen."""

    computed: Container[str] = frozenset()
    timings: Sequence[Timing] = ()
    accepted: Sequence[Accepted] = ()


def levels_of(selections: Iterable[Accepted]) -> Mapping[str, Sequence[int]]:
    """By cell the indices of all levels that were chosen, each once."""
    chosen: defaultdict[str, set[int]] = defaultdict(set)
    for selection in selections:
        chosen[selection.cell].add(selection.candidate)
    return {cell: sorted(points) for cell, points in chosen.items()}


def foresee(plan: Plan, known: CachedWork, forced: Set[str], workers: int) -> CostEstimate:
    """Count a plan's cells beside what is known; components spelled in `forced` work again.

    While cells are new it is not known what will be chosen: every selector may choose a level of
    its own on every map.
    """

    def is_new(cell: PlannedCell) -> bool:
        return cell.key not in known.computed or not forced.isdisjoint(cell.components)

    cells, controls, new = 0, 0, Counter[tuple[str, str]]()
    # One after the other: there may be many.
    for cell in plan.distinct_cells():
        cells += 1
        controls += cell.map.variant.role == "control"
        new[_method(cell)] += is_new(cell)
    if new.total():
        perturbed = Counter(
            {method: count * len(plan.settings.selectors) for method, count in plan.perturbable()}
        )
    else:
        chosen = {
            cell.key: _method(cell)
            for cell in plan.perturbed_cells(levels_of(known.accepted))
            if is_new(cell)
        }
        perturbed = Counter(chosen.values())
    seconds = {(timing.graph, timing.clusterer): timing.seconds for timing in known.timings}
    work = sum(
        seconds.get(method, 0.0)
        * (new[method] * plan.settings.levels + perturbed[method] * plan.settings.stability_draws)
        for method in new.keys() | perturbed.keys()
    )
    return CostEstimate(
        cells,
        controls,
        cells - new.total(),
        perturbed.total(),
        work / workers,
        sum(count for method, count in new.items() if method not in seconds),
    )


def _method(cell: PlannedCell) -> tuple[str, str]:
    return cell.graph, cell.clusterer
