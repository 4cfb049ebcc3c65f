"""What a checkpoint says about itself, read without torch.

Format: https://github.com/huggingface/safetensors#format (length, then a JSON header).
"""

import json
from pathlib import Path
from typing import Any

from harness.errors import HarnessError

# The format's own limit for a header.
LARGEST = 100_000_000


def read_settings(path: Path) -> dict[str, Any]:
    """The model settings in a checkpoint's metadata.

    Raises HarnessError if the file is missing or is no checkpoint that `harness train` wrote.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > LARGEST:
                raise ValueError("it has no header of safetensors")
            header = json.loads(file.read(length))
        settings = json.loads(header["__metadata__"]["harness"])["model"]
        return {"heads": int(settings["heads"]), "attention": bool(settings["attention"])}
    except OSError as error:
        raise HarnessError(f"{path}: no such checkpoint: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HarnessError(
            f"{path}: not a checkpoint that `harness train` wrote ({error})"
        ) from error
