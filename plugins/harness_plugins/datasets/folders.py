"""Where an image set's files are looked for, and where they are put."""

import os
from pathlib import Path

from harness import HarnessError
from harness_plugins.datasets.catalogue import known

VARIABLE = "HARNESS_DATA"
APPLICATION = "attention-harness"


def fetched(name: str) -> Path:
    """The folder that `harness data fetch` makes for a set.

    It is below the folder that the environment variable HARNESS_DATA names, else below the
    user's cache folder, as the platform has it.
    """
    return _roots()[0] / name


def find(name: str, path: Path | None = None) -> Path:
    """The folder of a set's files: the one given, else the first there is.

    Raises HarnessError, naming every place and the command that gets the set, if there is none.
    """
    if path is not None:
        folder = Path(os.path.expanduser(path))
        if not folder.is_dir():
            what = "a file, not a folder" if folder.exists() else "no such folder"
            parts = ", ".join(known(name).parts)
            raise HarnessError(f"{path}: {what}; it should hold {parts}")
        return folder
    found = here(name)
    if found is None:
        raise HarnessError(
            f"{name} is not here; looked in {', '.join(map(str, places(name)))}; "
            f"`harness data fetch {name}` gets it, path=… names another folder"
        )
    return found


def here(name: str) -> Path | None:
    """The first of a set's places that is there."""
    return next((place for place in places(name) if place.is_dir()), None)


def places(name: str) -> list[Path]:
    """Where a set is looked for, in this order."""
    return [*(root / name for root in _roots()), *known(name).installed]


def _roots() -> list[Path]:
    """Folders that have a folder for each set, the one to write to first."""
    import platformdirs

    cache = platformdirs.user_cache_path(APPLICATION)
    chosen = os.environ.get(VARIABLE)
    return [Path(os.path.expanduser(chosen)), cache] if chosen else [cache]
