"""What failed in a run, grouped by the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.analysis.method import grouped
from harness.store import Store

# Where and why something failed, and the image that it failed on, "" if the reason names none.
IMAGES = "SELECT image_set, reason, image FROM images WHERE reason <> '' ORDER BY image_set, image"
# An image that cannot be read has no map either, and is counted once.
MAPS = """
SELECT CASE WHEN control = '' THEN extractor ELSE control END, maps.reason, planned.image
FROM planned JOIN maps USING (map)
LEFT JOIN images ON images.image_set = planned.image_set AND images.image = planned.image
WHERE maps.reason <> '' AND coalesce(images.reason, '') = ''
GROUP BY map ORDER BY min(position)
"""
# What is skipped failed elsewhere: a control's cell waits for that of the map itself.
CELLS = """
SELECT clusterer || CASE WHEN control = '' THEN '' ELSE ' on ' || control END,
       status || ': ' || cells.reason, image
FROM planned JOIN cells USING (cell) LEFT JOIN maps USING (map)
WHERE status NOT IN ('ok', 'skipped') AND coalesce(maps.reason, '') = '' ORDER BY position
"""
SELECTIONS = """
SELECT selector || ' on ' || clusterer, selections.reason, image
FROM selections JOIN planned USING (cell)
WHERE status <> 'ok' AND role = 'observed' ORDER BY position
"""
# Images that a group names.
EXAMPLES = 3


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one component for one reason: how many, and some of their images."""

    where: str
    reason: str
    count: int
    examples: tuple[str, ...]


def failure_groups(store: Store) -> list[FailureGroup]:
    """The failures of a run, the most frequent first.

    Images that cannot be read, maps that could not be made, cells and selections that failed. Names
    of images in reasons are replaced, so that one fault is one group.
    """
    groups = [
        group
        for query in (IMAGES, MAPS, CELLS, SELECTIONS)
        for group in _grouped(store.connection.execute(query))
    ]
    return sorted(groups, key=lambda group: -group.count)


def _grouped(rows: Iterable[tuple[str, str, str]]) -> Iterator[FailureGroup]:
    failures = [
        (where, reason.replace(image, "…") if image else reason, image)
        for where, reason, image in rows
    ]
    for (where, reason), of in grouped(failures, lambda failure: failure[:2]).items():
        images = tuple(dict.fromkeys(image for *_, image in of))[:EXAMPLES]
        yield FailureGroup(where, reason, len(of), images)
