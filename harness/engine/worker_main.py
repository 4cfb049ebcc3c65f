"""The process of a worker: `python -m harness.engine.worker_main ANSWERS`.

Jobs come through its standard input; the argument is the file descriptor for its answers. The
process says when it is ready, then does one job at a time: it says that it begins, and answers with
messages. It ends when the jobs' pipe closes; only the coordinator or the guardian ends it during a
job.
"""

import faulthandler
import os
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import harness
from harness.engine.isolation import ProcessState, adopt_orphans, forget_peak_memory, peak_memory
from harness.engine.jobs import MODEL_JOBS, Context, Send, failure_of, perform
from harness.engine.messages import Message, decode, encode_answer
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, RunStoppedError
from harness.objects.portable import decoded
from harness.planning.identity import source_digest
from harness.plugin.registry import Registry, load
from harness.plugin.spec import component_name


def main() -> None:
    """Serve jobs until the pipe closes."""
    # Only the pipes talk to the coordinator; what plugins print goes to the log.
    reader = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    writer = os.fdopen(int(sys.argv[1]), "wb")
    # Processes that a plugin starts must not hold the pipe open when this one dies.
    os.set_inheritable(writer.fileno(), False)

    def send(reply: str = "answer", **values: Any) -> None:
        writer.write(encode_answer({"reply": reply, **values}))
        writer.flush()

    handshake = decode(reader.read)
    if handshake is None:
        return
    try:
        if source_digest() != handshake["source"]:
            raise HarnessError(
                f"workers run the harness in {Path(harness.__file__).parent}, whose source differs "
                "from that of the harness which started them; install the one that is to run"
            )
        plugins = tuple(map(Path, handshake["plugins"]))
        config = WorkerConfig(**{**handshake, "plugins": plugins})
        # Most plugins are named like their component; with others, all are loaded when needed.
        names = {component_name(code).rpartition(" ")[2] for code in config.codes}
        context = Context(
            _registry(config, names or None), config.codes, partial(_registry, config)
        )
    except HarnessError as error:
        send("stopped", reason=str(error))
        return
    send("ready")
    _serve(config, context, lambda: decode(reader.read), send)


def _registry(config: WorkerConfig, names: Collection[str] | None = None) -> Registry:
    """The components of plugins, of the installed ones only those of some names, and objects."""
    registry = load(config.plugins, names=names)
    for kind, message in config.objects:
        registry = registry.including(kind, decoded(message))
    return registry


def _serve(
    config: WorkerConfig, context: Context, receive: Callable[[], Message | None], send: Send
) -> None:
    adopt_orphans()
    state = ProcessState()
    while (asked := receive()) is not None:
        send("begun")
        runs_model = asked["job"] in MODEL_JOBS
        if not runs_model:
            # Models, and their drivers, reserve far more than they use.
            state.limit_memory(config.memory)
        try:
            perform(config, context, asked, send)
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
