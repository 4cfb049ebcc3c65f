"""Published runs that somebody has changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from harness.store.publication import CHECKED, file_of, write_checksums


def rewrite(folder: Path, name: str, change: Callable[[pyarrow.Table], pyarrow.Table]) -> None:
    """Change a table as somebody does who also makes the checksums again."""
    path = folder / file_of(name)
    parquet.write_table(change(parquet.read_table(path)), path)
    write_checksums(folder, CHECKED)


def set_column(name: str, column: str, values: Any) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        index = table.schema.get_field_index(column)
        field = table.schema.field(index)
        return table.set_column(index, field, pyarrow.array([values] * len(table), field.type))

    return change
