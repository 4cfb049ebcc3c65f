"""Workers of a run: processes, or one worker in the calling process, for debugging."""

import bdb
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Self

from harness.engine.guardian import Guardian
from harness.engine.isolation import ThreadLimit, borrowed
from harness.engine.jobs import Context, failure_of, perform
from harness.engine.messages import Message, decode, encode
from harness.engine.worker import JobFailedError, Worker, WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.errors import RunStoppedError
from harness.planning.settings import Isolation
from harness.plugin.registry import Registry

NOTE = "components run in this process, one at a time: time and memory limits do not hold"


@contextmanager
def worker_maker(
    config: WorkerConfig, isolation: Isolation, registry: Registry
) -> Iterator[Callable[[], Worker]]:
    """Give the function that makes the workers of a run."""
    if isolation == "none":
        worker = InlineWorker(config, registry)
        yield lambda: worker
        return
    with Guardian() as guardian:
        yield lambda: WorkerProcess(config, guardian)


class InlineWorker:
    """Does jobs in the calling process and thread; no limit holds.

    A debugger works in it, and the process is left as it was before each job. Messages are
    encoded as for a process, so that both ways give the same records.
    """

    def __init__(self, config: WorkerConfig, registry: Registry) -> None:
        self._config = config
        self._context = Context(registry, config.codes)
        self._threads = ThreadLimit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def start(self) -> None:
        """Nothing: it is always ready."""

    def kill(self) -> None:
        """Nothing: it runs in the caller."""

    def interrupt(self) -> None:
        """Nothing: Ctrl-C reaches it as any code of the caller."""

    def call(
        self, job: str, limit: float, *, silence: bool = False, **header: Any
    ) -> Iterator[Message]:
        """Do a job, then yield its answers, the last one with reply "done".

        Raises JobFailedError, RunStoppedError or KeyboardInterrupt after the answers that came
        before it.
        """
        found: list[Message] = []
        failure: BaseException | None = None
        try:
            self._perform(_received({"job": job, **header}), found)
        except BaseException as error:
            failure = error
        yield from found
        if failure is not None:
            raise failure
        yield Message({"reply": "done", "peak_memory": None})

    def _perform(self, asked: Message, found: list[Message]) -> None:
        def send(message: Message) -> None:
            found.append(_received(dict(message.header), message.content))

        try:
            with borrowed(self._threads) as state:
                perform(self._config, self._context, state, asked.header, send)
        except (RunStoppedError, KeyboardInterrupt):
            raise
        except bdb.BdbQuit as error:
            # Whoever quits the debugger wants the run to end, not the next cell.
            raise KeyboardInterrupt from error
        except BaseException as error:
            failed = _received(failure_of(error, None)).header
            raise JobFailedError(failed["status"], failed["reason"], failed["detail"]) from error


def _received(header: dict[str, Any], content: bytes = b"") -> Message:
    """A message as it arrives at the other end of a pipe."""
    message = decode(BytesIO(encode(Message(header, content))).read)
    assert message is not None
    return message
