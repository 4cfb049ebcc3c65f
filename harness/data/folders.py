"""Where the files of image sets lie that are known by name."""

import os
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError

APPLICATION = "attention-harness"
VARIABLE = "HARNESS_DATA"
# Where packages of operating systems install a set.
INSTALLED = {"fashion-mnist": (Path("/usr/share/datasets/fashion-mnist"),)}


def fetched(name: str) -> Path:
    """Where `harness data fetch` puts a set: under $HARNESS_DATA, else the user's cache folder."""
    from platformdirs import user_cache_path

    root = os.environ.get(VARIABLE)
    return (Path(root) if root else user_cache_path(APPLICATION)) / name


def places(name: str) -> Sequence[Path]:
    """Where a set is looked for if no path is told, the first that is there being used."""
    return (fetched(name), *INSTALLED.get(name, ()))


def find(name: str, path: Path | None) -> Path:
    """The folder of a set: the path that is told, or the first of its places that is there.

    Raises HarnessError with the places and the command that fetches the set.
    """
    if path is not None:
        return Path(os.path.expanduser(path))
    for place in places(name):
        if place.is_dir():
            return place
    looked = ", ".join(map(str, places(name)))
    raise HarnessError(
        f"{name}: not found at {looked}; `harness data fetch {name}` gets it, or tell where it "
        f"is: '{name}[path=DIR]'"
    )
