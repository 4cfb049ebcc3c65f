"""The folders in which image sets are looked for and stored."""

import os
from pathlib import Path

from harness import HarnessError
from harness_plugins.datasets.catalogue import known

VARIABLE = "HARNESS_DATA"
APPLICATION = "attention-harness"


def fetched(name: str) -> Path:
    """The folder that `harness data fetch` makes: in $HARNESS_DATA, else in the user's cache."""
    return _roots()[0] / name


def find(name: str, path: Path | None = None) -> Path:
    """The folder of a set's files: the given one, else the first of its folders that exists."""
    if path is not None:
        folder = Path(os.path.expanduser(path))
        if not folder.is_dir():
            what = "a file, not a folder" if folder.exists() else "no such folder"
            parts = ", ".join(known(name).parts)
            raise HarnessError(f"{path}: {what}; it should contain {parts}")
        return folder
    found = here(name)
    if found is None:
        raise HarnessError(
            f"{name} is not here; looked in {', '.join(map(str, candidates(name)))}; "
            f"`harness data fetch {name}` fetches it, path=… names another folder"
        )
    return found


def here(name: str) -> Path | None:
    """The first of a set's folders that exists."""
    return next((folder for folder in candidates(name) if folder.is_dir()), None)


def candidates(name: str) -> list[Path]:
    """The folders in which a set is looked for, in this order."""
    return [*(root / name for root in _roots()), *known(name).installed]


def _roots() -> list[Path]:
    """The parents of the sets' folders, first the one to write to."""
    import platformdirs

    cache = platformdirs.user_cache_path(APPLICATION)
    chosen = os.environ.get(VARIABLE)
    return [Path(os.path.expanduser(chosen)), cache] if chosen else [cache]
