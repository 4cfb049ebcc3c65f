"""The host process: `python -m harness.engine.worker JOBS ANSWERS`, two file descriptors.

It says when it is ready, then does one job at a time: it says that it begins, and answers with
messages. It ends when the jobs' pipe closes; what ends it in the midst of a job is the
coordinator, or the guardian.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.engine.isolation import ProcessState, adopt_orphans
from harness.engine.jobs import JOBS, Context, Send, reason_of
from harness.engine.memory import forget_peak_memory, peak_memory
from harness.engine.messages import Message, decode, encode
from harness.errors import HarnessError, InvalidResultError, RunStoppedError
from harness.planning.identity import source_digest
from harness.plugin.registry import load

# Characters of a traceback that are kept, its end.
DETAIL = 8000


def main() -> None:
    """Serve jobs until the pipe closes."""
    source, target = map(int, sys.argv[1:])
    # Only the pipes talk to the coordinator; what plugins print goes to the log.
    os.dup2(2, 1)
    reader = os.fdopen(source, "rb")
    writer = os.fdopen(target, "wb")
    for descriptor in (source, target):
        # What a plugin starts must not hold the pipes open when this process dies.
        os.set_inheritable(descriptor, False)

    def send(message: Message) -> None:
        writer.write(encode(message))
        writer.flush()

    handshake = decode(reader.read)
    if handshake is None:
        return
    try:
        context = _ready(handshake.header)
    except HarnessError as error:
        send(Message({"reply": "stopped", "reason": str(error)}))
        return
    send(Message({"reply": "ready"}))
    _serve(context, handshake.header, lambda: decode(reader.read), send)


def _ready(terms: Any) -> Context:
    if source_digest() != terms["source"]:
        raise RunStoppedError("the harness' own source is not the same here as where the run began")
    return Context(load([Path(path) for path in terms["plugins"]]), terms["codes"])


def _serve(context: Context, terms: Any, receive: Callable[[], Message | None], send: Send) -> None:
    adopt_orphans()
    surroundings = ProcessState.now()
    allowance = terms["memory"]
    while (asked := receive()) is not None:
        send(Message({"reply": "begun"}))
        job = JOBS[asked.header["job"]]
        threads = terms["extraction_threads"] if job.runs_model else 1
        surroundings.prepare(seed=asked.header.get("seed", 0), threads=threads)
        if not job.runs_model:
            # Models and the drivers below them reserve far more than they use.
            surroundings.limit_memory(allowance)
        try:
            with warnings.catch_warnings():
                job.function(context, asked.header, send)
            answer = {"reply": "done"}
        except BaseException as error:
            # To say what went wrong takes memory.
            surroundings.lift_limits()
            answer = _outcome(error, allowance)
        peak = peak_memory()
        # Before the answer: an alarm that is still set must strike while its own job is to blame.
        surroundings.restore()
        spent = not job.runs_model and surroundings.is_spent(allowance)
        send(Message({**answer, "peak_memory": peak, "spent": spent}))
        forget_peak_memory()


def _outcome(error: BaseException, allowance: int) -> dict[str, str]:
    if isinstance(error, RunStoppedError):
        return {"reply": "stopped", "reason": str(error)}
    reason = reason_of(error)
    if isinstance(error, MemoryError):
        reason = f"out of memory: it may take {allowance / 2**30:g} GiB ({reason})"
    return {
        "reply": "failed",
        "status": "invalid" if isinstance(error, InvalidResultError) else "failed",
        "reason": reason,
        "detail": traceback.format_exc()[-DETAIL:],
    }


if __name__ == "__main__":
    main()
