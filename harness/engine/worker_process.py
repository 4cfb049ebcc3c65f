"""A worker in a process of its own, which can be killed, as the coordinator sees it."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Any, Self

from harness.engine.guardian import MARK, Guardian, end_marked
from harness.engine.isolation import peak_memory, thread_variables
from harness.engine.messages import Message, ProtocolError, decode, encode
from harness.engine.worker import JobFailedError, WorkerConfig
from harness.errors import RunStoppedError
from harness.working_folder import safe_environment

# Bytes read at a time; the allocator would map a larger buffer anew for every message.
CHUNK = 1 << 16
# Seconds in which a process must start and load the plugins; no job's time.
START_LIMIT = 120.0
# Bytes of a job's last output that are stored with the reason of its failure.
TAIL = 4000
# Bytes that a job may print; a flood costs the coordinator's time, and so that of other cells.
MOST_OUTPUT = 1 << 26
# Seconds between checks that a silent process still lives.
CHECK_INTERVAL = 1.0
# Processes that are tried with one job while each dies before it begins.
ATTEMPTS = 3
INTERRUPTED = "the run was interrupted"
OUT_OF_MEMORY = re.compile("bad_alloc|MemoryError|[Oo]ut of memory|Cannot allocate memory")


class WorkerProcess:
    """A worker that starts its process at the first job, and again after the process died."""

    def __init__(self, config: WorkerConfig, guardian: Guardian) -> None:
        self._config = config
        self._mark = guardian.mark()
        self._process: subprocess.Popen[bytes] | None = None
        # When a process that is not ready yet must be.
        self._starts_until: float | None = None
        # Held while the process starts or is reaped: `interrupt` kills no other one.
        self._changing = threading.Lock()
        self._peak = 0
        self.is_interrupted = False
        self.peak_memory: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.kill()

    def call(
        self, job: str, limit: float, *, silence: bool = False, first: float = 0.0, **header: Any
    ) -> Iterator[Message]:
        """Do a job and yield its answers; unless all are read, the process is killed."""
        complete = False
        allowed = max(limit, first)
        try:
            deadline = self._begin({"job": job, **header}, allowed)
            while (answer := self._receive(deadline, allowed))["reply"] not in ("done", "failed"):
                yield answer
                if silence:
                    allowed = limit
                    deadline = time.monotonic() + limit
            complete = not answer["spent"]
            self.peak_memory = answer["peak_memory"]
            if answer["reply"] == "failed":
                raise self._failure(answer)
        finally:
            if not complete:
                self.kill()

    def launch(self) -> None:
        """Start the process unless one lives; it gets ready while this one goes on."""
        if self._process is not None and self._is_dead():
            # It died between two jobs.
            self.kill()
        if self._process is not None:
            return
        with self._changing:
            if self.is_interrupted:
                raise RunStoppedError(INTERRUPTED)
            self._open()
        self._starts_until = time.monotonic() + START_LIMIT
        with self._starting():
            self._send(self._config.to_message(), self._starts_until, START_LIMIT)

    def start(self) -> None:
        """Start the process unless one lives, and wait until it is ready."""
        self.launch()
        if self._starts_until is not None:
            with self._starting():
                self._receive(self._starts_until, START_LIMIT)
            self._starts_until = None

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        try:
            yield
        except JobFailedError as error:
            self.kill()
            output = error.detail.strip().splitlines()[-1:]
            line = ": ".join(["a worker cannot start", error.reason, *output])
            raise RunStoppedError(line) from error
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the process, if there is one, and every process that it started."""
        with self._changing:
            process, self._process = self._process, None
        if process is None:
            return
        _kill_group(process.pid)
        process.wait()
        end_marked(self._mark)
        for pipe in self._pipes:
            pipe.close()

    def interrupt(self) -> None:
        """Kill the process from another thread, for good; whoever waits for it cleans up."""
        with self._changing:
            self.is_interrupted = True
            if self._process is not None and self._process.returncode is None:
                _kill_group(self._process.pid)

    def _begin(self, message: Message, limit: float) -> float:
        """Give a job to a process that then begins with it; returns the job's deadline."""
        for _ in range(ATTEMPTS):
            self.start()
            self._drain_log()
            self._printed, self._tail = 0, b""
            deadline = time.monotonic() + limit
            try:
                self._send(message, deadline, limit)
                self._receive(deadline, limit)
                return deadline
            except JobFailedError as error:
                if error.status != "killed":
                    raise
                # It died before it began: the job is not to blame.
                self.kill()
        raise RunStoppedError(f"{ATTEMPTS} workers in a row died before they began with a job")

    def _open(self) -> None:
        with contextlib.ExitStack() as opened:
            try:
                reader, theirs = os.pipe()
                answers = opened.enter_context(os.fdopen(reader, "rb", 0))
                with os.fdopen(theirs, "wb", 0):
                    process = subprocess.Popen(
                        [sys.executable, "-m", "harness.engine.worker_main", str(theirs)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        bufsize=0,
                        pass_fds=(theirs,),
                        env={**safe_environment(), **thread_variables(1), MARK: self._mark},
                        start_new_session=True,
                    )
            except OSError as error:
                raise RunStoppedError(f"no process can start: {error.strerror}") from error
            opened.pop_all()
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._pipes: tuple[IO[bytes], ...] = answers, process.stdin, process.stdout
        self._reader, self._writer, self._log = (pipe.fileno() for pipe in self._pipes)
        # A process that no longer reads must not block the writer past its deadline.
        os.set_blocking(self._writer, False)
        self._buffer = bytearray()
        self._log_is_open = True
        self._printed, self._tail = 0, b""

    def _send(self, message: Message, deadline: float, limit: float) -> None:
        view = memoryview(encode(message))
        try:
            while view:
                self._await(self._writer, select.POLLOUT, deadline, limit)
                view = view[os.write(self._writer, view) :]
        except BrokenPipeError as error:
            raise self._death() from error

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
        except ProtocolError as error:
            raise self._ended("killed", f"the worker's answer is garbled: {error}") from error
        if message is None or "reply" not in message:
            raise self._ended("killed", "the worker's answer is garbled: it is none")
        if message["reply"] == "stopped":
            raise RunStoppedError(message["reason"])
        return message

    def _await(self, descriptor: int, event: int, deadline: float, limit: float) -> None:
        """Wait until a pipe is ready; read what the process prints meanwhile."""
        poll = select.poll()
        poll.register(descriptor, event)
        if self._log_is_open:
            poll.register(self._log, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            ready = [number for number, _ in poll.poll(max(0.0, min(left, CHECK_INTERVAL)) * 1000)]
            if self._log in ready:
                self._read_log()
                if not self._log_is_open:
                    poll.unregister(self._log)
            if descriptor in ready:
                return
            if left <= 0:
                raise self._ended("timed out", f"not done within the time limit of {limit:g} s")
            # Processes that it started may hold its pipes open after its death.
            if not ready and self._is_dead():
                raise self._death()

    def _read_log(self) -> None:
        chunk = os.read(self._log, CHUNK)
        self._log_is_open = bool(chunk)
        self._printed += len(chunk)
        self._tail = (self._tail + chunk)[-TAIL:]
        if self._printed > MOST_OUTPUT:
            raise self._ended("killed", f"it printed more than {MOST_OUTPUT >> 20} MiB")

    def _drain_log(self) -> None:
        """Read the rest of the output, which may be of the job before."""
        while self._log_is_open and select.select([self._log], [], [], 0)[0]:
            self._read_log()

    def _is_dead(self) -> bool:
        """Whether the process ended; it is reaped then."""
        assert self._process is not None
        with self._changing:
            if self._process.returncode is None:
                ended, status, usage = os.wait4(self._process.pid, os.WNOHANG)
                if ended:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    # If it died young this may be what its parent held when it was started.
                    self._peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            return self._process.returncode is not None

    def _death(self) -> JobFailedError:
        """Why the process closed its pipe; raises RunStoppedError if `interrupt` killed it."""
        assert self._process is not None
        if self.is_interrupted:
            raise RunStoppedError(INTERRUPTED)
        until = time.monotonic() + CHECK_INTERVAL
        while not self._is_dead():
            if time.monotonic() > until:
                return self._ended("killed", "the process closed its pipe")
            time.sleep(0.01)
        code = self._process.returncode
        self._drain_log()
        if code < 0:
            known = {number.value for number in signal.Signals}
            name = signal.Signals(-code).name if -code in known else f"signal {-code}"
            reason = f"the process died of {name}"
        else:
            reason = f"the process exited with code {code}"
        if OUT_OF_MEMORY.search(self._last_output):
            reason += ", out of memory"
        elif code == -signal.SIGKILL:
            reason += ", as when the system runs out of memory"
        return JobFailedError("killed", reason, self._last_output, self._peak)

    def _ended(self, status: str, reason: str) -> JobFailedError:
        """The failure of a job whose process still lives and is killed next."""
        assert self._process is not None
        return JobFailedError(status, reason, self._last_output, peak_memory(self._process.pid))

    def _failure(self, answer: Message) -> JobFailedError:
        """A failure that the process reported."""
        self._drain_log()
        detail = answer["detail"]
        if self._tail:
            detail += f"\nPrinted last:\n{self._last_output}"
        return JobFailedError(answer["status"], answer["reason"], detail, answer["peak_memory"])

    @property
    def _last_output(self) -> str:
        return self._tail.decode(errors="replace")


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
