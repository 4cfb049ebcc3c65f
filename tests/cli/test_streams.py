"""What commands do when a standard stream is closed, full, or not read to its end."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.runs import Finished, small_command

FULL = "harness: the output cannot be written: No space left on device\n"
COMMANDS = {
    "leaderboard": ("leaderboard", "RUN"),
    "json": ("leaderboard", "RUN", "--json"),
    "csv": ("leaderboard", "RUN", "--csv"),
    "show": ("show", "RUN"),
    "compare": ("compare", "RUN", "RUN"),
    "export": ("export", "RUN", "--out", "tables"),
    "select": ("select", "RUN", "--selectors", "max-modularity"),
    "plugins": ("plugins",),
    "schema": ("schema",),
    "data": ("data", "list"),
    "help": ("--help",),
    "help of a command": ("show", "--help"),
    "run": tuple(small_command(None, extractors="planted[count=1,n=16,k=2]", out="again")),
}
QUICK = ("leaderboard", "export", "help")


Shell = Callable[[Sequence[str], str], Finished]


@pytest.fixture
def shell(finished: Path, tmp_path: Path) -> Shell:
    """Runs `harness` with redirections; RUN stands for a finished run."""

    def run(arguments: Sequence[str], redirections: str) -> Finished:
        words = [str(finished) if word == "RUN" else word for word in arguments]
        script = f'set -o pipefail; "$@" {redirections}'
        return subprocess.run(
            ["bash", "-c", script, "bash", sys.executable, "-m", "harness", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


EVERY_COMMAND = pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(words, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, words in COMMANDS.items()
    ],
)


@EVERY_COMMAND
def test_a_reader_that_leaves_ends_a_command_silently_as_other_tools(
    shell: Shell, arguments: Sequence[str]
) -> None:
    # It reads nothing; the pipe is closed before the command writes.
    ended = shell(arguments, "| true")

    assert ended.returncode == 141
    assert "harness:" not in ended.stderr
    assert "Traceback" not in ended.stderr


@EVERY_COMMAND
def test_a_full_disk_under_stdout_is_one_line(shell: Shell, arguments: Sequence[str]) -> None:
    ended = shell(arguments, "> /dev/full")

    assert ended.returncode == 1
    assert ended.stderr.endswith(FULL)
    assert "Traceback" not in ended.stderr


@EVERY_COMMAND
def test_a_closed_stdout_is_none_of_the_files_that_a_command_opens(
    shell: Shell, arguments: Sequence[str]
) -> None:
    ended = shell(arguments, ">&-")

    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "redirections",
    ["2>&-", *(pytest.param(each, marks=pytest.mark.slow) for each in ("2>/dev/full", "<&- 2>&-"))],
)
def test_json_is_whole_and_alone_whatever_stderr_is(shell: Shell, redirections: str) -> None:
    ended = shell((*COMMANDS["run"], "--json"), redirections)

    assert ended.returncode == 0
    assert json.loads(ended.stdout)["rows"]


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full"])
def test_an_error_that_nobody_can_read_still_sets_the_exit_code(
    shell: Shell, redirections: str
) -> None:
    ended = shell(("show", "nowhere"), redirections)

    assert (ended.returncode, ended.stdout) == (1, "")
