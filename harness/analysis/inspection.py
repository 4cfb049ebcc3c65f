"""What a run knows of each of its images: pixels, attention, and the clusters that were chosen.

Pixels come from the image sets that the run names, maps from its folder.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from harness.analysis.inputs import RunInputs
from harness.errors import HarnessError, RunStoppedError
from harness.plugin.values import AttentionMap, Image, Integers
from harness.store import Store
from harness.store.maps import load_map

# One row a planned observed cell and selector, in the order of the plan.
CHOSEN = """
SELECT planned.cell, planned.map, clusterer, wanted.selector, graph, extractor, image_set, image,
       layer, head, repeat, chosen.candidate, chosen.accepted,
       CASE WHEN cells.status IS NULL THEN 'its cell is missing'
            WHEN cells.status <> 'ok' THEN 'its cell is ' || cells.status || ': ' || cells.reason
            WHEN chosen.status IS NULL THEN 'no level was selected yet'
            WHEN chosen.status <> 'ok' THEN chosen.reason
            ELSE '' END
FROM planned
CROSS JOIN (SELECT value AS selector FROM json_each(:selectors)) AS wanted
LEFT JOIN cells ON cells.cell = planned.cell
LEFT JOIN selections AS chosen
    ON chosen.cell = planned.cell AND chosen.selector = wanted.selector
WHERE planned.role = 'observed'
ORDER BY planned.position
"""


@dataclass(frozen=True)
class Choice:
    """The level that a selector chose of one clusterer's profile of one map, or why it has none.

    cell, map: their keys in the plan; images: the image set, "" for stored maps; candidate: the
    number of the level; accepted: whether the selector holds that there is structure; reason: why
    there is no candidate, "" where there is one.
    """

    cell: str
    map: str
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
        cell, key, clusterer, selector, graph, extractor, images, image, layer, head, repeat,
        candidate, accepted, reason,
    ) in store.connection.execute(CHOSEN, asked):  # fmt: skip
        yield Choice(
            cell,
            key,
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
            reason,
        )


def inspect(store: Store, origins: RunInputs, choice: Choice) -> Inspection:
    """The image, the map and the clusters of a choice.

    Raises HarnessError if there was no choice, if the maps come from no images, if the image cannot
    be had or has other pixels than in the run, or if the map's file is gone.
    """
    if choice.reason or choice.candidate is None:
        raise HarnessError(f"{choice.image}: {choice.clusterer}: {choice.reason}")
    if not choice.images:
        raise HarnessError(f"{choice.image}: its map comes from {choice.extractor}, not an image")
    return Inspection(
        choice,
        origins.image(choice.images, choice.image),
        attention_of(store, choice.map, choice.image, choice.layer, choice.head),
        store.labels(choice.cell)[choice.candidate],
    )


def attention_of(store: Store, key: str, image: str, layer: int, head: int) -> AttentionMap:
    """A map that a run kept, by its key in the plan, memory-mapped.

    Raises HarnessError if its file is gone or damaged.
    """
    found = store.map(key)
    assert found is not None
    try:
        return load_map(store.maps_folder, found, image=image, layer=layer, head=head)
    except RunStoppedError as error:
        raise HarnessError(
            f"{store.maps_folder}: the map of {image} is gone or damaged; harness run with --force "
            "and the extractor's name makes all maps again"
        ) from error


def map_key(store: Store, images: str, image: str, extractor: str, layer: int, head: int) -> str:
    """The key in the plan of an observed image's map."""
    (key,) = store.connection.execute(
        "SELECT map FROM planned WHERE role = 'observed' AND image_set = ? AND image = ? "
        "AND extractor = ? AND layer = ? AND head = ? LIMIT 1",
        (images, image, extractor, layer, head),
    ).fetchone()
    return str(key)
