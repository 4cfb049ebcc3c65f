"""Files that several verbs write."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HarnessError


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV, with every column that one of them has.

    Raises HarnessError if it cannot be written.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
