"""Tries laws in worker processes, which survive what a component does."""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.engine.inline_worker import open_worker
from harness.engine.worker import LOADING, JobFailedError, Worker, WorkerConfig
from harness.planning.identity import source_digest
from harness.plugin.component import Component
from harness.plugin.registry import Registry
from harness.plugin.sources import Extractor
from harness.plugin.spec import format_spec
from harness.testing.law import Law, laws_of
from harness.testing.process import SAME_EVERYWHERE

# What to do about failures that have nothing to do with the law, by their status.
TIMED_OUT = "let it end, or be quicker; --timeout allows more seconds"
KILLED = "do not end the process, and take less memory; --memory allows more GiB"
ADVICE = {
    "failed": "do not raise this, or catch it",
    "timed out": TIMED_OUT,
    "killed": KILLED,
}
# Characters of a reason.
SHOWN = 200
FRAME = re.compile(r'^  File "(.*)", line (\d+)', re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """Whether a component keeps a law, and if not what it did and what to do.

    found, advice: "" if the law is kept. note: what the law measured. untried: how many laws after
    this one were not tried.
    """

    law: Law
    found: str = ""
    advice: str = ""
    note: str = ""
    untried: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether the law is kept."""
        return not self.found


def examined(
    components: Sequence[Component],
    registry: Registry,
    plugins: Sequence[Path],
    *,
    timeout: float,
    memory: float,
) -> Iterator[tuple[Component, Verdict]]:
    """Yield a verdict for every law of every component.

    timeout: seconds that a law may take; memory: GiB. After the first law, which the others need,
    or after one that timed out, the rest of a component's are not tried.
    """
    config = WorkerConfig(tuple(plugins), {}, source_digest(), int(memory * 2**30), 1)
    with (
        open_worker(config, "process", registry) as worker,
        open_worker(config, "process", registry) as other,
    ):
        for component in components:
            laws = laws_of(component)
            for index, law in enumerate(laws):
                verdict = _tried(worker, component, law, timeout)
                if not verdict.is_kept and (not index or verdict.advice == TIMED_OUT):
                    yield component, replace(verdict, untried=len(laws) - index - 1)
                    break
                yield component, verdict
            else:
                if isinstance(component, SAME_EVERYWHERE.bases):
                    yield component, _compared(worker, other, component, timeout)


def _compared(worker: Worker, other: Worker, component: Component, timeout: float) -> Verdict:
    """Whether a component gives the same in two processes, whose hashes of texts differ."""
    law = SAME_EVERYWHERE
    first, second = (_tried(each, component, law, timeout) for each in (worker, other))
    if first.is_kept and second.is_kept and first.note != second.note:
        return Verdict(law, "two processes get different results", law.advice)
    return Verdict(law, first.found or second.found, first.advice or second.advice)


def _tried(worker: Worker, component: Component, law: Law, timeout: float) -> Verdict:
    is_model = isinstance(component, Extractor)
    try:
        (answer,) = worker.call(
            "call_model" if is_model else "call",
            timeout + LOADING if is_model else timeout,
            kind=component.kind,
            component=format_spec(component),
            module=law.check.__module__,
            function=law.check.__name__,
        )
    except JobFailedError as error:
        reason = error.reason if len(error.reason) <= SHOWN else f"{error.reason[:SHOWN]}…"
        place = _place(error, component) if error.status == "failed" else ""
        return Verdict(law, reason + place, _advice(error, law))
    return Verdict(law, note=answer["returned"])


def _advice(error: JobFailedError, law: Law) -> str:
    if error.reason.startswith("out of memory"):
        return KILLED
    if error.status == "failed" and "read-only" in error.reason:
        return "copy what you change: the arrays of values are read-only"
    return ADVICE.get(error.status, law.advice)


def _place(error: JobFailedError, component: Component) -> str:
    """Where an exception was raised: the last line of the component's own file, if it has one."""
    frames = FRAME.findall(error.detail)
    own = [each for each in frames if each[0] == inspect.getfile(type(component))]
    return "".join(f" ({Path(file).name}, line {line})" for file, line in (own or frames)[-1:])
