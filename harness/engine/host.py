"""A host as the coordinator sees it: a process that does one job at a time and can be killed."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from harness.engine.messages import Message, decode, encode
from harness.engine.threads import SINGLE

CHUNK = 1 << 20
# Seconds that a host may take to start and to load the plugins; no job's time.
START_LIMIT = 120.0
# Bytes of a dead host's stderr that are kept with the reason.
TAIL = 4000


class JobFailed(Exception):  # noqa: N818 - it is an outcome, and mostly not ours
    """A job did not end well.

    status is failed, invalid, timed out or killed; detail a traceback or the end of stderr.
    """

    def __init__(
        self, status: str, reason: str, detail: str = "", peak_memory: int | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.peak_memory = peak_memory


class Host:
    """Starts its process at the first job, and again after a death. Use as a context manager."""

    def __init__(self, plugins: Sequence[Path]) -> None:
        self._greeting = Message({"plugins": [str(path) for path in plugins]})
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._reader = self._writer = self._lifeline = -1
        self._buffer = bytearray()
        self._starting = threading.Lock()
        self._interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def call(
        self, job: str, limit: float, *, silence: bool = False, **header: Any
    ) -> Iterator[Message]:
        """Do a job and yield its answers, the last one with reply "done".

        `limit` seconds bound the whole job, or, with `silence`, the time between two answers.
        Raises JobFailed if the job raises, outlasts its limit or takes the process down. A job
        that is not read to its end takes its process down too.
        """
        complete = False
        try:
            self._ensure_ready()
            deadline = time.monotonic() + limit
            self._send(Message({"job": job, "limit": limit, **header}), deadline, limit)
            while True:
                message = self._receive(deadline, limit)
                if message.header["reply"] == "failed":
                    complete = True
                    raise JobFailed(
                        message.header["status"],
                        message.header["reason"],
                        message.header["detail"],
                        message.header["peak_memory"],
                    )
                complete = message.header["reply"] == "done"
                yield message
                if complete:
                    return
                if silence:
                    deadline = time.monotonic() + limit
        finally:
            if not complete:
                self.kill()

    def kill(self) -> None:
        """End the process and what it started in its session; harmless if there is none."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _kill_group(process.pid)
        process.wait()
        for descriptor in (self._reader, self._writer, self._lifeline):
            os.close(descriptor)
        assert self._log is not None
        self._log.close()
        self._buffer.clear()

    def interrupt(self) -> None:
        """End the process from another thread and let no new one start.

        Whoever waits for an answer is told that the process died, and cleans up.
        """
        with self._starting:
            self._interrupted = True
            process = self._process
        if process is not None:
            _kill_group(process.pid)

    def _start(self) -> None:
        with contextlib.ExitStack() as opened:

            def pipe() -> tuple[int, int]:
                ends = os.pipe()
                for end in ends:
                    opened.callback(os.close, end)
                return ends

            read_answers, write_answers = pipe()
            read_jobs, write_jobs = pipe()
            read_lifeline, write_lifeline = pipe()
            theirs = (read_jobs, write_answers, read_lifeline)
            log = opened.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.engine.worker", *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=theirs,
                env={**os.environ, **SINGLE},
                start_new_session=True,
            )
            opened.pop_all()
        for descriptor in theirs:
            os.close(descriptor)
        # A host that reads no more must not keep a writer waiting past its deadline.
        os.set_blocking(write_jobs, False)
        self._process, self._log = process, log
        self._reader, self._writer, self._lifeline = read_answers, write_jobs, write_lifeline

    def _ensure_ready(self) -> None:
        if self._process is not None:
            return
        with self._starting:
            if self._interrupted:
                raise JobFailed("killed", "the run was interrupted")
            self._start()
        deadline = time.monotonic() + START_LIMIT
        self._send(self._greeting, deadline, START_LIMIT)
        self._receive(deadline, START_LIMIT)

    def _send(self, message: Message, deadline: float, limit: float) -> None:
        view = memoryview(encode(message))
        while view:
            self._await(self._writer, select.POLLOUT, deadline, limit)
            try:
                view = view[os.write(self._writer, view) :]
            except BrokenPipeError as error:
                raise self._death() from error

    def _await(self, descriptor: int, event: int, deadline: float, limit: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            reason = f"not done within the time limit of {limit:g} s"
            raise JobFailed("timed out", reason, self._log_tail())

    def _receive(self, deadline: float, limit: float) -> Message:
        def read(count: int) -> bytes:
            while len(self._buffer) < count:
                self._await(self._reader, select.POLLIN, deadline, limit)
                chunk = os.read(self._reader, CHUNK)
                if not chunk:
                    raise self._death()
                self._buffer += chunk
            data = bytes(self._buffer[:count])
            del self._buffer[:count]
            return data

        try:
            message = decode(read)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise JobFailed("killed", "the host's answer is garbled", self._log_tail()) from error
        assert message is not None
        return message

    def _death(self) -> JobFailed:
        """How the process ended, for a pipe that closed."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return JobFailed("killed", "the process closed its pipe", self._log_tail())
        if code < 0:
            known = {number.value for number in signal.Signals}
            name = signal.Signals(-code).name if -code in known else f"signal {-code}"
            reason = f"the process died of {name}"
        else:
            reason = f"the process exited with code {code}"
        return JobFailed("killed", reason, self._log_tail())

    def _log_tail(self) -> str:
        assert self._log is not None
        descriptor = self._log.fileno()
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, TAIL, max(0, size - TAIL))
        return tail.decode(errors="replace")


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def answers(messages: Iterator[Message]) -> Iterator[Mapping[str, Any]]:
    """The headers of all answers but the last, which only says that the job is done."""
    for message in messages:
        if message.header["reply"] != "done":
            yield message.header


def in_order(ask: Callable[[int], Iterator[Message]], count: int) -> Iterator[Mapping[str, Any]]:
    """One answer to each of `count` questions, for jobs whose answers keep the questions' order.

    `ask` calls a job with the questions from a number on. A question that has no answer is
    answered with a "reason". Where the job fails the first question without an answer is to
    blame: the failure's reason and detail stand for it, and the rest is asked again.
    """
    answered = 0
    while answered < count:
        try:
            for answer in answers(ask(answered)):
                answered += 1
                yield answer
        except JobFailed as error:
            if answered < count:
                answered += 1
                yield {"reason": error.reason, "detail": error.detail}
