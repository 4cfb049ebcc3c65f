import contextlib
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas
import pytest

import harness
from harness.errors import HarnessError
from harness.planning.progress import Progress
from harness.store import (
    FILE_NAME,
    Store,
    file_systems,
    open_for_reading,
    open_for_writing,
    scratch,
)
from harness.store.records import CellRecord
from harness.store.scratch import written_in
from support.runs import Command, small_command, small_run


class Heard(Progress):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, line: str) -> None:
        self.lines.append(f"warning: {line}")


def points(folder: Path) -> pandas.DataFrame:
    return harness.open_run(folder).points().drop(columns="seconds")


def keys_of(folder: Path) -> set[str]:
    with open_for_reading(folder) as store:
        return {cell for (cell,) in store.connection.execute("SELECT cell FROM cells")}


@contextmanager
def written(out: Path, folder: Path) -> Iterator[tuple[Path, Store]]:
    """The live folder of a run, and its store."""
    with written_in(out, folder, Progress()) as live, open_for_writing(live) as store:
        yield live, store


def wait_for(folder: Path, keys: set[str]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(HarnessError):
            if keys_of(folder) == keys:
                return
        time.sleep(0.02)
    pytest.fail(f"{folder}: there are no {keys}")


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that counts as one on a network file system."""
    folder = tmp_path / "network"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:36 / {folder.resolve()} rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    (tmp_path / "local").mkdir()
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path / "local"))
    return folder


def test_a_run_in_scratch_has_the_same_digits_and_leaves_nothing_there(
    planted: Path, tmp_path: Path
) -> None:
    plain = small_run(tmp_path / "plain", planted)
    copied = small_run(tmp_path / "copied", planted, scratch=tmp_path / "scratch")

    pandas.testing.assert_frame_equal(points(copied.folder), points(plain.folder))
    assert sorted(path.name for path in copied.folder.iterdir()) == sorted(
        path.name for path in plain.folder.iterdir()
    )
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_killed_run_goes_on_from_its_last_copy(planted: Path, tmp_path: Path) -> None:
    whole = small_run(tmp_path / "whole", planted)
    half = Path(shutil.copytree(whole.folder, tmp_path / "half"))
    with open_for_writing(half) as store, store.connection as connection:
        connection.execute("DELETE FROM cells WHERE cell = (SELECT min(cell) FROM cells)")

    resumed = small_run(half, planted, scratch=tmp_path / "scratch")

    assert resumed.statuses() == {"ok": 3}
    pandas.testing.assert_frame_equal(points(half), points(whole.folder))


def test_what_is_committed_is_copied_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "INTERVAL", 0.05)
    out = tmp_path / "out"

    with written(out, tmp_path / "scratch") as (_, store):
        for number in range(3):
            store.write_plan({"selectors": []}, {}, [], [])
            store.write_cells([CellRecord(f"cell {number}", "ok")])
            wait_for(out, {f"cell {each}" for each in range(number + 1)})
            assert not (out / f"{FILE_NAME}-wal").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_is_terminated_is_copied_first(
    tmp_path: Path, number: int, request: pytest.FixtureRequest
) -> None:
    # The tests may themselves run where a signal is ignored, as under nohup.
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    request.addfinalizer(partial(signal.signal, number, signal.signal(number, default)))

    def terminated() -> None:
        with written(tmp_path / "out", tmp_path / "scratch") as (_, store):
            store.write_cells([CellRecord("last", "ok")])
            try:
                signal.raise_signal(number)
            finally:
                if number != signal.SIGINT:
                    # Another one, as schedulers send it, interrupts nothing more.
                    signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        terminated()

    assert keys_of(tmp_path / "out") == {"last"}
    assert list((tmp_path / "scratch").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_copies_are_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "INTERVAL", 0.001)
    monkeypatch.setattr(scratch, "RARELY", 0)
    out, done = tmp_path / "out", threading.Event()
    found: list[str] = []

    def check() -> None:
        while not done.is_set():
            with contextlib.suppress(sqlite3.OperationalError):
                uri = f"{(out / FILE_NAME).as_uri()}?mode=ro"
                with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
                    found.extend(connection.execute("PRAGMA quick_check(1)").fetchone())

    thread = threading.Thread(target=check)
    thread.start()
    try:
        with written(out, tmp_path / "scratch") as (_, store):
            for number in range(300):
                store.write_cells([CellRecord(f"cell {number}", "ok")])
    finally:
        done.set()
        thread.join()

    assert set(found) == {"ok"}
    assert len(keys_of(out)) == 300


def test_the_log_of_a_killed_run_is_taken_over_and_does_not_stay(tmp_path: Path) -> None:
    with open_for_writing(tmp_path / "first") as store:
        store.write_cells([CellRecord("logged", "ok")])
        # As a kill leaves it: the record is in the log alone.
        shutil.copytree(tmp_path / "first", tmp_path / "out")
    assert (tmp_path / "out" / f"{FILE_NAME}-wal").exists()

    with written(tmp_path / "out", tmp_path / "scratch") as (_, store):
        store.write_cells([CellRecord("new", "ok")])

    assert keys_of(tmp_path / "out") == {"logged", "new"}
    assert not (tmp_path / "out" / f"{FILE_NAME}-wal").exists()


def test_what_a_killed_process_left_in_scratch_is_replaced_by_the_copy(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with written(out, tmp_path / "scratch") as (live, store):
        store.write_cells([CellRecord("copied", "ok")])
    live.mkdir()
    (live / FILE_NAME).write_text("half a store")

    with written_in(out, tmp_path / "scratch", Progress()) as again:
        assert again == live
        assert keys_of(again) == {"copied"}


def test_a_copy_that_fails_leaves_the_store_where_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = written(out, tmp_path / "scratch")
    live, store = running.__enter__()
    store.write_cells([CellRecord("kept", "ok")])
    (out / f"{FILE_NAME}.partial").mkdir()

    asked = "the store cannot be copied: .*; before you run this again, copy it from "
    with pytest.raises(HarnessError, match=asked) as raised:
        running.__exit__(None, None, None)

    assert str(live / FILE_NAME) in str(raised.value)
    assert keys_of(live) == {"kept"}


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    again = written(tmp_path / "out", tmp_path / "two")

    with (
        written(tmp_path / "out", tmp_path / "one"),
        pytest.raises(HarnessError, match="another process is running"),
        again,
    ):
        pass


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("out", "lies in the run's folder"),
        ("out/live", "lies in the run's folder"),
        ("out/../out/maps", "lies in the run's folder"),
        ("file", "cannot be written"),
        ("file/below", "cannot be written"),
        ("/proc/none", "cannot be written"),
    ],
)
def test_a_scratch_that_cannot_be_used_is_named_and_nothing_is_made(
    tmp_path: Path, folder: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    root = tmp_path / folder

    with (
        pytest.raises(HarnessError, match=f"^{root}: {reason}"),
        written(tmp_path / "out", root),
    ):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_run_that_cannot_begin_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="nowhere"):
        small_run(tmp_path / "out", tmp_path / "nowhere", scratch=tmp_path / "scratch")

    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_run_on_a_network_file_system_takes_a_temporary_folder_and_says_so(
    network: Path, planted: Path, tmp_path: Path
) -> None:
    heard = Heard()

    run = small_run(network / "out", planted, progress=heard)
    chosen = run.select("fixed[level=0.5]")

    said = f"{network / 'out'}: on a network file system (nfs4), so the store is written in "
    assert any(line.startswith(f"{said}{tmp_path / 'local'}/harness-") for line in heard.lines)
    assert run.statuses() == {"ok": 3}
    assert len(chosen.selections()) == 3
    assert list((tmp_path / "local").iterdir()) == []


def test_commands_read_a_run_on_a_network_file_system(
    network: Path, planted: Path, harness_command: Command
) -> None:
    out = small_run(network / "out", planted).folder
    out.chmod(0o555)
    try:
        for arguments in (["leaderboard", out], ["show", out, "planted-0"], ["compare", out, out]):
            shown = harness_command(*arguments)
            assert (shown.returncode, shown.stderr) == (0, "")
    finally:
        out.chmod(0o755)


def test_a_scratch_on_a_network_file_system_is_refused(
    network: Path, planted: Path, harness_command: Command
) -> None:
    arguments = small_command(planted, "--out", network / "out", "--scratch", network / "scratch")

    refused = harness_command(*arguments)

    assert refused.returncode == 1
    assert "lies on a network file system (nfs4); name a folder on a local disk" in refused.stderr
