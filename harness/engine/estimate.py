"""What a run would cost, estimated before it starts."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from harness.metrics.reach import Reach, reach
from harness.planning.plan import Plan, PlannedCell, PlannedMap
from harness.plugin.values import OBSERVED
from harness.store import Store
from harness.store.selections import Accepted, accepted


@dataclass(frozen=True)
class CostEstimate:
    """How many cells a run has, how many are computed already, and how long the rest takes.

    perturbed: the most cells that selected levels may add; seconds: estimated from stored cells of
    the same methods; untimed: new cells of methods without any, left out of `seconds`; tests: by
    control, what the tests of a selector can reach.
    """

    cells: int
    controls: int
    cached: int
    perturbed: int
    seconds: float
    untimed: int
    tests: Mapping[str, Reach]

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
            text += f"; about {self.seconds:.0f} s"
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
    plan: Plan, store: Store | None, forced: Set[str], workers: int, *, retry_failed: bool = False
) -> CostEstimate:
    """Count a plan's cells; new are those with a component in `forced`, or not in the store."""

    def is_new(cell: PlannedCell) -> bool:
        computed = store is not None and store.is_computed(cell.key, ok=retry_failed)
        return not computed or not forced.isdisjoint(cell.components)

    cells, controls, new = 0, 0, Counter[tuple[str, str]]()
    # One after the other: there may be many.
    for cell in plan.distinct_cells():
        cells += 1
        controls += cell.map.variant.role == "control"
        new[_method(cell)] += is_new(cell)
    if new.total():
        # Every selector may select a level of its own on every map.
        perturbed = Counter(
            {method: count * len(plan.settings.selectors) for method, count in plan.perturbable()}
        )
    else:
        levels = levels_of(accepted(store) if store else ())
        selected = {cell.key: cell for cell in plan.perturbed_cells(levels) if is_new(cell)}
        perturbed = Counter(map(_method, selected.values()))
    seconds = store.timings() if store else {}
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
        planned_tests(plan),
    )


def planned_tests(plan: Plan) -> dict[str, Reach]:
    """What the tests of a selector can reach, by control, if no cell fails.

    Maps from images count as of one size, which is not known before they are extracted.
    """
    settings = plan.settings
    maps = list({each.key: each for each in plan.maps if not each.reason}.values())
    observed = [each for each in maps if each.variant == OBSERVED]

    def pool(planned: PlannedMap) -> Hashable:
        if settings.pooling == "image":
            return planned.observed or planned.key
        return planned.extractor, planned.head_index, planned.nodes

    draws = Counter((each.variant.name, pool(each)) for each in maps if each.variant != OBSERVED)
    methods = len(plan.graphs) * len(plan.clusterers) * settings.repeats
    found = {}
    for control in dict.fromkeys(control for control, _ in draws):
        tested = [draws[control, pool(each)] for each in observed]
        found[control] = reach([count for count in tested if count] * methods)
    return found


def _method(cell: PlannedCell) -> tuple[str, str]:
    return cell.graph, cell.clusterer
