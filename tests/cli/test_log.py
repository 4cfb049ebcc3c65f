"""The file of `--log`."""

import errno
import os
import re
from pathlib import Path

import pytest

from harness.cli.log import logged
from support.runs import Command, small_command

ENTRY = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (info   |warning|error  ) .+"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "harness.log"


def messages(log: Path, level: str) -> list[str]:
    """The texts of a level's entries, with their further lines."""
    found = re.split(r"^(?=\d{4}-)", log.read_text(), flags=re.MULTILINE)
    return [entry[38:].rstrip() for entry in found if entry[30:38].strip() == level]


def test_a_run_is_logged_from_its_start_to_its_end(
    harness_command: Command, planted: Path, log: Path
) -> None:
    finished = harness_command(*small_command(planted, "--log", log, out="out"))

    assert finished.returncode == 0, finished.stderr
    first, version, settings, *_, last = messages(log, "info")
    assert first.startswith("start: harness run --clusterers louvain")
    assert version.startswith("version ")
    assert '"clusterers": ["louvain"]' in settings
    assert re.fullmatch(r"end: exit status 0 after \d+\.\d s", last)
    assert all(map(ENTRY.fullmatch, filter(None, log.read_text().splitlines())))


def test_what_stderr_says_is_logged_once(
    harness_command: Command, planted: Path, log: Path
) -> None:
    finished = harness_command(*small_command(planted, "--log", log, out="out"))

    entries = [*messages(log, "info"), *messages(log, "warning")]
    for line in finished.stderr.splitlines():
        assert entries.count(line.removeprefix("warning: ")) == 1


def test_each_failure_is_logged_with_its_traceback(
    harness_command: Command, planted: Path, hostile: Path, log: Path
) -> None:
    harness_command(
        *small_command(planted, "--log", log, "--plugin", hostile, out="out", clusterers="raising")
    )

    failures = [each for each in messages(log, "error") if each.startswith("raising on ")]
    assert len(failures) == 3
    assert all("\n    Traceback (most recent call last):\n" in each for each in failures)


def test_commands_append_to_a_log(harness_command: Command, computed: Path, log: Path) -> None:
    harness_command("runs", computed.parent, "--log", log)
    harness_command("data", "list", "--log", log)
    harness_command("show", computed / "nowhere", "--log", log)

    starts = [each for each in messages(log, "info") if each.startswith("start: ")]
    assert [each.split()[2] for each in starts] == ["runs", "data", "show"]
    (error,) = messages(log, "error")
    assert "no run is there" in error


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/a.log", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused_before_the_command_begins(
    harness_command: Command, planted: Path, tmp_path: Path, name: str, reason: str
) -> None:
    finished = harness_command(*small_command(planted, "--log", name, out="out"))

    assert finished.returncode == 1
    assert finished.stderr == f"harness: {name}: cannot be written: {reason}\n"
    assert not (tmp_path / "out").exists()


def test_a_command_goes_on_when_the_disk_is_full(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.planning.progress import LOGGER

    def command() -> int:
        (handler,) = (each for each in LOGGER.handlers if getattr(each, "stream", None))
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, handler.stream.fileno())  # type: ignore[attr-defined]
        os.close(full)
        LOGGER.info("one")
        LOGGER.info("two")
        return 0

    assert logged(log, ["run"], command) == 0
    assert capsys.readouterr().err == (
        f"warning: {log}: cannot be written any more: "
        f"[Errno {errno.ENOSPC}] No space left on device\n"
    )
