"""The process of a worker: `python -P -m harness.engine.worker_main JOBS ANSWERS`.

The arguments are two file descriptors. The process says when it is ready, then does one job at a
time: it says that it begins, and answers with messages. It ends when the jobs' pipe closes; only
the coordinator or the guardian ends it during a job.
"""

import faulthandler
import os
import sys
from collections.abc import Callable
from typing import Any

from harness.engine.isolation import (
    ProcessState,
    ThreadLimit,
    adopt_orphans,
    forget_peak_memory,
    peak_memory,
)
from harness.engine.jobs import MODEL_JOBS, Context, Send, failure_of, perform
from harness.engine.messages import Message, decode, encode
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, RunStoppedError
from harness.planning.identity import source_digest
from harness.plugin.registry import load


def main() -> None:
    """Serve jobs until the pipe closes."""
    source, target = map(int, sys.argv[1:])
    # Only the pipes talk to the coordinator; what plugins print goes to the log.
    os.dup2(2, 1)
    reader = os.fdopen(source, "rb")
    writer = os.fdopen(target, "wb")
    for descriptor in (source, target):
        # Processes that a plugin starts must not hold the pipes open when this one dies.
        os.set_inheritable(descriptor, False)

    def send(reply: str = "answer", **values: Any) -> None:
        writer.write(encode({"reply": reply, **values}))
        writer.flush()

    handshake = decode(reader.read)
    if handshake is None:
        return
    try:
        if source_digest() != handshake["source"]:
            raise HarnessError(
                "the source of the harness here differs from that of the coordinator"
            )
        config = WorkerConfig.received(handshake)
        context = Context(load(config.plugins), config.codes)
    except HarnessError as error:
        send("stopped", reason=str(error))
        return
    send("ready")
    _serve(config, context, lambda: decode(reader.read), send)


def _serve(
    config: WorkerConfig, context: Context, receive: Callable[[], Message | None], send: Send
) -> None:
    adopt_orphans()
    state = ProcessState(ThreadLimit())
    while (asked := receive()) is not None:
        send("begun")
        runs_model = asked["job"] in MODEL_JOBS
        if not runs_model:
            # Models, and their drivers, reserve far more than they use.
            state.limit_memory(config.memory)
        try:
            perform(config, context, state, asked, send)
            answer = {"reply": "done"}
        except RunStoppedError as error:
            answer = {"reply": "stopped", "reason": str(error)}
        except BaseException as error:
            # Describing the failure takes memory.
            state.lift_limits()
            answer = {"reply": "failed", **failure_of(error, config.memory)}
        peak = peak_memory()
        # Before the answer: an alarm that is still set must strike its own job, not the next.
        faulthandler.cancel_dump_traceback_later()
        state.restore()
        spent = not runs_model and state.is_spent(config.memory)
        send(**answer, peak_memory=peak, spent=spent)
        forget_peak_memory()


if __name__ == "__main__":
    main()
