"""What a checkpoint says about itself, read without torch.

Format: https://github.com/huggingface/safetensors#format (length, then a JSON header).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import HarnessError

# The format's own limit for a header.
LARGEST = 100_000_000


@dataclass(frozen=True)
class AttentionSettings:
    """How many heads a checkpoint's model has, and whether it has attention at all."""

    heads: int
    attention: bool


def read_header(path: Path) -> tuple[Mapping[str, Any], int]:
    """The header of a safetensors file, and where in the file its tensors begin.

    Raises OSError if the file cannot be read; ValueError or RecursionError if it has no header.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST:
            raise ValueError("it has no header of safetensors")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    return header, 8 + length


def read_settings(path: Path) -> AttentionSettings:
    """The settings of attention in a checkpoint's metadata.

    Raises HarnessError if the file is missing or is no checkpoint that `harness train` wrote.
    """
    try:
        header, _ = read_header(path)
        model = json.loads(header["__metadata__"]["harness"])["model"]
        heads, attention = model["heads"], model["attention"]
        # Every head has weights of its own: there are fewer heads than bytes.
        if not isinstance(heads, int) or not 1 <= heads < path.stat().st_size:
            raise ValueError(f"it claims {heads} heads")
        return AttentionSettings(heads, bool(attention))
    except OSError as error:
        raise HarnessError(f"{path}: no such checkpoint: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HarnessError(
            f"{path}: not a checkpoint that `harness train` wrote ({error})"
        ) from error
