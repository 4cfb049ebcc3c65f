"""Reads Parquet files of others page by page, within bounds of memory.

A few bytes of a Parquet file may stand for very many: equal values are written once. So the sizes
that the file's metadata give are bounded before anything is unpacked, texts are unpacked once for
all rows that share them, and what is unpacked is counted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import FileMetaData

# Bytes that a table may take, with every text and list written out.
MOST = 2**32
# Bytes that a text takes at least.
TEXT = 8


def pages(
    path: Path, schema: "pyarrow.Schema", columns: Sequence[str], rows: int
) -> Iterator[dict[str, Sequence[Any]]]:
    """Yield some columns of a table, so many rows at a time; lists are little-endian bytes.

    Raises HarnessError if any column of the schema is missing or has another type, or if the
    columns take too much memory.
    """
    from pyarrow import parquet, types

    texts = [field.name for field in schema if types.is_string(field.type)]
    # Memory-mapped or not, Arrow opens no path that is not UTF-8.
    with path.open("rb") as file, parquet.ParquetFile(file, read_dictionary=texts) as found:
        _check_types(found.schema_arrow, schema)
        wanted = {name: _width(schema.field(name).type) for name in columns}
        _check_size(_size(found.metadata, wanted))
        unpacked = 0
        for batch in found.iter_batches(rows, columns=list(columns)):
            page = {name: _values(batch.column(name)) for name in columns}
            unpacked += sum(
                sum(map(len, filter(None, page[name]))) if name in texts else batch[name].nbytes
                for name in columns
            )
            # The metadata may say less than there is.
            _check_size(unpacked)
            yield page


def _check_types(found: "pyarrow.Schema", schema: "pyarrow.Schema") -> None:
    from pyarrow import types

    for field in schema:
        index = found.get_field_index(field.name)
        kind = None if index < 0 else found.field(index).type
        if kind is not None and types.is_dictionary(kind):
            kind = kind.value_type
        if kind != field.type:
            raise HarnessError(f"its column {field.name} is missing, or not of {field.type}")


def _check_size(size: int) -> None:
    if size > MOST:
        raise HarnessError(
            f"it takes {size / 2**30:.1f} GiB of memory, more than the {MOST / 2**30:.0f} GiB that "
            "a table of a published run may take"
        )


def _width(kind: "pyarrow.DataType") -> int:
    """The bytes of a value, or of a number in a list."""
    from pyarrow import types

    if types.is_list(kind):
        return _width(kind.value_type)
    return TEXT if types.is_string(kind) else max(1, int(kind.bit_width) // 8)


def _size(metadata: "FileMetaData", widths: dict[str, int]) -> int:
    """The bytes that some columns take by the metadata of their file, texts that repeat once."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    return sum(
        max(chunk.total_uncompressed_size, chunk.num_values * widths[name])
        for chunk in chunks
        if (name := chunk.path_in_schema.partition(".")[0]) in widths
    )


def _values(column: "pyarrow.Array") -> Sequence[Any]:
    from pyarrow import types

    if types.is_list(column.type):
        return _lists(column)
    if not types.is_dictionary(column.type):
        values: list[Any] = column.to_pylist()
        return values
    # Rows share their texts, as those of the file do.
    texts = column.dictionary.to_pylist()
    return [None if index is None else texts[index] for index in column.indices.to_pylist()]


def _lists(column: "pyarrow.ListArray") -> list[bytes | None]:
    """Lists of numbers as bytes, little-endian as in the store."""
    ends, numbers = column.offsets.to_numpy(), column.values.to_numpy(zero_copy_only=False)
    little = numbers.astype(numbers.dtype.newbyteorder("<"))
    if column.values.null_count:
        raise HarnessError("a number in a list is missing")
    return [
        little[start:end].tobytes() if valid else None
        for start, end, valid in zip(ends, ends[1:], column.is_valid().to_pylist(), strict=False)
    ]
