"""Tries laws in worker processes, which survive what a component does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.inline_worker import open_worker
from harness.engine.worker import LOADING, JobFailedError, Worker, WorkerConfig
from harness.planning.identity import source_digest
from harness.plugin.base import Extractor
from harness.plugin.component import Component
from harness.plugin.registry import Registry
from harness.plugin.spec import format_spec
from harness.testing.law import Law, laws_of


@dataclass(frozen=True)
class Verdict:
    """Whether a component keeps a law, and if not what it did and what to do.

    found: "" if the law is kept. note: what the law measured. untried: the laws after this one,
    which were not tried.
    """

    law: Law
    found: str = ""
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
    with open_worker(config, "process", registry) as worker:
        for component in components:
            laws = laws_of(component)
            for index, law in enumerate(laws):
                verdict, timed_out = _tried(worker, component, law, timeout)
                if not verdict.is_kept and (timed_out or not index):
                    yield component, Verdict(law, verdict.found, untried=len(laws) - index - 1)
                    break
                yield component, verdict


def _tried(worker: Worker, component: Component, law: Law, timeout: float) -> tuple[Verdict, bool]:
    """The verdict of one law, and whether it timed out."""
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
        return Verdict(law, error.reason), error.status == "timed out"
    return Verdict(law, note=answer["returned"]), False
