"""What applying components to a stored run takes: its store, and a worker with their code."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.engine.inline_worker import open_worker
from harness.engine.worker import Worker, WorkerConfig
from harness.errors import HarnessError, setting_name
from harness.planning.content import code_digest
from harness.planning.progress import Progress
from harness.planning.settings import Execution
from harness.planning.suites import execution, merge
from harness.plugin.component import Component
from harness.plugin.recorded import recalled, recorded
from harness.plugin.registry import Registry, load
from harness.plugin.spec import format_spec
from harness.store import Store, open_for_reading, open_for_writing
from harness.store.scratch import written_in


def how_to_apply(
    folder: Path, plugins: Sequence[str | Path], **limits: Any
) -> tuple[Execution, Registry]:
    """How components are applied to a run, within limits, and its components and given ones."""
    given = execution({"plugins": plugins}).plugins
    with open_for_reading(folder) as store:
        paths, unusable = recalled(folder, store.sessions(), given)
    return execution(merge({**limits, "plugins": paths})), load(paths, unusable)


def made_of(kind: str, specs: Sequence[str], registry: Registry) -> dict[str, Component]:
    """The components of a kind by their full specs; HarnessError if there is none."""
    made = [component for text in specs for component in registry.make(kind, text)]
    if not made:
        raise HarnessError(f"{setting_name(f'{kind}s')}: name at least one {kind}")
    return {format_spec(component): component for component in made}


@contextmanager
def applied(
    folder: Path,
    components: Iterable[Component],
    execution: Execution,
    registry: Registry,
    progress: Progress,
) -> Iterator[tuple[Store, Worker, WorkerConfig]]:
    """The store of a run, to be written, a worker for components, and what more workers take.

    The run remembers the plugins that were given. Raises HarnessError if it is in use.
    """
    codes = {f"{each.kind} {format_spec(each)}": code_digest(each) for each in components}
    config = WorkerConfig.of(execution, codes)
    with (
        written_in(folder, execution.scratch, progress) as live,
        open_for_writing(live) as store,
        open_worker(config, execution.isolation, registry) as worker,
    ):
        yield store, worker, config
        before = store.sessions()[-1].get("plugins", [])
        store.change_session({"plugins": [*before, *recorded(execution.plugins)]})
