"""Applies more selectors to a run that is there; nothing is clustered again."""

from collections.abc import Sequence
from pathlib import Path

from harness.engine.inline_worker import worker_maker
from harness.engine.selecting import select_all
from harness.engine.stability import stabilities
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError
from harness.planning.identity import code_digest
from harness.planning.progress import Progress
from harness.planning.settings import Execution
from harness.plugin.registry import Registry
from harness.plugin.spec import format_spec
from harness.store import (
    failed_selections,
    open_for_reading,
    open_for_writing,
    replace_selections,
    replace_stabilities,
)


def apply_selectors(
    folder: Path,
    spellings: Sequence[str],
    execution: Execution,
    registry: Registry,
    progress: Progress,
) -> int:
    """Apply selectors to every stored profile and keep what they choose beside the others'.

    Clusters at levels that no selector chose before are compared across levels only: seeds and
    perturbations take clustering, which the next run does. Returns how many selections failed.
    Raises HarnessError if there is no run, it is in use, or a selector is not to be had.
    """
    made = [one for text in spellings for one in registry.make("selector", text)]
    if not made:
        raise HarnessError("selectors: at least one selector is needed")
    codes = {format_spec(selector): code_digest(type(selector)) for selector in made}
    config = WorkerConfig.of(execution, {f"selector {text}": code for text, code in codes.items()})
    with open_for_reading(folder) as store:
        settings = store.settings()
    with (
        open_for_writing(folder) as store,
        worker_maker(config, execution.isolation, registry) as make_worker,
        make_worker() as worker,
    ):
        records = select_all(
            store,
            worker,
            list(codes),
            pooling=settings["pooling"],
            nulls=settings["nulls"],
            limit=execution.timeout.seconds,
            progress=progress,
        )
        replace_selections(store, records, list(codes))
        listed = list(dict.fromkeys([*settings["selectors"], *codes]))
        store.change_settings({**settings, "selectors": listed})
        replace_stabilities(store, stabilities(store))
        return failed_selections(store)
