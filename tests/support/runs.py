"""Small runs: louvain at three levels, in the calling process, unless a test changes that."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import harness

Finished = CompletedProcess[str]
Command = Callable[..., Finished]

SMALL = {
    "clusterers": "louvain",
    "selectors": "max-modularity",
    "controls": "none",
    "perturbations": "none",
    "nulls": 1,
    "levels": 3,
    "isolation": "none",
    # Tests of two runs are about both; those of taking over say so.
    "cache": "none",
}


def small_run(out: Path | None, maps: Any = None, **changes: Any) -> harness.Run:
    """Make a small run in `out`, on `maps` if given: a folder of .npy files, or arrays.

    `changes` are keywords of harness.run, as are those of the small run.
    """
    is_folder = isinstance(maps, Path)
    source = {"extractors": f"arrays[path={maps}]"} if is_folder else {"maps": maps}
    return harness.run(**{**SMALL, **source, "out": out, **changes})


def small_command(maps: Path | None = None, *more: object, **changes: object) -> list[str]:
    """Give the arguments of `harness` for the same run, and `more` after them."""
    source = {} if maps is None else {"extractors": f"arrays[path={maps}]"}
    flags = {**SMALL, **source, **changes}
    pairs = [(f"--{name.replace('_', '-')}", value) for name, value in flags.items()]
    return ["run", *(str(part) for pair in pairs for part in pair), *map(str, more)]


def six_cells(folder: Path, *more: object) -> list[str]:
    """Give the arguments for a run of six cells by the thesis' rule."""
    return small_command(
        folder,
        *more,
        controls="permuted-rows",
        selectors="stable-phase[beyond_noise=false]",
        nulls=3,
        levels=6,
    )
