"""Checks of what the methods of plugins return; errors name the method."""

import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, TypeVar, cast
from warnings import WarningMessage

import numpy as np
from numpy.typing import NDArray

from harness.errors import InvalidResultError
from harness.metrics.partition import check_labels, renumbered
from harness.metrics.ties import exceeds
from harness.plugin.graph import Graph
from harness.plugin.patches import described, lies_within
from harness.plugin.profile import Profile, Selection
from harness.plugin.score import Score
from harness.plugin.values import AttentionMap, Floats, HeadIndex, Image, Integers, Variant

# Warnings of a point that are stored, and characters of each.
MOST_WARNINGS = 20
LONGEST_WARNING = 500
V = TypeVar("V")


def kind_of(value: Any, expected: type[V], what: str) -> V:
    """The value; raises InvalidResultError unless it has the expected type."""
    if not isinstance(value, expected):
        raise InvalidResultError(f"{what} returned {_a(value)}, not a harness.{expected.__name__}")
    return value


def drawn(returned: Any, observed: AttentionMap, what: str) -> AttentionMap:
    """A map with the drawn weights, and with all else from the map that it was drawn from."""
    weights = kind_of(returned, AttentionMap, f"{what}: draw()").weights
    shape = observed.weights.shape
    _require(weights.shape == shape, f"{what} drew {weights.shape} from a map of {shape}")
    return replace(observed, weights=weights)


def keys(returned: Any, what: str) -> list[str]:
    """Keys of images or maps: at least one text, none twice."""
    what = f"{what}: keys()"
    is_list = isinstance(returned, Sequence) and not isinstance(returned, str)
    _require(is_list, f"{what} returned {_a(returned)}, not a list of strings")
    _require(len(returned), f"{what} returned no keys")
    seen: set[str] = set()
    for key in returned:
        _require(isinstance(key, str), f"{what} named {key!r}, which is not a string")
        _require(key, f"{what} named a key without a character")
        is_text = key == key.encode("utf-8", "replace").decode()
        _require(is_text, f"{what} named {key!r}, which UTF-8 cannot encode")
        _require(key not in seen, f"{what} named {key!r} twice")
        seen.add(key)
    return list(returned)


def location(returned: Any, what: str) -> dict[str, Any]:
    """The image, layer and head of a map."""
    match returned:
        case (str(image), HeadIndex(layer=layer, head=head)):
            return {"image": image, "layer": layer, "head": head}
    raise InvalidResultError(
        f"{what}: locate() returned {returned!r}, not a name and a harness.HeadIndex"
    )


def head_indices(returned: Any, what: str) -> list[HeadIndex]:
    """Layers and heads: at least one, none twice."""
    what = f"{what}: head_indices()"
    is_list = isinstance(returned, Sequence)
    is_list = is_list and all(isinstance(each, HeadIndex) for each in returned)
    _require(is_list, f"{what} returned {returned!r}, not a list of harness.HeadIndex")
    is_valid = 0 < len(returned) == len(set(returned))
    _require(is_valid, f"{what} must name each head once, not {list(returned)}")
    return list(returned)


@dataclass
class PendingMaps:
    """The maps that an extractor has yet to return for the images that it took."""

    extractor: str
    of_every_image: Sequence[HeadIndex]
    # By image: its item, the shape of its pixels, and the heads without a map.
    _taken: dict[tuple[str, Variant], tuple[int, tuple[int, ...], set[HeadIndex]]] = field(
        default_factory=dict
    )

    def take(self, image: Image, item: int) -> None:
        """Register an image that the extractor takes as an item."""
        pending = set(self.of_every_image)
        self._taken[image.key, image.variant] = item, image.pixels.shape, pending

    def item_of(self, returned: Any) -> tuple[AttentionMap, int]:
        """A pending map and its item; raises InvalidResultError for any other map."""
        attention = kind_of(returned, AttentionMap, f"{self.extractor}: extract()")
        key, region = attention.image, attention.region
        gave = f"{self.extractor} gave {key!r} a map"
        if (key, attention.variant) not in self._taken:
            raise InvalidResultError(self._stray(key))
        item, (height, width, _), pending = self._taken[key, attention.variant]
        where = f"layer {attention.layer}, head {attention.head}"
        is_pending = attention.head_index in pending
        if not is_pending and self._awaits(key, attention.head_index):
            raise InvalidResultError(self._without_variant(key))
        _require(is_pending, f"{gave} for {where} twice, or never named that head")
        if region is not None and not lies_within(region, height, width):
            raise InvalidResultError(
                f"{gave} of a region that is not within its {height}×{width} pixels: "
                f"{described(region)}"
            )
        pending.remove(attention.head_index)
        return attention, item

    def _stray(self, key: str) -> str:
        if any(image == key for image, _ in self._taken):
            return self._without_variant(key)
        return f"{self.extractor} gave a map of {key!r}, an image it was not given"

    def _awaits(self, key: str, head: HeadIndex) -> bool:
        """Whether some variant of an image has no map of a head yet."""
        return any(image == key and head in to for (image, _), (*_, to) in self._taken.items())

    def _without_variant(self, key: str) -> str:
        return (
            f"{self.extractor} gave a map of {key!r} that does not carry its image's variant: "
            "AttentionMap(…, variant=image.variant)"
        )


def levels(returned: Any, count: int) -> Floats:
    """Finite levels (count,) in increasing order."""
    _require(returned is not None, "levels() returned None, not numbers")
    try:
        found = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidResultError(f"levels() returned {_a(returned)}, not numbers") from error
    if found.shape != (count,) or not np.isfinite(found).all() or (np.diff(found) <= 0).any():
        raise InvalidResultError(f"levels() must return {count} increasing numbers, not {found}")
    return found


def graphs(returned: Any, expected: Floats, nodes: int) -> Iterator[Graph]:
    """Yield one graph for each level as it is built, at that level and with all nodes."""
    given = iterator(returned, "build()", "graphs")
    for level in expected.tolist():
        graph = next(given, None)
        if graph is None:
            raise InvalidResultError(f"build() gave no graph for level {level:g}")
        graph = kind_of(graph, Graph, "build()")
        if not math.isfinite(graph.threshold):
            raise InvalidResultError(f"build() gave a graph with the threshold {graph.threshold}")
        if graph.level != level or graph.n != nodes:
            raise InvalidResultError(
                f"build() gave a graph of {graph.n} nodes at level {graph.level:g} instead of one "
                f"of {nodes} nodes at level {level:g}"
            )
        yield graph
    _require(next(given, None) is None, f"build() gave more than {len(expected)} graphs")


def iterator(returned: Any, what: str, of: str) -> Iterator[Any]:
    """The results of a method that gives several, one after the other."""
    _require(hasattr(returned, "__iter__"), f"{what} returned {_a(returned)}, not {of}")
    return iter(returned)


Edges = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def edges(graph: Graph) -> Edges:
    """Copies of a graph's CSR arrays, which no component can change."""
    adjacency = graph.adjacency
    return adjacency.indptr.copy(), adjacency.indices.copy(), adjacency.data.copy()


def has_edges(graph: Graph, expected: Edges) -> bool:
    """Whether a graph has exactly these edges with these weights."""
    adjacency = graph.adjacency
    found = adjacency.indptr, adjacency.indices, adjacency.data
    return all(map(np.array_equal, found, expected))


def labels(returned: Any, nodes: int) -> Integers:
    """Labels (nodes,) from 0 to k − 1, or −1; raises InvalidLabelsError for anything else."""
    # Larger labels mean nothing more, and would not fit the store's 16 bits.
    return renumbered(check_labels(returned, nodes))


def warnings(caught: Iterable[WarningMessage]) -> tuple[str, ...]:
    """The texts of warnings, each once."""
    texts = dict.fromkeys(str(warning.message)[:LONGEST_WARNING] for warning in caught)
    return tuple(texts)[:MOST_WARNINGS]


def diagnostics(returned: Any) -> dict[str, float]:
    """Diagnostics as floats by name."""
    is_mapping = isinstance(returned, Mapping)
    _require(is_mapping, f"diagnostics are {_a(returned)}, not a mapping of names to numbers")
    found = {}
    for name, value in returned.items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError) as error:
            raise InvalidResultError(
                f"the diagnostic {name!r} is {value!r}, not a number"
            ) from error
    return found


def figure(returned: Any, score: Score) -> float:
    """A figure in the range of its score, which rounding may pass; NaN is undefined."""
    what, (low, high) = f"{score.name}: score()", score.range
    _require(isinstance(returned, Real), f"{what} returned {_a(returned)}, not a number")
    found = float(returned)
    _require(not math.isinf(found), f"{what} returned {found}, which is not finite")
    is_within = not exceeds(low, found) and not exceeds(found, high)
    _require(is_within, f"{what} returned {found:g}, which is not in its range {low:g} … {high:g}")
    return found


def selection(returned: Any, observed: Profile, what: str) -> Selection:
    """A selection that is valid for its profile."""
    chosen = kind_of(returned, Selection, f"{what}: select()")
    plateau, last = chosen.plateau, len(observed) - 1
    try:
        candidate = operator.index(chosen.candidate)
        ends = None if plateau is None else tuple(operator.index(end) for end in plateau)
        statistic = float(chosen.statistic)
    except TypeError as error:
        raise InvalidResultError(f"{what}: {chosen} holds a value that is not a number") from error
    has_types = isinstance(chosen.accepted, bool | np.bool_) and isinstance(chosen.reason, str)
    _require(has_types, f"{what}: accepted must be a bool and reason a string in {chosen}")
    _require(0 <= candidate <= last, f"{what}: chose level {candidate} of 0 … {last}")
    within = cast("tuple[int, int] | None", ends)
    is_around = ends is None or (len(ends) == 2 and 0 <= ends[0] <= candidate <= ends[1] <= last)
    _require(is_around, f"{what}: the plateau {plateau} does not contain the level {candidate}")
    is_finite = not chosen.accepted or math.isfinite(statistic)
    _require(is_finite, f"{what}: accepted a level with the statistic {statistic}")
    return Selection(candidate, statistic, bool(chosen.accepted), within, chosen.reason)


def _require(is_valid: object, message: str) -> None:
    if not is_valid:
        raise InvalidResultError(message)


def _a(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
