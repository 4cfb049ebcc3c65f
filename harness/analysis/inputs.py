"""What a run's results are made from: images, models and maps, refused if they have changed."""

import contextlib
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

from harness.errors import HarnessError, WrongValueError
from harness.planning.content import code_digest
from harness.planning.identity import identify
from harness.plugin.ablation import Ablatable, AblationSpec, Ablator
from harness.plugin.classes import classes_of
from harness.plugin.registry import Registry
from harness.plugin.sources import Extractor, ImageSet
from harness.plugin.values import AttentionMap, Image
from harness.store import Store
from harness.store.classes import class_names
from harness.store.maps import is_intact, load_map

# Digits of a digest that messages show.
SHOWN = 12
T = TypeVar("T")


class RunInputs:
    """Loads the images and models of one run, each image set and model once.

    Relative paths are those from the current folder, else from where the run was started.
    image(image_set, key) raises HarnessError if the image cannot be loaded or its pixels are not
    those of the run; ablator(extractor, ablation) if the extractor does not support ablation, or
    its model lacks the layer, is missing or is not that of the run. identity(extractor) is its full
    spec and the digests of its code and of the run's model.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        # An image's maps and methods follow each other.
        self.image = lru_cache(maxsize=1)(self._image)
        self.ablator = cache(self._ablator)
        self.identity = cache(self._identity)
        self._image_set = cache(self._make_image_set)
        self._class_names = cache(partial(class_names, store))

    def classes(self, image_set: str) -> tuple[str, ...]:
        """The names of an image set's classes; empty if it names none."""
        return classes_of(self._image_set(image_set))

    def class_name(self, image_set: str, key: str) -> str:
        """The class of an image in the run; "" if it is not known."""
        return self._class_names().get((image_set, key), "")

    def _make_image_set(self, spec: str) -> ImageSet:
        (made,) = self._registry.make("image set", spec)
        return cast("ImageSet", made)

    def _image(self, image_set: str, key: str) -> Image:
        image = self._found(partial(self._loaded, image_set, key))
        digest = self.digest(image_set, key)
        if image.digest != digest:
            raise HarnessError(
                f"{key}: its pixels are not those of the run: their digest is "
                f"{image.digest[:SHOWN]}…, the run's is {digest[:SHOWN]}…"
            )
        return image

    def digest(self, image_set: str, key: str) -> str:
        """The digest of an image's pixels in the run."""
        row = self._store.connection.execute(
            "SELECT digest FROM images WHERE image_set = ? AND image = ?", (image_set, key)
        ).fetchone()
        if row is None:
            raise WrongValueError(f"{self._store.folder}: the run has no image {key!r}")
        return str(row[0])

    def _loaded(self, image_set: str, key: str) -> Image:
        try:
            return self._image_set(image_set).load(key)
        except HarnessError:
            raise
        except Exception as error:  # a plugin's method may raise anything
            raise HarnessError(f"{image_set}: {key}: {type(error).__name__}: {error}") from error

    def _found(self, load: Callable[[], T]) -> T:
        """What is loaded here or, if that fails, in the folder where the run was started."""
        try:
            return load()
        except HarnessError:
            sessions = self._store.sessions()
            folder = Path(sessions[-1]["invocation"].get("folder", "")) if sessions else Path()
            with contextlib.suppress(HarnessError, OSError), contextlib.chdir(folder):
                return load()
            raise

    def _ablator(self, extractor: str, ablation: AblationSpec) -> Ablator:
        return self._found(partial(self._opened, extractor, ablation))

    def _opened(self, extractor: str, ablation: AblationSpec) -> Ablator:
        made = self._ablatable(extractor)
        found = cast("Extractor", made).fingerprint()
        then = self._fingerprint(extractor) or found
        if then != found:
            raise HarnessError(
                f"{extractor}: not the model of the run: its SHA-256 is {found[:SHOWN]}…, the "
                f"run's was {then[:SHOWN]}…"
            )
        return made.ablator(ablation)

    def _fingerprint(self, extractor: str) -> str:
        """The digest of the run's model; "" if it is not known."""
        last: dict[str, Any] = next(reversed(self._store.sessions()), {"fingerprints": {}})
        return str(last["fingerprints"].get(extractor, ""))

    def _ablatable(self, extractor: str) -> Ablatable:
        (made,) = self._registry.make("extractor", extractor)
        if not (isinstance(made, Ablatable) and isinstance(made, Extractor)):
            raise HarnessError(
                f"{self._store.folder}: its maps come from {extractor}, which offers no model to "
                "ablate; one-layer-vit, hf and timm do"
            )
        return made

    def _identity(self, extractor: str) -> tuple[str, ...]:
        made = cast("Extractor", self._found(partial(self._ablatable, extractor)))
        parts = identify(made, code_digest(made)).parts
        return *parts, self._fingerprint(extractor)


def attention_of(store: Store, key: str, image: str) -> AttentionMap:
    """An image's stored map, memory-mapped; HarnessError if its file is missing or damaged."""
    record = store.map(key)
    assert record is not None
    if not is_intact(store.maps_folder, record.digest):
        raise HarnessError(
            f"{store.maps_folder / record.digest}.npy: the map of {image} is missing or damaged; "
            "to compute all maps again, force the extractor by its name"
        )
    return load_map(store.maps_folder, record)
