"""Questions that the workers of a pool answer before it is known whether they will be asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from harness.engine.messages import Message
from harness.engine.worker import JobFailedError, Worker


@dataclass(frozen=True)
class Ahead:
    """What a worker answered to questions before they are due, up to a failure if there was one."""

    questions: Sequence[Any]
    answers: Sequence[Message]
    failure: JobFailedError | None

    @classmethod
    def ask(
        cls, worker: Worker, job: str, limit: float, questions: Sequence[Any], header: Message
    ) -> Self:
        """Ask a worker, which stops at the first question that fails the job."""
        answers: list[Message] = []
        try:
            for answer in worker.call(job, limit, silence=True, questions=questions, **header):
                answers.append(answer)
        except JobFailedError as error:
            return cls(questions, answers, error)
        return cls(questions, answers, None)


@dataclass(eq=False)
class Rehearsed:
    """A worker that knows what was answered ahead; it asks another one what was not.

    So `ask_each` gives the same answers, and stops the same methods, as if nothing was ahead.
    """

    ahead: Ahead
    worker: Worker
    peak_memory: int | None = None

    def launch(self) -> None:
        """Nothing: the other worker starts if it is asked."""

    def start(self) -> None:
        """Nothing: the other worker starts if it is asked."""

    def call(
        self, job: str, limit: float, *, silence: bool = False, first: float = 0.0, **header: Any
    ) -> Iterator[Message]:
        """Answer the questions of the header."""
        asked = header["questions"]
        begin = self.ahead.questions.index(asked[0])
        known = self.ahead.answers[begin : begin + len(asked)]
        if begin > len(self.ahead.answers):
            yield from self.worker.call(job, limit, silence=silence, first=first, **header)
            return
        yield from known
        if len(known) < len(asked) and self.ahead.failure is not None:
            raise self.ahead.failure
