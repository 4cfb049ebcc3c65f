"""CIFAR-10 (Krizhevsky 2009), the binary version, read from a folder.

Format: https://www.cs.toronto.edu/~kriz/cifar.html: a record is a label and 32×32 bytes each of
red, green and blue. The Python version consists of pickles and is not read.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import HarnessError
from harness_plugins.datasets.splits import Half

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
FILES: dict[Half, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
RECORDS = 10_000


def load(folder: Path, half: Half) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (count, 32, 32, 3) and labels (count,), in the order of the files."""
    records = np.concatenate([read(folder / name) for name in FILES[half]])
    planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return planes.transpose(0, 2, 3, 1), records[:, 0]


def read(path: Path) -> NDArray[np.uint8]:
    """The records (10,000, 3073) of one file."""
    if not path.is_file():
        if path.with_suffix("").is_file():
            raise HarnessError(
                f"{path.parent}: holds CIFAR-10's Python version, which is pickles and is not "
                "read; the binary version is needed"
            )
        names = ", ".join(name for names in FILES.values() for name in names)
        raise HarnessError(f"{path.parent}: {path.name} is missing; expected {names}")
    expected = RECORDS * RECORD
    size = path.stat().st_size
    if size != expected:
        raise HarnessError(f"{path}: {size} bytes, not {RECORDS} records of {RECORD}, {expected}")
    try:
        records = np.fromfile(path, dtype=np.uint8).reshape(RECORDS, RECORD)
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: cannot be read: {error}") from error
    if records[:, 0].max() >= len(CLASSES):
        raise HarnessError(
            f"{path}: label {records[:, 0].max()} is not among {len(CLASSES)} classes"
        )
    return records
