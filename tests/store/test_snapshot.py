"""Reading a store for long while a run writes to it."""

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.store import FILE_NAME, open_for_reading, open_for_writing
from harness.store.records import CellRecord
from harness.store.snapshot import still, version


def keys_of(folder: Path) -> set[str]:
    with open_for_reading(folder) as store:
        return {cell for (cell,) in store.connection.execute("SELECT cell FROM cells")}


def test_a_store_that_nobody_writes_to_is_read_as_it_is(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        store.write_cells([CellRecord("a", "ok")])

    with still(tmp_path) as place:
        assert place == tmp_path


def test_a_store_that_is_written_to_is_copied_with_its_maps(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with open_for_writing(run) as store:
        store.write_cells([CellRecord("a", "ok")])
        (run / "maps" / "a.npy").write_bytes(b"map")
        with still(run) as place:
            store.write_cells([CellRecord("b", "ok")])
            assert keys_of(place) == {"a"}
            assert (place / "maps" / "a.npy").read_bytes() == b"map"
            assert place.name == "run"
            assert place.parent.stat().st_mode & 0o077 == 0

    assert not place.exists()
    assert (run / "maps" / "a.npy").exists()


def test_reading_a_copy_does_not_keep_a_run_from_ending(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with open_for_writing(run) as store:
        store.write_cells([CellRecord("a", "ok")])
        copied = still(run)
        place = copied.__enter__()
        reading = open_for_reading(place)
        reading.__enter__()

    assert [path.name for path in run.glob(f"{FILE_NAME}*")] == [FILE_NAME]
    reading.__exit__(None, None, None)
    copied.__exit__(None, None, None)


def test_a_store_that_cannot_be_copied_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no store" * 1000)
    (tmp_path / f"{FILE_NAME}-wal").write_bytes(b"no log")

    with pytest.raises(HarnessError, match="cannot be copied"), still(tmp_path):
        pass


def test_its_version_changes_with_every_commit(tmp_path: Path) -> None:
    with open_for_writing(tmp_path) as store:
        found = [version(tmp_path)]
        for cell in "abc":
            store.write_cells([CellRecord(cell, "ok")])
            found.append(version(tmp_path))

    assert len(set(found)) == 4
    assert version(tmp_path) == version(tmp_path)
