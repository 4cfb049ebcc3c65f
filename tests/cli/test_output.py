import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.output import replacing, write_table
from harness.errors import HarnessError


class Failing(list[int]):
    """A column whose second value cannot be read."""

    def __iter__(self) -> Iterator[int]:
        yield 1
        raise ZeroDivisionError


def test_a_table_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    with pytest.raises(ZeroDivisionError):
        write_table({"a": Failing([1, 2])}, path)

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_table_without_rows_has_its_header(tmp_path: Path) -> None:
    write_table({"a": [], "b": []}, tmp_path / "table.csv")

    assert (tmp_path / "table.csv").read_text() == "a,b\n"


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")

    write_table({"a": [1]}, tmp_path / "link.csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "a\n1\n"


def test_a_pipe_is_written_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        write_table({"a": [1]}, tmp_path / "pipe")
        assert reader.communicate()[0] == b"a\n1\n"

    assert (tmp_path / "pipe").is_fifo()


def test_stdout_is_written_also_where_it_is_a_file(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from harness.cli.output import write_table; "
        "print(1, flush=True); write_table({'a': [2]}, Path('/dev/stdout'))"
    )
    with (tmp_path / "out").open("a") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)

    assert (tmp_path / "out").read_text().splitlines()[-1] == "2"


@pytest.mark.parametrize("name", ["nowhere/table.csv", "n" * 300, "."])
def test_a_path_that_cannot_be_written_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarnessError, match="cannot be written: "):
        write_table({"a": [1]}, tmp_path / name)
    assert not [*tmp_path.iterdir()]


def test_names_as_long_as_a_file_system_takes_are_written(tmp_path: Path) -> None:
    with replacing(tmp_path / ("n" * 255)) as new:
        new.write_text("text")

    assert [path.name for path in tmp_path.iterdir()] == ["n" * 255]
