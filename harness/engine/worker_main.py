"""The process of a worker: `python -P -m harness.engine.worker_main JOBS ANSWERS`.

The arguments are two file descriptors. The process says when it is ready, then does one job at a
time: it says that it begins, and answers with messages. It ends when the jobs' pipe closes; only
the coordinator or the guardian ends it during a job.
"""

import faulthandler
import os
import sys
from collections.abc import Callable

from harness.engine.isolation import (
    ProcessState,
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

    def send(message: Message) -> None:
        writer.write(encode(message))
        writer.flush()

    handshake = decode(reader.read)
    if handshake is None:
        return
    try:
        config, context = _ready(handshake)
    except HarnessError as error:
        send(Message({"reply": "stopped", "reason": str(error)}))
        return
    send(Message({"reply": "ready"}))
    _serve(config, context, lambda: decode(reader.read), send)


def _ready(handshake: Message) -> tuple[WorkerConfig, Context]:
    if source_digest() != handshake.header["source"]:
        raise RunStoppedError("the source of the harness here differs from that of the coordinator")
    config = WorkerConfig.received(handshake)
    return config, Context(load(config.plugins), config.codes)


def _serve(
    config: WorkerConfig, context: Context, receive: Callable[[], Message | None], send: Send
) -> None:
    adopt_orphans()
    state = ProcessState.now()
    while (asked := receive()) is not None:
        send(Message({"reply": "begun"}))
        runs_model = asked.header["job"] in MODEL_JOBS
        if not runs_model:
            # Models, and their drivers, reserve far more than they use.
            state.limit_memory(config.memory)
        try:
            perform(config, context, state, asked.header, send)
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
        send(Message({**answer, "peak_memory": peak, "spent": spent}))
        forget_peak_memory()


if __name__ == "__main__":
    main()
