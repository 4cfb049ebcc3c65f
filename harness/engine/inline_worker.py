"""Workers of a run: processes, or one worker in the calling process, for debugging."""

import bdb
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from harness.engine.guardian import Guardian
from harness.engine.isolation import borrowed
from harness.engine.jobs import Context, failure_of, perform
from harness.engine.messages import Message, decode, encode, encode_answer
from harness.engine.worker import JobFailedError, Worker, WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.errors import RunStoppedError
from harness.planning.settings import Isolation
from harness.plugin.registry import Registry

NOTE = "components run in this process, one at a time: time and memory limits do not hold"


@contextmanager
def open_worker(config: WorkerConfig, isolation: Isolation, registry: Registry) -> Iterator[Worker]:
    """Give a worker in the calling process for isolation "none", else in a process of its own."""
    if isolation == "none":
        yield InlineWorker(config, registry)
        return
    with Guardian() as guardian, WorkerProcess(config, guardian) as worker:
        yield worker


class InlineWorker:
    """Does jobs in the calling process and thread; no limit holds.

    A debugger works in it, and the process is left as it was before each job. Messages are
    encoded as for a process, so that both ways give the same records.
    """

    peak_memory: int | None = None

    def __init__(self, config: WorkerConfig, registry: Registry) -> None:
        self._config = config
        self._context = Context(registry, config.codes)

    def launch(self) -> None:
        """Nothing: it is always ready."""

    def start(self) -> None:
        """Nothing: it is always ready."""

    def call(
        self, job: str, limit: float, *, silence: bool = False, first: float = 0.0, **header: Any
    ) -> Iterator[Message]:
        """Do a job, then yield its answers, and raise what came after them."""
        found: list[Message] = []
        try:
            self._perform(_received(encode({"job": job, **header})), found)
        finally:
            yield from found

    def _perform(self, header: Message, found: list[Message]) -> None:
        def send(reply: str = "answer", **values: Any) -> None:
            found.append(_received(encode_answer({"reply": reply, **values})))

        try:
            with borrowed():
                perform(self._config, self._context, header, send)
        except (RunStoppedError, KeyboardInterrupt):
            raise
        except bdb.BdbQuit as error:
            # Whoever quits the debugger wants the run to end, not the next cell.
            raise KeyboardInterrupt from error
        except BaseException as error:
            raise JobFailedError(**_received(encode_answer(failure_of(error, None)))) from error


def _received(content: bytes) -> Message:
    """A message as it arrives at the other end of a pipe."""
    received = decode(BytesIO(content).read)
    assert received is not None
    return received
