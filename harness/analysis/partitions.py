"""Partitions of a run and references to them: METHOD, METHOD@LEVEL or METHOD@KEY=VALUE,….

METHOD is a clusterer, by its spec, its label in tables or its name if that is unique, or `truth`
for planted communities. After the @ stand a level, or filters separated by commas: `level`, `k`
(the first level with that many clusters) or `selector` (the level that it chose) select the level;
`layer`, `head`, `repeat`, `graph`, `extractor` and `images` select the map and cell. Keys with a
single value in the run may be omitted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from harness.analysis.labels import spec_labels
from harness.errors import HarnessError, WrongValueError, did_you_mean, hint
from harness.metrics.partition import numbered
from harness.plugin.spec import component_name, refers_to, split
from harness.plugin.values import Integers
from harness.store import Store

TRUTH = "truth"
# The keys that tell the cells of one image apart, with their columns of the plan; those of maps.
MAP_KEYS = {"images": "image_set", "extractor": "extractor", "layer": "layer", "head": "head"}
CELL_KEYS = {**MAP_KEYS, "graph": "graph", "repeat": "repeat"}
# The keys that select a level, of which a reference has at most one.
LEVEL_KEYS = ("level", "k", "selector")
KEYS = (*LEVEL_KEYS, *CELL_KEYS)
# Levels are given to three digits.
CLOSE = 1e-3

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StoredPartition:
    """A partition of a run and where it comes from.

    labels: (n,), −1 = unassigned; map: its key in the plan; image_set: "" for stored maps; level:
    on the axis of the graph builder. selector is what chose the level, and accepted whether it
    found structure there; they are "" and None if the reference gave the level. Planted communities
    have no graph, level or repeat.
    """

    labels: Integers
    map: str
    image_set: str
    image: str
    clusterer: str
    extractor: str
    layer: int
    head: int
    graph: str = ""
    repeat: int | None = None
    level: float | None = None
    selector: str = ""
    accepted: bool | None = None

    @property
    def numbers(self) -> Integers:
        """The number of each node's cluster (n,), as tables have it: from 1, the largest first."""
        return numbered(self.labels)

    def identity(self) -> dict[str, Any]:
        """What users can name it by: all fields but the labels and the map's key."""
        names = [each.name for each in fields(StoredPartition)]
        return {name: getattr(self, name) for name in names if name not in ("labels", "map")}

    def __str__(self) -> str:
        level = "" if self.level is None else f" at {self.level:.3g}"
        chosen = ""
        if self.selector:
            chosen = f", chosen by {self.selector}"
            if not self.accepted:
                chosen = f", a candidate that {self.selector} did not accept"
        return f"{self.clusterer}{level}{chosen}"


def parse_reference(text: str) -> tuple[str, Mapping[str, str]]:
    """The clusterer or `truth`, and the filters by key; HarnessError for a malformed reference."""
    method, at, rest = _split_at_sign(text)
    if not method or (at and not rest):
        raise WrongValueError(f"{text!r}: expected METHOD, METHOD@LEVEL or METHOD@KEY=VALUE,…")
    filters: dict[str, str] = {}
    for part in split(rest):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            key, value = "level", part
        if key not in KEYS:
            raise WrongValueError(f"{text}: there is no key {key!r}{hint(key, KEYS)}")
        if key in filters:
            raise WrongValueError(f"{text}: {key} is given twice")
        filters[key] = value
    if sum(key in filters for key in LEVEL_KEYS) > 1:
        raise WrongValueError(f"{text}: only one of {', '.join(LEVEL_KEYS)} can select the level")
    return method, filters


def _split_at_sign(text: str) -> tuple[str, str, str]:
    """The text around the first @ outside brackets: paths in parameters may contain some."""
    head, at, tail = text.partition("@")
    while at and head.count("[") > head.count("]"):
        more, at, tail = tail.partition("@")
        head = f"{head}@{more}"
    return head.strip(), at, tail.strip()


def stored_partition(store: Store, image: str, text: str) -> StoredPartition:
    """The partition of an image's attention that a reference selects.

    Raises HarnessError if there is no such image, if the reference matches no or several
    partitions, or if its cell or selection failed.
    """
    method, filters = parse_reference(text)
    rows = cells_of_image(store, image)
    if method == TRUTH:
        return _planted(store, image, rows, text, filters)
    clusterer = matching_spec("clusterer", method, [row["clusterer"] for row in rows], text)
    rows = [row for row in rows if row["clusterer"] == clusterer]
    row = _single(text, rows, filters, CELL_KEYS)
    if row["status"] != "ok":
        reason = f" ({row['reason']})" if row["reason"] else ""
        raise HarnessError(f"{text}: its cell is {row['status'] or 'missing'}{reason}")
    found = store.connection.execute(
        "SELECT point, level, n_clusters FROM points WHERE cell = ? ORDER BY point", (row["cell"],)
    ).fetchall()
    # A published run has no level of a cell on which no selector chose one.
    points, levels, counts = ([each[at] for each in found] for at in range(3))
    selector, accepted = "", None
    if filters.keys() & {"k", "level"}:
        store.check_whole(row["cell"])
    if "k" in filters:
        point = _with_clusters(text, filters["k"], counts)
    elif "level" in filters:
        point = _nearest(text, filters["level"], levels)
    else:
        point, selector, accepted = _selected(store, row["cell"], text, filters.get("selector"))
    return StoredPartition(
        store.labels_at(row["cell"], point),
        image=image,
        level=levels[points.index(point)],
        selector=selector,
        accepted=accepted,
        **{name: row[name] for name in ("map", "clusterer", *CELL_KEYS.values())},
    )


def images_of(store: Store, text: str) -> list[str]:
    """The images and maps that a reference can be resolved for, in the order of the plan."""
    wanted = parse_reference(text)[1].get("images")
    rows = store.connection.execute(
        "SELECT image, image_set FROM planned WHERE role = 'observed' "
        "GROUP BY image, image_set ORDER BY min(position)"
    ).fetchall()
    if wanted is not None:
        wanted = matching_spec("images", wanted, [image_set for _, image_set in rows], text)
    return list(dict.fromkeys(image for image, of in rows if wanted in (None, of)))


def cells_of_image(store: Store, image: str) -> Sequence[Row]:
    """The observed cells of an image in the order of the plan; HarnessError if there is none."""
    columns = ", ".join(CELL_KEYS.values())
    rows = store.rows(
        f"SELECT cell, map, clusterer, {columns}, cells.status, cells.reason "
        "FROM planned LEFT JOIN cells USING (cell) "
        "WHERE role = 'observed' AND image = ? ORDER BY position",
        (image,),
    ).fetchall()
    if not rows:
        query = "SELECT DISTINCT image FROM planned WHERE role = 'observed'"
        known = [key for (key,) in store.connection.execute(query)]
        raise WrongValueError(f"{store.folder}: there is no image {image!r}{hint(image, known, 5)}")
    return [dict(row) for row in rows]


def matching_specs(kind: str, texts: Sequence[str], known: Sequence[str]) -> list[str]:
    """The known specs that have one of the texts as spec, label or name; all if there are no texts.

    Raises HarnessError, naming the kind, if a text matches none.
    """
    if not texts:
        return list(dict.fromkeys(known))
    found = [_matching(kind, text, known, "") for text in texts]
    return list(dict.fromkeys(spec for specs in found for spec in specs))


def matching_spec(kind: str, text: str, known: Iterable[object], context: str = "") -> str:
    """The one known spec that has a text as spec, label or name; HarnessError for none or several.

    context: the reference that the text is a part of, which messages begin with.
    """
    found = _matching(kind, text, known, context)
    if len(found) > 1:
        raise HarnessError(
            f"{_start(context)}{kind} {text} matches {', '.join(found)}; give the full spec"
        )
    return found[0]


def _matching(kind: str, text: str, known: Iterable[object], context: str) -> list[str]:
    specs = list(dict.fromkeys(map(str, known)))
    if text in specs:
        return [text]
    labels = spec_labels(specs).of
    found = [spec for spec in specs if refers_to(text, spec) or refers_to(text, labels[spec])]
    if not found:
        suggestion = did_you_mean(text, map(component_name, specs)) or hint(text, specs, 5)
        raise WrongValueError(f"{_start(context)}the run has no {kind} {text!r}{suggestion}")
    return found


def _start(context: str) -> str:
    return f"{context}: " if context else ""


def _single(
    text: str, rows: Sequence[Row], filters: Mapping[str, str], keys: Mapping[str, str]
) -> Row:
    for key, column in keys.items():
        values = list(dict.fromkeys(row[column] for row in rows))
        if key in filters:
            chosen = matching_spec(key, filters[key], values, text)
            rows = [row for row in rows if str(row[column]) == chosen]
        elif len(values) > 1:
            shown = ", ".join(map(str, values))
            example = f"{text}{',' if '@' in text else '@'}{key}={values[0]}"
            raise HarnessError(f"{text}: {key} may be {shown}; choose one, as in {example}")
    return rows[0]


def _planted(
    store: Store, image: str, rows: Sequence[Row], text: str, filters: Mapping[str, str]
) -> StoredPartition:
    for key in filters.keys() - MAP_KEYS.keys():
        raise HarnessError(f"{text}: planted communities have no {key}")
    row = _single(text, rows, filters, MAP_KEYS)
    record = store.map(row["map"])
    if record is None or record.truth is None:
        raise HarnessError(f"{text}: no communities were planted in {image}")
    origin = {name: row[name] for name in ("map", *MAP_KEYS.values())}
    return StoredPartition(np.array(record.truth), image=image, clusterer=TRUTH, **origin)


def _selected(store: Store, cell: str, text: str, wanted: str | None) -> tuple[int, str, bool]:
    """The number of the level that a selector chose, its spec, and whether it accepted it."""
    # A reference may name any selector that was applied.
    table = "selections" if wanted is None else "main.selections"
    rows = store.connection.execute(
        f"SELECT selector, status, candidate, accepted, reason FROM {table} "
        "WHERE cell = ? ORDER BY selector",
        (cell,),
    )
    selections = {selector: rest for selector, *rest in rows}
    if not selections:
        raise HarnessError(f"{text}: no selector was applied yet; give a level")
    if wanted is None and len(selections) > 1:
        raise HarnessError(
            f"{text}: several selectors chose a level: {', '.join(selections)}; choose one with "
            "selector=NAME, or give a level or k"
        )
    wanted = next(iter(selections)) if wanted is None else wanted
    selector = matching_spec("selector", wanted, selections, text)
    status, candidate, accepted, reason = selections[selector]
    if status != "ok" or candidate is None:
        raise HarnessError(f"{text}: {selector} chose no level ({reason}); give one")
    return candidate, selector, bool(accepted)


def _with_clusters(text: str, wanted: str, counts: Sequence[int]) -> int:
    if wanted.isdecimal() and int(wanted) in counts:
        return counts.index(int(wanted))
    shown = ", ".join(map(str, sorted(set(counts))))
    raise HarnessError(f"{text}: no level has k={wanted} clusters; there are levels with {shown}")


def _nearest(text: str, wanted: str, levels: Sequence[float]) -> int:
    try:
        level = float(wanted)
    except ValueError as error:
        raise WrongValueError(f"{text}: {wanted!r} is not a number; levels are numbers") from error
    point = min(range(len(levels)), key=lambda index: abs(levels[index] - level))
    if not math.isclose(levels[point], level, rel_tol=CLOSE, abs_tol=1e-9):
        shown = ", ".join(f"{each:.4g}" for each in levels)
        raise WrongValueError(f"{text}: there is no level {wanted}; the levels are {shown}")
    return point
