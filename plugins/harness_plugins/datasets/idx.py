"""The IDX format of MNIST and similar sets: a header of sizes, then bytes.

Format: http://yann.lecun.com/exdb/mnist/ (magic 0, 0, type, dimensions; big-endian sizes).
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import HarnessError

UNSIGNED_BYTE = 0x08
# 60,000 images of 28×28 take 47 MB.
LARGEST = 1 << 30


def read_bytes(path: Path) -> bytes:
    """The content of an IDX file, decompressed if its name ends in .gz."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise HarnessError(f"{path}: cannot be read: {error}") from error
    if len(content) > LARGEST:
        raise HarnessError(f"{path}: larger than 1 GiB, too large for an IDX file of images")
    return content


def parse(content: bytes, name: str) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file's content."""
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise HarnessError(f"{name}: not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[at : at + 4]) for at in range(4, start, 4))
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
    except ValueError as error:
        stated, held = " × ".join(map(str, shape)), max(0, len(content) - start)
        raise HarnessError(
            f"{name}: its header states {stated or 'no'} bytes of data, it holds {held}"
        ) from error


def read(path: Path) -> NDArray[np.uint8]:
    """The array in an IDX file, plain or gzipped."""
    return parse(read_bytes(path), str(path))
