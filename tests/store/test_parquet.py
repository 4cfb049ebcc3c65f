"""What a Parquet file of somebody else may take of memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import harness
from harness.store.parquet import MOST, pages

SCHEMA = pyarrow.schema(
    [
        ("text", pyarrow.string()),
        ("number", pyarrow.int64()),
        ("labels", pyarrow.list_(pyarrow.int16())),
    ]
)
ROWS = {"text": ["é", None, "b", "é"], "number": [1, 2, None, 4], "labels": [[1, 2], [], None, [3]]}


def written(path: Path, table: pyarrow.Table, **options: Any) -> Path:
    parquet.write_table(table, path, **options)
    return path


def read(path: Path, columns: Sequence[str] = SCHEMA.names, rows: int = 3) -> list[dict[str, Any]]:
    return list(pages(path, SCHEMA, columns, rows))


def test_a_table_is_read_page_by_page_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "table", pyarrow.table(ROWS, SCHEMA))

    first, second = read(path)

    assert [*first["text"], *second["text"]] == ROWS["text"]
    assert [*first["number"], *second["number"]] == ROWS["number"]
    lists = [
        None if each is None else np.frombuffer(each, "<i2").tolist()
        for each in [*first["labels"], *second["labels"]]
    ]
    assert lists == ROWS["labels"]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [("text", [1], "string"), ("number", ["1"], "int64"), ("labels", [[1]], "list<item: int16>")],
)
def test_a_column_of_another_type_is_named(
    tmp_path: Path, column: str, values: list[Any], kind: str
) -> None:
    table = pyarrow.table({**{name: ROWS[name][:1] for name in ROWS}, column: values})

    with pytest.raises(harness.HarnessError, match=f"{column} is missing, or not of {kind}"):
        read(written(tmp_path / "table", table), ["number"])


def test_a_text_that_many_rows_share_is_unpacked_once_and_counts_for_each(tmp_path: Path) -> None:
    text = "x" * 2**22
    rows = MOST // len(text) + 1
    shared = pyarrow.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [text])
    labels = pyarrow.array([[0]] * rows, SCHEMA.field("labels").type)
    table = pyarrow.table({"text": shared, "number": [0] * rows, "labels": labels})
    path = written(tmp_path / "table", table, dictionary_pagesize_limit=2**30, compression="zstd")
    assert path.stat().st_size < 2**16

    with pytest.raises(harness.HarnessError, match=r"it takes 4\.0 GiB of memory, more than the 4"):
        read(path, rows=rows)


def test_the_sizes_that_a_files_metadata_give_are_bounded_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.parquet.MOST", 2**20)
    lists = pyarrow.array([[7] * 2**20], SCHEMA.field("labels").type)
    table = pyarrow.table({"text": [""], "number": [0], "labels": lists}, SCHEMA)
    path = written(tmp_path / "table", table)
    assert path.stat().st_size < 2**13

    with pytest.raises(harness.HarnessError, match=r"it takes 0\.0 GiB of memory, more than the 0"):
        next(pages(path, SCHEMA, ["labels"], 1))
    assert len(read(path, ["text", "number"])) == 1
