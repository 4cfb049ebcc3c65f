"""The images and the models that a run's maps come from, refused where they are others by now."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.components import Extractor, ImageSet
from harness.errors import HarnessError
from harness.registry import Registry
from harness.store import Store
from harness.values import Image

if TYPE_CHECKING:
    from harness.vit.checkpoint import Checkpoint

# Digits of a digest that are shown.
SHOWN = 12


@runtime_checkable
class TellsCheckpoint(Protocol):
    """An extractor whose maps are those of a one-layer ViT in a file."""

    @property
    def checkpoint_file(self) -> Path:
        """Where `harness train` wrote it."""


@runtime_checkable
class TellsClasses(Protocol):
    """An image set that names the classes of its labels, whether it has splits or not."""

    def classes(self) -> Sequence[str]:
        """Their names."""


class Origins:
    """Gives the images and checkpoints of one run; what it read it keeps."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._image_sets: dict[str, ImageSet] = {}
        self._checkpoints: dict[str, Checkpoint] = {}
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

    def checkpoint(self, extractor: str) -> "Checkpoint":
        """The one-layer ViT behind an extractor of the run.

        Raises HarnessError for an extractor without one, and if its file is gone or is another
        than it was in the run.
        """
        if extractor not in self._checkpoints:
            self._checkpoints[extractor] = self._read(extractor)
        return self._checkpoints[extractor]

    def _read(self, extractor: str) -> "Checkpoint":
        from harness.vit import checkpoint

        (made,) = self._registry.make("extractor", extractor)
        if not (isinstance(made, TellsCheckpoint) and isinstance(made, Extractor)):
            raise HarnessError(
                f"{self._store.folder}: its maps come from {extractor}, behind which there is no "
                "model to look into; only one-layer-vit has one"
            )
        found = made.fingerprint()
        for session in reversed(self._store.sessions()):
            then = session["fingerprints"].get(extractor, found)
            if then != found:
                raise HarnessError(
                    f"{made.checkpoint_file}: not the checkpoint of the run: its SHA-256 is "
                    f"{found[:SHOWN]}…, the run's was {then[:SHOWN]}…"
                )
            break
        return checkpoint.load(made.checkpoint_file)
