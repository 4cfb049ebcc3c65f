"""What runs a folder holds: what each compared, and whether it is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import HarnessError
from harness.store import Store, open_for_reading
from harness.store.folders import file_of_run, run_folders
from harness.store.missing import unfinished
from harness.store.publication import is_published
from harness.store.schema import FILE_NAME
from harness.store.selections import failed_selections


@dataclass(frozen=True)
class FoundRun:
    """A run in a folder: when it was last written, what it compared, and its state.

    Specs are in the order of the settings; state is "complete", or what is missing, failed or
    damaged; published: whether it is a published run.
    """

    run: str
    written: str
    clusterers: Sequence[str] = ()
    extractors: Sequence[str] = ()
    image_sets: Sequence[str] = ()
    controls: Sequence[str] = ()
    state: str = "complete"
    published: bool = False


def found_runs(folder: Path) -> list[FoundRun]:
    """Every run in a folder, the latest last; HarnessError if there is no such folder."""
    if not folder.is_dir():
        raise HarnessError(f"{folder}: no such folder; `harness run` writes runs to results/")
    return [_described(path) for path in run_folders(folder)]


def _described(path: Path) -> FoundRun:
    published = is_published(path)
    time = datetime.fromtimestamp(file_of_run(path).stat().st_mtime, UTC).astimezone()
    written = time.strftime("%Y-%m-%d %H:%M")
    try:
        with open_for_reading(path) as store:
            settings = store.settings()
            sets = store.connection.execute("SELECT DISTINCT image_set FROM images ORDER BY 1")
            return FoundRun(
                str(path),
                written,
                settings["clusterers"],
                settings["extractors"],
                [name for (name,) in sets],
                settings["controls"],
                _state(store),
                published,
            )
    except HarnessError as error:
        reason = str(error).removeprefix(f"{path / FILE_NAME}: ").removeprefix(f"{path}: ")
        return FoundRun(str(path), written, state=reason, published=published)
    except (LookupError, TypeError, ValueError) as error:
        return FoundRun(str(path), written, state=f"damaged: {error}", published=published)


def _state(store: Store) -> str:
    if lacks := unfinished(store):
        return lacks.partition(";")[0]
    statuses = store.statuses()
    cells = sum(statuses.values())
    if failed := cells - statuses.get("ok", 0):
        return f"failed: {failed} of {cells} cells"
    if failed := failed_selections(store):
        return f"failed: {failed} selections"
    return "complete"
