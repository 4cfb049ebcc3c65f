"""Progress on stderr; the clock is set by hand."""

import sys
from dataclasses import dataclass, field

import pytest

from harness.planning.progress import Progress
from harness.views import progress as module
from harness.views.progress import PlainProgress, shown_progress


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module.time, "monotonic", made.monotonic)
    monkeypatch.setattr(module, "QUIET", 2.0)
    return made


def test_quick_work_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.announce("4 steps to do")
    for _ in progress.track("walking", range(4)):
        clock.now += 0.4
    progress.close()

    assert capsys.readouterr().err == ""


def test_long_work_shows_what_is_done_and_what_is_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = PlainProgress()
    progress.announce("10 steps to do")
    for _ in progress.track("walking", range(10)):
        clock.now += 4

    assert capsys.readouterr().err.splitlines() == [
        "10 steps to do",
        "walking: 1 of 10, about 36 s left",
        "walking: 4 of 10, about 24 s left",
        "walking: 7 of 10, about 12 s left",
        "walking: 10 of 10",
    ]


def test_a_slow_first_step_does_not_spoil_the_estimate(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = PlainProgress()
    progress.begin("walking", 12)
    for seconds in (100, 10, 10):
        clock.now += seconds
        progress.advance()

    assert capsys.readouterr().err.splitlines()[-1] == "walking: 3 of 12, about 90 s left"


def test_what_was_done_before_does_not_count_as_fast(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = PlainProgress()
    progress.begin("walking", 100)
    for steps, seconds in ((70, 0), (10, 10)):
        clock.now += seconds
        progress.advance(steps)

    assert capsys.readouterr().err == "walking: 80 of 100, about 20 s left\n"


def test_lines_of_long_work_grow_rare(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    for _ in progress.track("walking", range(10_000)):
        clock.now += 10

    assert len(capsys.readouterr().err.splitlines()) < 200


def test_warnings_are_printed_at_once_and_escaped(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    PlainProgress().warn("\x1b[2J")

    assert capsys.readouterr().err == "warning: \\x1b[2J\n"


def test_a_phase_may_know_the_time_left_better(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = PlainProgress()
    progress.begin("walking", 2, lambda: 7200.0)
    clock.now += 5
    progress.advance()

    assert capsys.readouterr().err == "walking: 1 of 2, about 2.0 h left\n"


def test_progress_that_is_turned_off_shows_nothing(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress(False) as progress:
        progress.begin("walking", 2)
        clock.now += 50
        progress.advance()
        progress.warn("a stone")

    assert capsys.readouterr().err == ""


def test_a_receiver_of_ones_own_gets_the_steps() -> None:
    own = Progress()
    with shown_progress(own) as progress:
        assert progress is own


@dataclass
class Shell:
    """What IPython's shell has in a notebook; `shown` is what the cell shows, by display."""

    kernel: object = None
    shown: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def display_pub(self) -> "Shell":
        return self

    def get_ipython(self) -> "Shell":
        return self

    def publish(
        self, data: dict[str, str], *, transient: dict[str, str], update: bool = False
    ) -> None:
        name = transient["display_id"]
        assert update == (name in self.shown)
        self.shown[name] = data


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell()
    monkeypatch.setitem(sys.modules, "IPython", made)
    return made


def test_a_notebook_shows_one_bar_which_goes_away(
    clock: Clock, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress(live=False) as progress:
        for phase in ("walking <b>", "running"):
            progress.begin(phase, 10)
            clock.now += 5
            progress.advance(4)
            (bar,) = shell.shown.values()
            assert bar["text/html"].startswith('<progress value="4" max="10"></progress> ')
            assert bar["text/plain"].startswith(f"{phase}: 4 of 10")
            assert "<b>" not in bar["text/html"]
        progress.warn("a stone")

    assert list(shell.shown.values()) == [{"text/html": "", "text/plain": ""}]
    assert capsys.readouterr().err == "warning: a stone\n"


def test_quick_work_shows_nothing_in_a_notebook(clock: Clock, shell: Shell) -> None:
    with shown_progress(live=False) as progress:
        for _ in progress.track("walking", range(4)):
            clock.now += 0.4

    assert shell.shown == {}


def test_without_stderr_nothing_is_printed_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with shown_progress() as progress:
        progress.note("a line")

    assert capsys.readouterr().out == ""
