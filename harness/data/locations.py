"""Where an image set's files are looked for, and where they are put."""

import os
from pathlib import Path

from harness.data.catalogue import known
from harness.errors import HarnessError

VARIABLE = "HARNESS_DATA"
APPLICATION = "attention-harness"


def home(name: str) -> Path:
    """The folder that `harness data fetch` makes for a set.

    It is below the folder that the environment variable HARNESS_DATA names, else below the
    user's cache folder, as the platform has it.
    """
    return _roots()[0] / name


def located(name: str, path: Path | None = None) -> Path:
    """The folder of a set's files: the one given, else the first there is.

    Raises HarnessError, naming every place and the command that gets the set, if there is none.
    """
    if path is not None:
        folder = Path(os.path.expanduser(path))
        if not folder.is_dir():
            what = "a file, not a folder" if folder.exists() else "no such folder"
            raise HarnessError(f"{path}: {what}; it should hold {known(name).layout}")
        return folder
    places = [*(root / name for root in _roots()), *known(name).installed]
    for place in places:
        if place.is_dir():
            return place
    raise HarnessError(
        f"{name} is not here; looked in {', '.join(map(str, places))}; "
        f"`harness data fetch {name}` gets it, path=… names another folder"
    )


def _roots() -> list[Path]:
    """Folders that have a folder for each set, the one to write to first."""
    import platformdirs

    cache = platformdirs.user_cache_path(APPLICATION)
    chosen = os.environ.get(VARIABLE)
    return [Path(os.path.expanduser(chosen)), cache] if chosen else [cache]
