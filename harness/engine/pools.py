"""Which pool computes the cells of a run, by its execution settings."""

from collections.abc import Set
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from harness.engine.pool import InlinePool, LocalPool, Pool
from harness.engine.remote import Requirements
from harness.engine.worker import Worker, WorkerConfig
from harness.errors import HarnessError, setting_name
from harness.planning.progress import Progress
from harness.planning.settings import Execution


def check_pool(execution: Execution) -> None:
    """Refuse what is known to be wrong before anything is surveyed."""
    given = {
        "isolation none": execution.isolation == "none",
        "dask": execution.dask is not None,
        "slurm": execution.slurm is not None,
    }
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) > 1:
        first, second = (
            " ".join([setting_name(setting), *value])
            for setting, *value in map(str.split, chosen[:2])
        )
        raise HarnessError(
            f"components run either in this process, on Dask or on Slurm; leave out {first} or "
            f"{second}"
        )
    if execution.slurm is not None:
        from harness.engine.slurm_file import read_slurm_file

        read_slurm_file(execution.slurm)


def open_pool(
    execution: Execution,
    config: WorkerConfig,
    packages: Set[str],
    worker: Worker,
    maps: Path,
    progress: Progress,
) -> AbstractContextManager[Pool]:
    """The pool of a run.

    packages: those that the run uses; worker: the one that computes without isolation; maps: the
    folder of the maps' weights.
    """
    if execution.isolation == "none":
        return nullcontext(InlinePool(worker, maps))
    if not execution.is_remote:
        return LocalPool(execution.workers, config, maps)
    requirements = Requirements.of(execution, config, packages)
    if execution.slurm is not None:
        from harness.engine.slurm_pool import submitting

        return submitting(execution, config, requirements, maps)
    from harness.engine.dask_pool import connect

    return connect(execution, config, requirements, maps, progress)
