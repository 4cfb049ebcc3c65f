"""What a worker is: it does one job at a time, in a process of its own or in the calling one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

from harness.engine.failures import Failures
from harness.engine.messages import Message
from harness.planning.identity import source_digest
from harness.planning.settings import Execution

# Questions in one message, which bounds its size.
MOST_QUESTIONS = 10_000
# Seconds in which a model, and the libraries that it needs, must be loaded; no image's time.
LOADING = 120.0


@dataclass(eq=False)
class JobFailedError(Exception):
    """A job failed.

    status is failed, invalid, timed out or killed; detail holds the traceback and the end of what
    the job printed; peak_memory is in bytes, None where it is unknown.
    """

    status: str
    reason: str
    detail: str = ""
    peak_memory: int | None = None


@dataclass(frozen=True)
class WorkerConfig:
    """What every worker of a run needs to know.

    codes: the digest of each component's code by kind and spec, "clusterer louvain"; source: the
    digest of the harness' own; memory: bytes that a job may take beyond what its process holds;
    objects: the kind and the JSON of components that were given as objects.
    """

    plugins: tuple[Path, ...]
    codes: Mapping[str, str]
    source: str
    memory: int
    extraction_threads: int
    objects: Sequence[tuple[str, Any]] = ()

    @classmethod
    def of(
        cls,
        execution: Execution,
        codes: Mapping[str, str],
        objects: Sequence[tuple[str, Any]] = (),
    ) -> "WorkerConfig":
        """The config of a run with components of these codes, some of them objects."""
        memory, threads = int(execution.memory * 2**30), execution.extraction_threads
        return cls(execution.plugins, codes, source_digest(), memory, threads, objects)


class Worker(Protocol):
    """Does one job at a time."""

    # Bytes that the process held during the last complete job, None if unknown.
    peak_memory: int | None

    def launch(self) -> None:
        """Begin to get ready for a job, without waiting for it."""

    def start(self) -> None:
        """Get ready for a job; raises RunStoppedError if that fails."""

    def call(
        self, job: str, limit: float, *, silence: bool = False, first: float = 0.0, **header: Any
    ) -> Iterator[Message]:
        """Do a job and yield its answers.

        `limit` bounds the seconds of the whole job or, with `silence`, those between two answers;
        `first` those until the first answer, if it is more.
        Raises JobFailedError if the job fails, and RunStoppedError if no job is to blame.
        """


def ask_each(
    worker: Worker,
    job: str,
    limit: float,
    questions: Sequence[Any],
    failures: Failures | None = None,
    method: Callable[[Any], str] = str,
    **header: Any,
) -> Iterator[Message]:
    """One answer to each question, for jobs that answer in the questions' order.

    If the job fails, the first question without an answer is to blame: its answer is the failure's
    "reason" and "detail", and the questions after it are asked again. With `failures`, questions of
    a method that is stopped are not.
    """
    answered = 0
    while answered < len(questions):
        asked = questions[answered : answered + MOST_QUESTIONS]
        if failures is not None:
            if reason := failures.stopped(method(asked[0])):
                answered += 1
                yield {"reason": reason}
                continue
            asked = list(takewhile(lambda one: not failures.stopped(method(one)), asked))
        try:
            for answer in worker.call(job, limit, silence=True, questions=asked, **header):
                if failures is not None and "reason" not in answer:
                    failures.sound([method(questions[answered])])
                answered += 1
                yield answer
        except JobFailedError as error:
            if answered < len(questions):
                if failures is not None:
                    blamed = method(questions[answered])
                    failures.record(blamed, blamed, error.reason)
                answered += 1
                yield {"reason": error.reason, "detail": error.detail}
