"""The TOML file of `--slurm`: what a job asks for, and how many cells it computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import submitit

from harness.errors import HarnessError, refuse_unknown
from harness.toml_text import parse_toml

Cluster = Literal["slurm", "local"]
# Parameters of submitit that are set otherwise: a job is one task on one node.
NOT_TAKEN = {"nodes", "ntasks_per_node"}
# Whole numbers with their defaults: cells of a job, its minutes, the processors and thus the worker
# processes of a job, and the most jobs at a time.
NUMBERS = {"chunk": 32, "time": 60, "cpus_per_task": 1, "array_parallelism": 256}


@dataclass(frozen=True)
class SlurmFile:
    """What jobs are like.

    chunk: cells of a job; workers: worker processes of a job; jobs: the most at a time; minutes: of
    a job; parameters: those of submitit's executor for Slurm.
    """

    cluster: Cluster
    chunk: int
    workers: int
    jobs: int
    minutes: int
    parameters: Mapping[str, Any]


def read_slurm_file(path: Path) -> SlurmFile:
    """Read and check the file; HarnessError names what is wrong in it."""
    try:
        given = parse_toml(path.read_text("utf-8"))
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise HarnessError(f"{path}: not TOML: {error}") from error
    known = sorted({"chunk", "cluster", *submitit.SlurmExecutor._valid_parameters()} - NOT_TAKEN)
    refuse_unknown(f"{path}: there is no key", given, known, "there are")
    cluster = given.pop("cluster", "slurm")
    if cluster not in get_args(Cluster):
        raise HarnessError(f"{path}: cluster: expected slurm or local, not {cluster!r}")
    values = {**NUMBERS, **given}
    for name in NUMBERS:
        if type(values[name]) is not int or values[name] < 1:
            raise HarnessError(
                f"{path}: {name}: expected a whole number from 1 on, not {values[name]!r}"
            )
    if type(values.get("mem", 1)) not in (int, float):
        raise HarnessError(f"{path}: mem: expected a number of GB, not {values['mem']!r}")
    if "mem" in values:
        values["mem"] = f"{round(1024 * values['mem'])}M"
    chunk = values.pop("chunk")
    return SlurmFile(
        cluster,
        chunk,
        values["cpus_per_task"],
        values["array_parallelism"],
        values["time"],
        values,
    )
