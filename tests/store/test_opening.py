import contextlib
import math
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.plugin.profile import Point
from harness.store import FILE_NAME, Store, open_for_reading, open_for_writing
from harness.store.records import CellRecord


def keys_of(store: Store) -> set[str]:
    return {cell for (cell,) in store.connection.execute("SELECT cell FROM cells")}


def test_a_run_that_ends_while_it_is_read_is_one_file_nevertheless(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("a", "ok")])
        uri = f"file:{tmp_path / FILE_NAME}?mode=ro"
        reader = sqlite3.connect(uri, uri=True, check_same_thread=False)
        reader.execute("SELECT cell FROM cells").fetchall()
        threading.Timer(0.2, reader.close).start()

    assert {path.name for path in tmp_path.glob(f"{FILE_NAME}*")} == {FILE_NAME}


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom harness.store import open_for_writing\n"
        "with open_for_writing(pathlib.Path(sys.argv[1])):\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    try:
        with pytest.raises(HarnessError, match="another process"), open_for_writing(tmp_path):
            pass
    finally:
        other.communicate("")

    with open_for_writing(tmp_path) as store:
        assert keys_of(store) == set()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\nfrom harness.store import open_for_writing\n"
        "with open_for_writing(pathlib.Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9

    with open_for_writing(tmp_path) as store:
        assert keys_of(store) == set()


def test_a_finished_run_is_one_file(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("key", "ok")])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["maps", "run.lock", FILE_NAME]


@pytest.mark.parametrize("opened", [open_for_reading, open_for_writing])
@pytest.mark.parametrize(("version", "age"), [(1, "an older"), (99, "a newer")])
def test_a_store_of_another_version_is_refused_and_left_unchanged(
    tmp_path: Path, version: int, age: str, opened: Callable[..., Any]
) -> None:
    with open_for_writing(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    content = (tmp_path / FILE_NAME).read_bytes()

    line = f"written by {age} harness .its schema is version {version}"
    with pytest.raises(HarnessError, match=line), opened(tmp_path):
        pass

    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:4096] + bytes(len(content) - 4096),
        lambda content: bytes(100) + content[100:],
        lambda content: content[:20000] + b"\xff" * 5000 + content[25000:],
    ],
    ids=["cut", "zeroed pages", "no header", "overwritten"],
)
def test_a_damaged_store_is_refused_and_never_written_to(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells(record(f"cell {number}") for number in range(200))
    path = tmp_path / FILE_NAME
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)

    with pytest.raises(HarnessError, match=r"damaged|not the store"), open_for_writing(tmp_path):
        pass

    assert path.read_bytes() == damaged


def record(key: str) -> CellRecord:
    one = Point(0, 0, 1, 0.5, 0.5, 0.5, 2, 1, 1, 0, math.nan, 0.1, np.array([0, 1]))
    return CellRecord(key, "ok", points=[one])


def test_a_power_cut_loses_the_latest_records_only_and_none_in_part(tmp_path: Path) -> None:
    keys = [f"cell {number:02}" for number in range(40)]
    with open_for_writing(tmp_path / "run") as store:
        for key in keys:
            store.write_cells([record(key)])
        database = (tmp_path / "run" / FILE_NAME).read_bytes()
        log = (tmp_path / "run" / f"{FILE_NAME}-wal").read_bytes()
    random = np.random.default_rng(0)
    found = []
    for number, length in enumerate([0, *random.integers(0, len(log), 20), len(log)]):
        # What is on the disk after a power cut: the file, and a part of its log.
        cut = tmp_path / f"cut {number}"
        cut.mkdir()
        (cut / FILE_NAME).write_bytes(database)
        (cut / f"{FILE_NAME}-wal").write_bytes(log[:length])
        with open_for_writing(cut) as store:
            computed = sorted(keys_of(store))
            assert computed == keys[: len(computed)]
            assert all(len(store.profile(key)) == 1 for key in computed)
        found.append(len(computed))

    assert min(found) == 0
    assert max(found) == len(keys)
    assert len(set(found)) > 10


def test_a_full_disk_is_reported_and_earlier_records_stay(tmp_path: Path) -> None:
    def fill() -> None:
        with open_for_writing(tmp_path) as store:
            store.write_cells([record("first")])
            (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
            store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            store.write_cells(record(f"cell {number}") for number in range(1000))

    with pytest.raises(HarnessError, match="the disk is full; finished work is saved"):
        fill()

    with open_for_reading(tmp_path) as store:
        assert keys_of(store) == {"first"}


def test_partial_maps_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        old, new = (store.maps_folder / f"{name}.partial" for name in ("old", "new"))
        for path in (old, new):
            path.write_bytes(b"half")
    os.utime(old, (0, 0))

    with open_for_writing(tmp_path):
        pass

    assert not old.exists()
    assert new.exists()


def test_a_file_that_is_not_a_store_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("my notes")

    with pytest.raises(HarnessError, match="no store of a run"), open_for_writing(tmp_path):
        pass

    assert (tmp_path / FILE_NAME).read_text() == "my notes"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cells SET seconds = 'x'",
        "UPDATE cells SET nodes = 1.5",
        "UPDATE cells SET status = x'00'",
        "UPDATE cells SET labels = 7",
        "UPDATE cells SET labels = x'00'",
    ],
)
def test_values_that_no_reader_can_use_are_damage_of_their_file(
    tmp_path: Path, change: str
) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([record("key")])
        with store.connection:
            store.connection.execute(change)

    with (
        pytest.raises(HarnessError, match=rf"^{tmp_path / FILE_NAME}: damaged"),
        open_for_reading(tmp_path),
    ):
        raise TypeError


def test_a_missing_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no run is there"), open_for_reading(tmp_path):
        pass
