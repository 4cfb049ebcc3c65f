"""What a worker is: it does one job at a time, in a process of its own or in the calling one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from harness.engine.messages import Message
from harness.planning.identity import source_digest
from harness.planning.settings import Execution


class JobFailedError(Exception):
    """A job failed.

    status is failed, invalid, timed out or killed; detail holds the traceback and the end of what
    the job printed; peak_memory is in bytes, None where it is unknown.
    """

    def __init__(
        self, status: str, reason: str, detail: str = "", peak_memory: int | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.peak_memory = peak_memory


@dataclass(frozen=True)
class WorkerConfig:
    """What every worker of a run needs to know.

    plugins: files and folders with plugins; codes: the digest of each component's code by kind
    and spec, "clusterer louvain"; source: the digest of the harness' own code; memory: bytes that
    a job may take beyond what its process holds; extraction_threads: the threads of a model.
    """

    plugins: tuple[Path, ...]
    codes: Mapping[str, str]
    source: str
    memory: int
    extraction_threads: int

    @classmethod
    def of(cls, execution: Execution, codes: Mapping[str, str]) -> "WorkerConfig":
        """The config of a run with components of these codes."""
        return cls(
            execution.plugins,
            codes,
            source_digest(),
            int(execution.memory * 2**30),
            execution.extraction_threads,
        )

    @property
    def handshake(self) -> Message:
        """The config as the message that a process gets first."""
        plugins = [str(path) for path in self.plugins]
        return Message({**vars(self), "plugins": plugins, "codes": dict(self.codes)})

    @classmethod
    def received(cls, handshake: Message) -> "WorkerConfig":
        """The config that `handshake` made a message of."""
        plugins = tuple(map(Path, handshake.header["plugins"]))
        return cls(**{**handshake.header, "plugins": plugins})


class Worker(Protocol):
    """Does one job at a time. Use as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *raised: object) -> None: ...

    def start(self) -> None:
        """Get ready for a job.

        Raises RunStoppedError if that fails; no job is to blame.
        """

    def kill(self) -> None:
        """End what the worker runs; a later job starts it again."""

    def interrupt(self) -> None:
        """End what the worker runs from another thread, for good."""

    def call(
        self, job: str, limit: float, *, silence: bool = False, **header: Any
    ) -> Iterator[Message]:
        """Do a job and yield its answers, the last one with reply "done".

        `limit` bounds the seconds of the whole job or, with `silence`, those between two answers.
        Raises JobFailedError if the job fails, and RunStoppedError if no job is to blame.
        """


def answers(messages: Iterator[Message]) -> Iterator[Mapping[str, Any]]:
    """The headers of all answers but the last, which only says that the job is done."""
    for message in messages:
        if message.header["reply"] != "done":
            yield message.header


def in_order(ask: Callable[[int], Iterator[Message]], count: int) -> Iterator[Mapping[str, Any]]:
    """One answer to each of `count` questions, for jobs that answer in the questions' order.

    `ask` calls a job with the questions from a number on. If the job fails, the first question
    without an answer is to blame: its answer is the failure's "reason" and "detail", and the
    questions after it are asked again.
    """
    answered = 0
    while answered < count:
        try:
            for answer in answers(ask(answered)):
                answered += 1
                yield answer
        except JobFailedError as error:
            if answered < count:
                answered += 1
                yield {"reason": error.reason, "detail": error.detail}
