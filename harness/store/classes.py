"""The names of the classes of a run's images."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.planning.survey import SurveyedImage
from harness.store.tables import Store


def classes_in(images: Iterable[SurveyedImage]) -> dict[str, dict[str, str]]:
    """The name of each label in use, by image set, as a session holds them."""
    found: dict[str, dict[str, str]] = {}
    for image in images:
        if image.label is not None:
            found.setdefault(image.image_set, {})[str(image.label)] = image.class_name
    return found


def class_names(store: Store) -> Mapping[tuple[str, str], str]:
    """The class of every image, by image set and image.

    A label that has no name stands for itself; "" is an image without a label.
    """
    latest: Mapping[str, Any] = next(reversed(store.sessions()), {})
    named = latest.get("classes", {})
    rows = store.connection.execute("SELECT image_set, image, label FROM images")
    return {
        (image_set, image): ""
        if label is None
        else named.get(image_set, {}).get(str(label), str(label))
        for image_set, image, label in rows
    }
