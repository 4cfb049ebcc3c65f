"""What a run knows of each of its images: pixels, attention, and the clusters that were chosen.

Pixels come from the image sets that the run names, maps from its folder.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from harness.engine.kept_maps import kept_map
from harness.errors import HarnessError
from harness.origins import Origins
from harness.store import Store
from harness.values import AttentionMap, Image, Integers

# One row a planned observed cell and selector, in the order of the plan.
CHOSEN = """
SELECT planned.cell, clusterer, wanted.selector, graph, extractor, image_set, image, layer, head,
       repeat, chosen.candidate, chosen.accepted, maps.digest, maps.grid_rows, maps.grid_columns,
       CASE WHEN cells.status IS NULL THEN 'its cell is missing'
            WHEN cells.status <> 'ok' THEN 'its cell is ' || cells.status || ': ' || cells.reason
            WHEN chosen.status IS NULL THEN 'no level was selected yet'
            WHEN chosen.status <> 'ok' THEN chosen.reason
            ELSE '' END
FROM planned
CROSS JOIN (SELECT value AS selector FROM json_each(:selectors)) AS wanted
LEFT JOIN maps ON maps.map = planned.map
LEFT JOIN cells ON cells.cell = planned.cell
LEFT JOIN selections AS chosen
    ON chosen.cell = planned.cell AND chosen.selector = wanted.selector
WHERE planned.role = 'observed'
ORDER BY planned.position
"""


@dataclass(frozen=True)
class Choice:
    """The level that a selector chose of one clusterer's profile of one map, or why it has none.

    images: the image set, "" for stored maps; candidate: the number of the level; accepted:
    whether the selector holds that there is structure; reason: why there is no candidate, "" where
    there is one.
    """

    cell: str
    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    image: str
    layer: int
    head: int
    repeat: int
    candidate: int | None
    accepted: bool
    map_digest: str | None
    grid: tuple[int, int] | None
    reason: str

    @property
    def method(self) -> tuple[str, ...]:
        """What is compared: clusterer, selector, graph, extractor, on an image set."""
        return self.clusterer, self.selector, self.graph, self.extractor, self.images


@dataclass(frozen=True, eq=False)
class Inspection:
    """A choice with the image it was made on, the map, and the chosen level's labels (n,)."""

    choice: Choice
    image: Image
    attention: AttentionMap
    labels: Integers


def choices(store: Store) -> Iterator[Choice]:
    """What every selector chose on every planned observation, failures among them."""
    asked = {"selectors": json.dumps(store.settings()["selectors"])}
    for (
        cell, clusterer, selector, graph, extractor, images, image, layer, head, repeat, candidate,
        accepted, digest, rows, columns, reason,
    ) in store.connection.execute(CHOSEN, asked):  # fmt: skip
        grid = None if rows is None or columns is None else (rows, columns)
        yield Choice(
            cell,
            clusterer,
            selector,
            graph,
            extractor,
            images,
            image,
            layer,
            head,
            repeat,
            candidate,
            bool(accepted),
            digest,
            grid,
            reason,
        )


def inspect(store: Store, origins: Origins, choice: Choice) -> Inspection:
    """The image, the map and the clusters of a choice.

    Raises HarnessError if there was no choice, if the maps come from no images, if the image cannot
    be had or has other pixels than in the run, or if the map's file is gone.
    """
    if choice.reason or choice.candidate is None or choice.map_digest is None:
        raise HarnessError(f"{choice.image}: {choice.clusterer}: {choice.reason}")
    if not choice.images:
        raise HarnessError(f"{choice.image}: its map comes from {choice.extractor}, not an image")
    grid = None if choice.grid is None else list(choice.grid)
    return Inspection(
        choice,
        origins.image(choice.images, choice.image),
        kept_map(
            store.maps_folder,
            choice.map_digest,
            grid,
            image=choice.image,
            layer=choice.layer,
            head=choice.head,
        ),
        store.labels(choice.cell)[choice.candidate],
    )
