"""Methods: what results are grouped and compared by."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class MethodKey(NamedTuple):
    """A clusterer with a selector, on a graph of an extractor's maps of an image set.

    All are specs; image_set is "" for stored maps, which belong to no image set.
    """

    clusterer: str
    selector: str
    graph: str
    extractor: str
    image_set: str

    def __str__(self) -> str:
        return " ".join(part for part in self if part)


def differing_fields(methods: Sequence[MethodKey]) -> list[str]:
    """The fields that tell the methods apart: the clusterer, and others with several values."""
    clusterer, *others = MethodKey._fields
    differing = [name for name in others if len({getattr(each, name) for each in methods}) > 1]
    return [clusterer, *differing]


def short_names(methods: Sequence[MethodKey]) -> list[str]:
    """Each method's `differing_fields` in one line."""
    names = differing_fields(methods)
    return [" ".join(getattr(method, name) for name in names) for method in methods]


def flatten(value: "DataclassInstance") -> dict[str, Any]:
    """A dataclass as nested dictionaries; a method's fields stand in place of the method."""
    return asdict(value, dict_factory=_flattened)


def flat_types(owner: type["DataclassInstance"]) -> dict[str, Any]:
    """The type of each single value that `flatten` gives, by name."""
    hints = get_type_hints(owner)
    flat = {name: kind for name, kind in hints.items() if get_origin(kind) is not tuple}
    found: dict[str, Any] = {}
    for name, kind in flat.items():
        found |= MethodKey.__annotations__ if kind is MethodKey else {name: kind}
    return found


def _flattened(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found |= value._asdict() if isinstance(value, MethodKey) else {name: value}
    return found


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Items by their key; keys are in the order of their first items."""
    found: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)
