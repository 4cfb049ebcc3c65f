"""Files of checkpoints: found by name, opened, and their settings read without torch."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from harness import HarnessError

SHIPPED = Path(__file__).parent / "checkpoints"


def checkpoint_file(name: str) -> Path:
    """The file of a shipped checkpoint of that name; any other name is a path."""
    shipped = SHIPPED / f"{name}.safetensors"
    if Path(name).name == name and shipped.is_file():
        return shipped
    return Path(os.path.expanduser(name))


@contextmanager
def opened(path: Path, framework: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A file that the harness wrote, open for reading its tensors, and its metadata."""
    if not path.is_file():
        raise HarnessError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework=framework) as file:
            metadata = json.loads((file.metadata() or {})["harness"])
            if not isinstance(metadata, dict):
                raise ValueError("its metadata is not a table")
            yield file, metadata
    except (SafetensorError, LookupError, TypeError, ValueError, OSError, RecursionError) as error:
        raise HarnessError(
            f"{path}: not a checkpoint that `harness train` wrote ({error})"
        ) from error


def head_count(path: Path) -> int:
    """The number of attention heads of a checkpoint's model; 0 if it has no attention."""
    with opened(path, "np") as (_, metadata):
        heads, attention = metadata["model"]["heads"], metadata["model"]["attention"]
        # Every head has weights of its own: there are fewer heads than bytes.
        if not isinstance(heads, int) or not 1 <= heads < path.stat().st_size:
            raise ValueError(f"it claims {heads} heads")
    return heads if attention else 0
