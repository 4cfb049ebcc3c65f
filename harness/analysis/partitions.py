"""Where in a run a partition lies, and how that is spelled: METHOD, METHOD@LEVEL, METHOD@k=3.

METHOD is a clusterer, by its spelling or by its name alone where no other has it, or `truth` for
communities that were planted. After an @ stand a level, or KEY=VALUE, separated by commas: `level`,
`k` (the first level with that many clusters) or `selector` (the level that it chose) tell the
level; `layer`, `head`, `repeat`, `graph`, `extractor` and `images` tell one map or cell from
others. What there is one of in the run need not be told.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from harness.errors import HarnessError
from harness.plugin.spec import component_name, did_you_mean, split
from harness.plugin.values import Integers
from harness.store import Store

TRUTH = "truth"
# What tells cells of one image apart, by column of the plan; truth is a map's.
MAP_KEYS = {"images": "image_set", "extractor": "extractor", "layer": "layer", "head": "head"}
CELL_KEYS = {**MAP_KEYS, "graph": "graph", "repeat": "repeat"}
# What tells the level; one of them at most.
LEVEL_KEYS = ("level", "k", "selector")
KEYS = (*LEVEL_KEYS, *CELL_KEYS)
# Of a level, as it is told: three digits do.
CLOSE = 1e-3


@dataclass(frozen=True, eq=False)
class StoredPartition:
    """A partition that a run stored, with its place in it.

    labels: (n,), −1 = unassigned; level: where on its graph builder's axis; selector: what chose
    it, and accepted whether that holds that there is structure, "" and None where the level was
    told. images: the image set, "" for stored maps. Planted communities have no graph, level or
    repeat.
    """

    labels: Integers
    images: str
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

    def place(self) -> dict[str, Any]:
        """All but the labels."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "labels"
        }

    def __str__(self) -> str:
        level = "" if self.level is None else f" at {self.level:.3g}"
        chosen = ""
        if self.selector:
            chosen = f", chosen by {self.selector}"
            if not self.accepted:
                chosen = f", a candidate that {self.selector} did not accept"
        return f"{self.clusterer}{level}{chosen}"


def stored_partition(store: Store, image: str, place: str) -> StoredPartition:
    """The partition of an image's attention at a place, spelled as the module says.

    Raises HarnessError if there is no such image or place, if the place tells no single one, or
    if its cell or selection failed.
    """
    method, wanted = _read(place)
    rows = cells_of_image(store, image)
    if method == TRUTH:
        return _planted(store, image, rows, place, wanted)
    clusterer = _named(place, "clusterer", method, (row["clusterer"] for row in rows))
    row = _single(place, [row for row in rows if row["clusterer"] == clusterer], wanted, CELL_KEYS)
    if row["status"] != "ok":
        reason = f" ({row['reason']})" if row["reason"] else ""
        raise HarnessError(f"{place}: its cell is {row['status'] or 'missing'}{reason}")
    point, selector, accepted = _point(store, row["cell"], place, wanted)
    (level,) = store.connection.execute(
        "SELECT level FROM points WHERE cell = ? AND point = ?", (row["cell"], point)
    ).fetchone()
    return StoredPartition(
        store.labels(row["cell"])[point],
        row["image_set"],
        image,
        clusterer,
        row["extractor"],
        row["layer"],
        row["head"],
        row["graph"],
        row["repeat"],
        level,
        selector,
        accepted,
    )


def images_of(store: Store, place: str) -> list[str]:
    """The images and maps that a place can be told of, in the order of the plan."""
    _, wanted = _read(place)
    rows = store.connection.execute(
        "SELECT image, image_set FROM planned WHERE role = 'observed' "
        "GROUP BY image, image_set ORDER BY min(position)"
    ).fetchall()
    told = wanted.get("images")
    if told is not None:
        told = _named(place, "images", told, (image_set for _, image_set in rows))
    return list(dict.fromkeys(image for image, of in rows if told in (None, of)))


def _read(place: str) -> tuple[str, Mapping[str, str]]:
    """The method and what is told of the place."""
    method, at, rest = _at_outside_brackets(place)
    if not method or (at and not rest):
        raise HarnessError(f"{place!r}: expected METHOD, METHOD@LEVEL or METHOD@KEY=VALUE,…")
    wanted: dict[str, str] = {}
    for part in split(rest):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            key, value = "level", part
        if key not in KEYS:
            known = did_you_mean(key, KEYS) or f"; there are {', '.join(KEYS)}"
            raise HarnessError(f"{place}: a place has no {key!r}{known}")
        if key in wanted:
            raise HarnessError(f"{place}: {key} is told twice")
        wanted[key] = value
    if sum(key in wanted for key in LEVEL_KEYS) > 1:
        raise HarnessError(f"{place}: one of {', '.join(LEVEL_KEYS)} tells the level")
    return method, wanted


def _at_outside_brackets(place: str) -> tuple[str, str, str]:
    """Parted at the first @ that is in no parameter: paths may have some."""
    head, at, tail = place.partition("@")
    while at and head.count("[") > head.count("]"):
        more, at, tail = tail.partition("@")
        head = f"{head}@{more}"
    return head.strip(), at, tail.strip()


def cells_of_image(store: Store, image: str) -> Sequence[Mapping[str, Any]]:
    """The observed cells of an image or map, in the order of the plan, as columns by name.

    Raises HarnessError if the run has no such image.
    """
    columns = ("cell", "map", "clusterer", *CELL_KEYS.values())
    named = ", ".join(f"planned.{column}" for column in columns)
    rows = store.connection.execute(
        f"SELECT {named}, cells.status, cells.reason FROM planned LEFT JOIN cells USING (cell) "
        "WHERE role = 'observed' AND image = ? ORDER BY position",
        (image,),
    ).fetchall()
    if not rows:
        known = [
            key
            for (key,) in store.connection.execute(
                "SELECT DISTINCT image FROM planned WHERE role = 'observed'"
            )
        ]
        raise HarnessError(f"{store.folder}: there is no image {image!r}{hint(image, known)}")
    return [dict(zip((*columns, "status", "reason"), row, strict=True)) for row in rows]


def _named(place: str, kind: str, text: str, known: Iterable[object]) -> str:
    """The one of the known spellings that is the text, or whose name is."""
    spellings = list(dict.fromkeys(map(str, known)))
    if text in spellings:
        return text
    found = [spelling for spelling in spellings if component_name(spelling) == text]
    if not found:
        raise HarnessError(f"{place}: the run has no {kind} {text!r}{hint(text, spellings)}")
    if len(found) > 1:
        raise HarnessError(f"{place}: {kind} {text} is any of {', '.join(found)}; spell out one")
    return found[0]


def hint(wrong: str, known: Sequence[str]) -> str:
    """The end of a line that says that something is not there: what is meant, or what there is."""
    shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
    return did_you_mean(wrong, known) or f"; there are {shown}"


def _single(
    place: str,
    rows: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, str],
    keys: Mapping[str, str],
) -> Mapping[str, Any]:
    """The one row that is as wanted."""
    for key, column in keys.items():
        values = list(dict.fromkeys(row[column] for row in rows))
        if key in wanted:
            chosen = _named(place, key, wanted[key], values)
            rows = [row for row in rows if str(row[column]) == chosen]
        elif len(values) > 1:
            shown = ", ".join(map(str, values))
            raise HarnessError(
                f"{place}: {key} is any of {shown}; tell which, as in "
                f"{place}{',' if '@' in place else '@'}{key}={values[0]}"
            )
    return rows[0]


def _planted(
    store: Store,
    image: str,
    rows: Sequence[Mapping[str, Any]],
    place: str,
    wanted: Mapping[str, str],
) -> StoredPartition:
    for key in wanted.keys() - MAP_KEYS.keys():
        raise HarnessError(f"{place}: planted communities have no {key}")
    row = _single(place, rows, wanted, MAP_KEYS)
    found = store.connection.execute("SELECT truth FROM maps WHERE map = ?", (row["map"],))
    truth = found.fetchone()
    if truth is None or truth[0] is None:
        raise HarnessError(f"{place}: no communities were planted in {image}")
    labels = np.array(json.loads(truth[0]), dtype=np.int64)
    place_of_map = (row["extractor"], row["layer"], row["head"])
    return StoredPartition(labels, row["image_set"], image, TRUTH, *place_of_map)


def _point(
    store: Store, cell: str, place: str, wanted: Mapping[str, str]
) -> tuple[int, str, bool | None]:
    """The number of the level, what selected it, and whether that was accepted."""
    if "level" in wanted or "k" in wanted:
        levels, counts = zip(
            *store.connection.execute(
                "SELECT level, n_clusters FROM points WHERE cell = ? ORDER BY point", (cell,)
            ),
            strict=True,
        )
        if "k" in wanted:
            return _with_clusters(place, wanted["k"], counts), "", None
        return _nearest(place, wanted["level"], levels), "", None
    chosen = {
        selector: rest
        for selector, *rest in store.connection.execute(
            "SELECT selector, status, candidate, accepted, reason FROM selections "
            "WHERE cell = ? ORDER BY selector",
            (cell,),
        )
    }
    if not chosen:
        raise HarnessError(f"{place}: no selector was applied yet; tell a level")
    if "selector" not in wanted and len(chosen) > 1:
        raise HarnessError(
            f"{place}: several selectors chose a level: {', '.join(chosen)}; tell which, as "
            "selector=NAME, or tell a level or k"
        )
    selector = _named(place, "selector", wanted.get("selector", next(iter(chosen))), chosen)
    status, candidate, accepted, reason = chosen[selector]
    if status != "ok" or candidate is None:
        raise HarnessError(f"{place}: {selector} chose no level ({reason}); tell one")
    return candidate, selector, bool(accepted)


def _with_clusters(place: str, wanted: str, counts: Sequence[int]) -> int:
    if wanted.isdecimal() and int(wanted) in counts:
        return counts.index(int(wanted))
    shown = ", ".join(map(str, sorted(set(counts))))
    raise HarnessError(f"{place}: no level has k={wanted} clusters; there are levels with {shown}")


def _nearest(place: str, wanted: str, levels: Sequence[float]) -> int:
    try:
        told = float(wanted)
    except ValueError as error:
        raise HarnessError(f"{place}: {wanted!r} is no level; a level is a number") from error
    point = min(range(len(levels)), key=lambda index: abs(levels[index] - told))
    if not math.isclose(levels[point], told, rel_tol=CLOSE, abs_tol=1e-9):
        shown = ", ".join(f"{level:.4g}" for level in levels)
        raise HarnessError(f"{place}: there is no level {wanted}; the levels are {shown}")
    return point


def spellings_meant(
    option: str, kind: str, texts: Sequence[str], known: Sequence[str]
) -> list[str]:
    """The known spellings that are one of the texts, or else whose name is; of no texts, all.

    Raises HarnessError, naming the option and the kind, for what the run does not have.
    """
    spellings = list(dict.fromkeys(known))
    if not texts:
        return spellings
    found: list[str] = []
    for text in texts:
        meant = [text] if text in spellings else []
        meant = meant or [each for each in spellings if component_name(each) == text]
        if not meant:
            names = [component_name(each) for each in spellings]
            what = did_you_mean(text, names) or (
                hint(text, spellings) if names else "; it has none"
            )
            raise HarnessError(f"{option} {text}: the run has no {kind} {text!r}{what}")
        found += meant
    return found
