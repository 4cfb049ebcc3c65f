import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.guardian import Guardian
from harness.engine.messages import Message
from harness.engine.worker import JobFailedError, WorkerConfig, ask_each
from harness.engine.worker_process import WorkerProcess
from harness.errors import RunStoppedError

Replies = Callable[..., list[str]]
WHOLE = ["point"] * 4


def test_a_cell_answers_with_its_points(replies: Replies) -> None:
    assert replies("printing") == WHOLE


def test_a_worker_that_no_longer_reads_times_out_too(
    worker: WorkerProcess, replies: Replies
) -> None:
    replies("printing")
    os.kill(worker._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]

    with pytest.raises(JobFailedError) as failure:
        replies("printing", 1.0, padding="x" * 1_000_000)

    assert failure.value.status == "timed out"
    assert replies("printing") == WHOLE


def test_other_code_than_was_planned_stops_the_run(
    config: WorkerConfig, cell: dict[str, Any]
) -> None:
    other = replace(config, codes={"clusterer printing": "another digest"})

    with (
        Guardian() as guardian,
        WorkerProcess(other, guardian) as worker,
        pytest.raises(RunStoppedError, match="clusterer printing: its code changed"),
    ):
        list(worker.call("cell", 60.0, **cell, clusterer="printing"))


def test_another_harness_stops_the_run(config: WorkerConfig) -> None:
    other = replace(config, source="another digest")

    with (
        Guardian() as guardian,
        WorkerProcess(other, guardian) as worker,
        pytest.raises(RunStoppedError, match="whose source differs"),
    ):
        worker.start()


def test_a_worker_that_dies_while_it_has_nothing_to_do_costs_nothing(
    worker: WorkerProcess, replies: Replies
) -> None:
    replies("printing")
    os.kill(worker._process.pid, signal.SIGKILL)  # type: ignore[union-attr]

    assert replies("printing") == WHOLE


def test_workers_that_cannot_start_stop_the_run_and_blame_no_cell(
    config: WorkerConfig, tmp_path: Path
) -> None:
    plugin = tmp_path / "deadly.py"
    plugin.write_text("import os, sys\nprint('bad luck', file=sys.stderr, flush=True)\nos._exit(3)")

    with (
        Guardian() as guardian,
        WorkerProcess(replace(config, plugins=(plugin,)), guardian) as worker,
        pytest.raises(
            RunStoppedError, match="a worker cannot start: the process exited with code 3: bad"
        ),
    ):
        worker.start()


def test_a_component_that_only_the_coordinator_can_make_stops_the_run(replies: Replies) -> None:
    with pytest.raises(
        RunStoppedError, match="clusterer printed: a worker cannot make it: there is no"
    ):
        replies("printed")


@pytest.mark.parametrize("content", [None, b"", b"cut short"])
def test_a_lost_map_stops_the_run_and_blames_no_cell(
    replies: Replies, cell: dict[str, Any], content: bytes | None
) -> None:
    path = Path(cell["folder"], f"{cell['map']['digest']}.npy")
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RunStoppedError, match="the same command extracts it again"):
        replies("printing")


def test_waiting_for_an_interrupted_worker_raises_that_the_run_was_interrupted(
    config: WorkerConfig, cell: dict[str, Any]
) -> None:
    with Guardian() as guardian, WorkerProcess(config, guardian) as worker:
        worker.start()
        threading.Timer(0.3, worker.interrupt).start()

        with pytest.raises(RunStoppedError, match="the run was interrupted"):
            list(worker.call("cell", 60.0, **cell, clusterer="endless[mode=sleep]"))


def test_a_launched_worker_does_its_job_when_it_is_asked(
    config: WorkerConfig, cell: dict[str, Any]
) -> None:
    with Guardian() as guardian, WorkerProcess(config, guardian) as worker:
        worker.launch()
        worker.launch()

        assert len(list(worker.call("cell", 60.0, **cell, clusterer="louvain"))) == 4


class Failing:
    """A worker whose process some questions end."""

    peak_memory: int | None = None

    def launch(self) -> None:
        pass

    def start(self) -> None:
        pass

    def call(
        self, job: str, limit: float, *, silence: bool = False, **header: Any
    ) -> Iterator[Message]:
        for question in header["questions"]:
            if question == "dies":
                raise JobFailedError("killed", "no more", "last words")
            yield {"reply": "answer", "to": question}


def test_if_answers_come_in_order_the_next_question_is_to_blame_for_a_failure() -> None:
    answers = ask_each(Failing(), "answer", 60.0, ["a", "dies", "b", "dies", "c"])

    found = [answer.get("to", answer.get("reason")) for answer in answers]

    assert found == ["a", "no more", "b", "no more", "c"]
