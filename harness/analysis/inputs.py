"""The images and the models that a run's maps come from, refused where they are others by now."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from harness.errors import HarnessError
from harness.plugin.ablation import Ablatable, AblationSpec, Ablator
from harness.plugin.base import Extractor, ImageSet
from harness.plugin.registry import Registry
from harness.plugin.values import Image
from harness.store import Store

# Digits of a digest that are shown.
SHOWN = 12


@runtime_checkable
class TellsClasses(Protocol):
    """An image set that names the classes of its labels, whether it has splits or not."""

    def classes(self) -> Sequence[str]:
        """Their names."""


class RunInputs:
    """Gives the images and models of one run; what it read it keeps."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._image_sets: dict[str, ImageSet] = {}
        self._ablators: dict[tuple[str, AblationSpec], Ablator] = {}
        # An image's maps and methods come one after the other.
        self._last: tuple[str, Image] | None = None

    def image(self, image_set: str, key: str) -> Image:
        """An image of a set that the run has.

        Raises HarnessError if it cannot be had or has other pixels than in the run.
        """
        if self._last is None or self._last[0] != image_set or self._last[1].key != key:
            self._last = image_set, self._load(image_set, key)
        return self._last[1]

    def _load(self, image_set: str, key: str) -> Image:
        try:
            image = self._image_set(image_set).load(key)
        except HarnessError:
            raise
        except Exception as error:  # a plugin's method may raise anything
            raise HarnessError(f"{image_set}: {key}: {type(error).__name__}: {error}") from error
        (digest,) = self._store.connection.execute(
            "SELECT digest FROM images WHERE image_set = ? AND image = ?", (image_set, key)
        ).fetchone()
        if image.digest != digest:
            raise HarnessError(
                f"{key}: its pixels are not those of the run: their digest is "
                f"{image.digest[:SHOWN]}…, the run's is {digest[:SHOWN]}…"
            )
        return image

    def classes(self, image_set: str) -> tuple[str, ...]:
        """The classes that the labels of a set's images are of; empty where it does not tell."""
        made = self._image_set(image_set)
        return tuple(made.classes()) if isinstance(made, TellsClasses) else ()

    def _image_set(self, text: str) -> ImageSet:
        if text not in self._image_sets:
            made: list[Any] = self._registry.make("image set", text)
            (self._image_sets[text],) = made
        return self._image_sets[text]

    def ablator(self, extractor: str, removal: AblationSpec) -> Ablator:
        """What removing patches does to the model behind an extractor of the run.

        Raises HarnessError for an extractor that does not offer it, for a place that its model
        does not have, and for a model that is gone or another than it was in the run.
        """
        asked = extractor, removal
        if asked not in self._ablators:
            self._ablators[asked] = self._ablatable(extractor).ablator(removal)
        return self._ablators[asked]

    def _ablatable(self, text: str) -> Ablatable:
        (made,) = self._registry.make("extractor", text)
        if not (isinstance(made, Ablatable) and isinstance(made, Extractor)):
            raise HarnessError(
                f"{self._store.folder}: its maps come from {text}, behind which there is no model "
                "to look into; there is one behind one-layer-vit, hf and timm"
            )
        found = made.fingerprint()
        for session in reversed(self._store.sessions()):
            then = session["fingerprints"].get(text, found)
            if then != found:
                raise HarnessError(
                    f"{text}: not the model of the run: its SHA-256 is {found[:SHOWN]}…, the run's "
                    f"was {then[:SHOWN]}…"
                )
            break
        return made
