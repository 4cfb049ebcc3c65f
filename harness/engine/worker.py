"""The host process: `python -m harness.engine.worker JOBS ANSWERS LIFELINE`, file descriptors.

It says when it is ready, then does one job at a time and answers with messages. It ends with
the children in its session when the coordinator does, which closes the lifeline; and an alarm
ends it past a job's limit even if native code never lets go.
"""

import contextlib
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from harness.engine.jobs import JOBS, Context, reason_of
from harness.engine.messages import Message, decode, encode
from harness.registry import load
from harness.scores.partition import InvalidLabels

# Seconds after which an orphan ends itself when its coordinator has not done so.
GRACE = 10.0


def main() -> None:
    """Serve jobs until the pipe closes."""
    source, target, lifeline = map(int, sys.argv[1:])
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    # Only the pipes talk to the coordinator; what plugins print goes to the log.
    os.dup2(2, 1)
    reader = os.fdopen(source, "rb")
    writer = os.fdopen(target, "wb")
    for descriptor in (source, target, lifeline):
        # What a plugin starts must not hold the pipes open when this process dies.
        os.set_inheritable(descriptor, False)

    greeting = decode(reader.read)
    if greeting is None:
        return
    context = Context(load([Path(path) for path in greeting.header["plugins"]]))
    writer.write(encode(Message({"reply": "ready"})))
    writer.flush()
    while (job := decode(reader.read)) is not None:
        limit = job.header["limit"]

        def send(message: Message, limit: float = limit) -> None:
            signal.setitimer(signal.ITIMER_REAL, limit + GRACE)
            writer.write(encode(message))
            writer.flush()

        signal.setitimer(signal.ITIMER_REAL, limit + GRACE)
        try:
            JOBS[job.header["job"]](context, job.header, send)
            answer = {"reply": "done"}
        except Exception as error:
            answer = {
                "reply": "failed",
                "status": "invalid" if isinstance(error, InvalidLabels) else "failed",
                "reason": reason_of(error),
                "detail": traceback.format_exc(),
            }
        send(Message({**answer, "peak_memory": peak_memory()}))
        signal.setitimer(signal.ITIMER_REAL, 0)
        forget_peak_memory()


def _end_with(lifeline: int) -> None:
    """Kill this process and its children when the other end of the lifeline closes."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def peak_memory() -> int | None:
    """Peak resident memory of this process since `forget_peak_memory`, in bytes, where known."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def forget_peak_memory() -> None:
    """Let the peak be counted from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
