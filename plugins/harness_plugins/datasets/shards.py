"""Images in Parquet files, as Hugging Face's `datasets` writes them: shards, columns and rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from harness import HarnessError
from harness_plugins.names import text_of

SUFFIX = ".parquet"
# Bytes of a column that are read at a time, and rows that are decoded at a time: a row group is
# never held as a whole.
BUFFER = 1 << 20
BATCH = 8


@dataclass(frozen=True)
class Columns:
    """The names of the columns of images and of labels, "" without labels.

    names: those of the classes; () if the labels are the values themselves, or there are none.
    """

    image: str
    label: str
    names: tuple[str, ...]


class Row(NamedTuple):
    """Where a row is: its shard, the row group there, and its place in the group."""

    shard: Path
    group: int
    place: int


def find(path: Path) -> dict[str, Path]:
    """The file itself, or the Parquet files below a folder, hidden ones excepted, by name.

    A name is the path relative to the folder without its suffix; a file's own is its last part.
    Links are followed: the hub's cache consists of links.
    """
    if path.is_file():
        return {text_of(path.stem): path}
    if not path.is_dir():
        what = "neither a file nor a folder" if path.exists() else "no such file or folder"
        raise HarnessError(f"{path}: {what}")
    found = {
        text_of(relative.with_suffix("")): path / relative
        for relative in (each.relative_to(path) for each in path.rglob(f"*{SUFFIX}"))
        if not any(part.startswith(".") for part in relative.parts)
    }
    if not found:
        raise HarnessError(f"{path}: contains no file *{SUFFIX}")
    return dict(sorted(found.items()))


def columns_of(shard: Path, image: str | None, label: str | None) -> Columns:
    """The columns of images and labels of a shard, found by their types unless they are given."""
    with _reading(shard) as file:
        schema = file.schema_arrow
    features = _features(schema)
    pictures = [field.name for field in schema if _is_picture(field.type)]
    labels = [name for name in schema.names if features.get(name, {}).get("_type") == "ClassLabel"]
    of_images = _chosen(shard, "image", image, pictures, schema.names)
    of_labels = _chosen(shard, "label", label, labels, schema.names)
    if not of_images:
        raise HarnessError(f"{shard}: no column of images, but {', '.join(schema.names)}")
    kind = schema.field(of_images).type
    if not (_is_picture(kind) or _is_bytes(kind)):
        raise HarnessError(f"{shard}: column {of_images} holds {kind}, not images as bytes")
    names = features[of_labels].get("names") if of_labels in labels else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise HarnessError(f"{shard}: the names of the classes of {of_labels} are not texts")
    return Columns(of_images, of_labels, tuple(names))


def rows_of(shard: Path) -> list[Row]:
    """The rows of a shard."""
    with _reading(shard) as file:
        groups = range(file.num_row_groups)
        sizes = [file.metadata.row_group(group).num_rows for group in groups]
    return [Row(shard, group, place) for group in groups for place in range(sizes[group])]


def values_of(shard: Path, column: str) -> list[int | str | None]:
    """The whole numbers or texts in a column of a shard."""
    with _reading(shard) as file:
        values: list[int | str | None] = file.read(columns=[column]).column(0).to_pylist()
    for value in values:
        if not isinstance(value, int | str | None):
            raise HarnessError(
                f"{shard}: column {column} holds {type(value).__name__}, not classes: texts or "
                "whole numbers"
            )
    return values


class Pictures:
    """Reads the bytes of pictures row by row; what follows is read on, and nothing twice.

    A row before the last one of its row group makes the group be read again from its start.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._group: tuple[Path, int] | None = None
        self._rows: Iterator[Any] = iter(())
        self._next = 0
        # The first row of a row group that cannot be read, and why.
        self._damage: dict[tuple[Path, int], tuple[int, HarnessError]] = {}

    def bytes_of(self, row: Row) -> BytesIO:
        """The bytes of a row; HarnessError says why there are none."""
        group = row.shard, row.group
        if group in self._damage:
            first, error = self._damage[group]
            if row.place >= first:
                raise error
        if group != self._group or row.place < self._next:
            self._group, self._rows, self._next = group, self._read(row), 0
        try:
            while self._next <= row.place:
                value = next(self._rows)
                self._next += 1
        except HarnessError as error:
            self._damage[group] = self._next, error
            self._group = None
            raise
        return _picture(value.as_py())

    def _read(self, row: Row) -> Iterator[Any]:
        with _reading(row.shard) as file:
            for batch in file.iter_batches(BATCH, [row.group], [self._column]):
                yield from batch.column(0)


def _picture(value: Any) -> BytesIO:
    content, path = value, None
    if isinstance(value, Mapping):
        content, path = value.get("bytes"), value.get("path")
    if content is None:
        where = "" if path is None else f", only the path {path}"
        raise HarnessError(f"holds no bytes of an image{where}")
    return BytesIO(content)


@contextmanager
def _reading(shard: Path) -> Iterator[Any]:
    """An open shard; HarnessError if it, or what is read of it, is broken."""
    import pyarrow
    from pyarrow import parquet

    try:
        # Arrow itself opens no path that is not UTF-8.
        with shard.open("rb") as file:
            yield parquet.ParquetFile(file, buffer_size=BUFFER)
    except (OSError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise HarnessError(f"{shard.name}: cannot be read as Parquet: {reason}") from error


def _features(schema: Any) -> Mapping[str, Mapping[str, Any]]:
    """What `datasets` says of the columns, as far as it is well-formed."""
    try:
        metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = metadata["info"]["features"]
        return {name: each for name, each in features.items() if isinstance(each, dict)}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _is_picture(kind: Any) -> bool:
    """Whether a column's type is that of images: a struct with bytes."""
    import pyarrow

    if not pyarrow.types.is_struct(kind):
        return False
    return any(
        kind.field(i).name == "bytes" and _is_bytes(kind.field(i).type)
        for i in range(kind.num_fields)
    )


def _is_bytes(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def _chosen(
    shard: Path, parameter: str, given: str | None, found: Sequence[str], columns: Sequence[str]
) -> str:
    """The column that is given, else the only one that is found; "" if none is."""
    if given is not None:
        if given not in columns:
            raise HarnessError(
                f"{shard}: there is no column {given!r}; there are {', '.join(columns)}"
            )
        return given
    if len(found) > 1:
        raise HarnessError(
            f"{shard}: {parameter}s may be in {', '.join(found)}; choose with {parameter}=…"
        )
    return next(iter(found), "")
