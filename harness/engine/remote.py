"""What another machine must have in common with the coordinator's before it computes cells."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Self

from harness.engine.environment import difference, environment
from harness.engine.worker import JobFailedError, Worker, WorkerConfig
from harness.errors import RunStoppedError, setting_name
from harness.planning.settings import Execution

# What messages about differences call the coordinator and the other machine.
SIDES = ("here", "there")
# Seconds in which a worker must have compared its code.
CHECK_LIMIT = 120.0


@dataclass(frozen=True)
class Requirements:
    """What must be the same: the code of all components, and the environment.

    packages: those whose versions count; environment: that of the coordinator, None if any is
    accepted; mixing: the setting that accepts any.
    """

    packages: Set[str]
    environment: Mapping[str, Any] | None
    mixing: str

    @classmethod
    def of(cls, execution: Execution, config: WorkerConfig, packages: Set[str]) -> Self:
        """Those of a run, seen from its coordinator."""
        here = environment(config.extraction_threads, packages)
        expected = None if execution.any_environment else here
        return cls(packages, expected, setting_name("any_environment"))

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Those in a message with the values of `to_message`."""
        return cls(**{**message, "packages": frozenset(message["packages"])})

    def to_message(self) -> dict[str, Any]:
        """The values as JSON expresses them."""
        return {**vars(self), "packages": sorted(self.packages)}

    def refusal(self, worker: Worker, extraction_threads: int) -> str:
        """Why this machine, on which the worker runs, computes no cells; "" if it does."""
        here = environment(extraction_threads, self.packages)
        expected = self.environment
        if expected is not None and (found := difference(expected, here, SIDES)):
            return f"differs ({found}); install the same there, or mix them with {self.mixing}"
        try:
            (answer,) = worker.call("compare_code", CHECK_LIMIT)
        except (RunStoppedError, JobFailedError) as error:
            return f"cannot compute cells: {getattr(error, 'reason', error)}"
        others = ", ".join(answer["differing"])
        return others and f"differs (the code of {others}); install the same there"
