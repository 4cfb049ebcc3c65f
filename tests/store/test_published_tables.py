"""What is said of published tables that no run has."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow
import pytest

import harness
from harness.store.publication import CHECKED, file_of, write_checksums
from support.published import rewrite, set_column


def labelled(label: int) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        index = table.schema.get_field_index("labels")
        kept = table.column("labels").to_pylist()
        found = [None if each is None else [label] * len(each) for each in kept]
        field = table.schema.field(index)
        return table.set_column(index, field, pyarrow.array(found, field.type))

    return change


def plateau(first: int, last: int) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        for column, end in (("plateau_first", first), ("plateau_last", last)):
            table = set_column("selections", column, end)(table)
        return table

    return change


WRONG: Mapping[str, tuple[str, Callable[[pyarrow.Table], pyarrow.Table]]] = {
    "column missing": ("selections", lambda table: table.drop_columns(["candidate"])),
    "type": ("cells", lambda t: t.set_column(0, "cell", pyarrow.array([1] * len(t)))),
    "missing values": ("cells", set_column("cells", "map", None)),
    "level missing": ("points", lambda table: table.slice(0, 0)),
    "level of none": ("selections", set_column("selections", "candidate", 4000)),
    "labels below those of no cluster": ("points", labelled(-5)),
    "labels cut": ("points", set_column("points", "labels", [0, 1])),
    "JSON": ("points", set_column("points", "diagnostics", "{")),
    "JSON of another kind": ("points", set_column("points", "warnings", '{"a": 1}')),
    "grid": ("maps", set_column("maps", "grid", '{"a": 1}')),
    "grid of another size": ("maps", set_column("maps", "grid", "[1000, 1000]")),
    "null as JSON": ("maps", set_column("maps", "truth", "null")),
    "no JSON": ("maps", set_column("maps", "truth", "")),
    "region without end": ("maps", set_column("maps", "region", "[1e400, 0, 1, 1]")),
    "map of another key": ("maps", set_column("maps", "map", "other")),
    "map of another size": ("maps", set_column("maps", "nodes", 7)),
    "control that was not drawn": ("tests", set_column("tests", "control", "other")),
    "cluster number": ("stabilities", set_column("stabilities", "weakest_cluster", 99)),
    "level beyond the cell's": ("cells", set_column("cells", "n_points", 1)),
    "half a plateau": ("selections", set_column("selections", "plateau_first", 0)),
    "plateau elsewhere": ("selections", plateau(90, 99)),
    "number without end": ("tests", set_column("tests", "z", math.inf)),
    "number whose sums have no end": ("tests", set_column("tests", "z", 1e308)),
    "p": ("tests", set_column("tests", "p", 1.5)),
    "draws without levels": ("tests", set_column("tests", "null_candidates", [])),
    "layer": ("cells", set_column("cells", "layer", -1)),
    "diagnostics": ("points", set_column("points", "diagnostics", '{"a": [1]}')),
    "nested JSON": ("points", set_column("points", "warnings", "[" * 900 + "]" * 900)),
    "null in a list": ("tests", set_column("tests", "null_statistics", [None])),
}


@pytest.mark.parametrize(("name", "change"), WRONG.values(), ids=WRONG)
def test_wrong_tables_with_right_checksums_cost_one_line(
    published: Path, name: str, change: Callable[[pyarrow.Table], pyarrow.Table]
) -> None:
    rewrite(published, name, change)

    with pytest.raises(harness.HarnessError, match="published") as caught:
        harness.open_run(published)
    assert "\n" not in str(caught.value)
    assert str(published) in str(caught.value)


def test_a_file_that_is_no_table_costs_one_line(published: Path) -> None:
    (published / file_of("cells")).write_bytes(b"PAR1 and then nothing PAR1")
    write_checksums(published, CHECKED)

    with pytest.raises(harness.HarnessError, match=r"cells\.parquet: not a table"):
        harness.open_run(published)
