"""The settings of a run, each declared once.

Suite keys, flags, keywords of `harness.run`, their validation and documentation, and the JSON
schema of suites follow from the fields of Settings and Execution. Default components are in the
default suite, all other defaults here.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from harness.errors import WrongValueError, setting_name
from harness.planning.declaration import (
    components,
    declared,
    one_of,
    optional,
    parse_path,
    parse_text,
    positive,
    several,
    switch,
    whole,
)
from harness.planning.identity import key_of
from harness.plugin.spec import component_name

# What a selection is tested against: nulls of all images of its group, or of its own image.
Pooling = Literal["group", "image"]
# Where components run: in worker processes, or in the calling process.
Isolation = Literal["process", "none"]
Texts = tuple[str, ...]

POOLING = one_of(
    "take nulls from all images of a group, or from the image itself", "group", "image"
)
ISOLATION = one_of(
    "run components in worker processes, or in this one, for debugging", "process", "none"
)
# Four months.
SECONDS = positive(
    "seconds that a cell may take; 600,infomap=30 makes exceptions", 1e7, default=600.0, metavar="S"
)


@dataclass(frozen=True)
class TimeLimits:
    """Seconds that a cell may take, with exceptions by the clusterer's name."""

    seconds: float
    by_clusterer: Mapping[str, float]

    def of(self, clusterer: str) -> float:
        """The limit of a clusterer, given by its spec."""
        return self.by_clusterer.get(component_name(clusterer), self.seconds)


def _time_limits(values: Any) -> TimeLimits:
    """Read numbers of seconds and texts like "600,infomap=30"; the last one wins."""
    limits = {"": float(SECONDS.default)}
    for value in values if isinstance(values, list) else [values]:
        for part in value.split(",") if isinstance(value, str) else [value]:
            name, equals, number = part.rpartition("=") if isinstance(part, str) else ("", "", part)
            name = name.strip()
            if equals and not name:
                timeout = setting_name("timeout")
                raise WrongValueError(f"{timeout}: the name of a clusterer is missing in {part!r}")
            key = f"timeout of {name}" if name else "timeout"
            limits[name] = SECONDS.check(key, _number(number))
    return TimeLimits(limits.pop(""), limits)


def _number(value: Any) -> Any:
    """The number that a text is, or the value unchanged."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


_LIMIT = r"\s*([^\s,=]+\s*=\s*)?[0-9.][0-9.eE+-]*\s*"
_LIMITS = {"type": "string", "pattern": f"^{_LIMIT}(,{_LIMIT})*$", "examples": ["600,infomap=30"]}
TIMEOUT = dataclasses.replace(
    SECONDS,
    parse=_time_limits,
    type_name="float or str",
    schema={"anyOf": [SECONDS.schema, _LIMITS]},
    argument={},
)


@dataclass(frozen=True)
class Settings:
    """What a run computes. Components are specs with the parameters that are not default."""

    images: Annotated[Texts, components("image sets", "image set", metavar="SETS")]
    extractors: Annotated[Texts, components("models, or sets of attention maps", "extractor")]
    graphs: Annotated[Texts, components("graph builders", "graph builder")]
    clusterers: Annotated[Texts, components("methods to compare", "clusterer")]
    selectors: Annotated[Texts, components("rules that choose the level", "selector")]
    controls: Annotated[
        Texts, components("null models to compare with, or none", "control", may_be_empty=True)
    ]
    perturbations: Annotated[
        Texts,
        components(
            "changes that clusters should survive, or none", "perturbation", may_be_empty=True
        ),
    ]
    levels: Annotated[int, whole("levels of pruning", 1, 10_000, default=32)]
    repeats: Annotated[int, whole("seeds for each cell", 1, 10_000, default=1)]
    nulls: Annotated[
        int,
        whole(
            "least number of draws of each control that a selection is tested against",
            1,
            100_000,
            default=59,
        ),
    ]
    pooling: Annotated[Pooling, POOLING]
    stability_draws: Annotated[int, whole("draws of each perturbation", 1, 10_000, default=5)]
    rescore: Annotated[bool, switch("let each level keep the best of all levels' partitions")]
    resolution: Annotated[
        float, positive("resolution γ of the modularity that scores", default=1.0, metavar="GAMMA")
    ]
    seed: Annotated[int, whole("seed of the whole run", 0, 2**63, default=0)]

    def digest(self) -> str:
        """Eight hexadecimal digits that name the run's folder."""
        return key_of(dataclasses.asdict(self))[:8]


@dataclass(frozen=True)
class Execution:
    """How a run is computed; this changes no number, though a cell may fail because of it."""

    workers: Annotated[
        int, whole("worker processes", 1, 1_000, default=2, flags=("-j", "--workers"))
    ]
    timeout: Annotated[TimeLimits, TIMEOUT]
    memory: Annotated[
        float,
        # More than any machine has, and still a number of bytes that the system accepts.
        positive(
            "GiB that a cell may use, beyond its process' own", 1e6, default=4.0, metavar="GIB"
        ),
    ]
    # Other than 1 they may change the last digit, and are recorded.
    extraction_threads: Annotated[
        int, whole("threads of the model; a cell has one", 1, 1_000, default=1)
    ]
    dask: Annotated[
        str | None,
        optional(
            "compute cells on the workers of this Dask scheduler; local starts workers here",
            *("an address, or local", parse_text, "ADDRESS"),
        ),
    ]
    slurm: Annotated[
        Path | None,
        optional(
            "compute cells in jobs of Slurm, with the parameters in this TOML file",
            *("a path", parse_path, "FILE"),
        ),
    ]
    isolation: Annotated[Isolation, ISOLATION]
    plugins: Annotated[
        tuple[Path, ...],
        several(
            "a Python file or package folder with a plugin; may be repeated",
            *("a path or a list of paths", parse_path, {"action": "append", "type": Path}),
            flags=("--plugin",),
            metavar="PATH",
        ),
    ]
    out: Annotated[
        Path | None,
        optional("the run's folder (default results/SUITE-HASH)", "a path", parse_path, "DIR"),
    ]
    cache: Annotated[
        tuple[Path, ...],
        several(
            "also reuse cells of this run, or of the runs in this folder, besides the runs beside "
            "out; none reuses nothing; may be repeated",
            *("a path or a list of paths", parse_path, {"action": "append", "type": Path}),
            metavar="DIR",
        ),
    ]
    scratch: Annotated[
        Path | None,
        optional(
            "a local folder in which the store is written, to be copied to out every few minutes "
            "(default: a temporary one, if out lies on a network file system)",
            *("a path", parse_path, "DIR"),
        ),
    ]
    overwrite: Annotated[
        bool,
        switch(
            "replace a run with other settings in out; cells that both have are kept",
            in_suites=False,
        ),
    ]
    retry_failed: Annotated[bool, switch("compute again the cells that failed", in_suites=False)]
    keep_going: Annotated[
        bool, switch("continue a method whose first five cells all fail in the same way")
    ]
    force: Annotated[
        Texts,
        several(
            "compute again everything that this component took part in; may be repeated",
            *("text or a list of texts", parse_text, {"action": "append"}),
            in_suites=False,
            metavar="NAME",
        ),
    ]
    any_environment: Annotated[
        bool,
        switch(
            "resume a run that was started with other versions of Python, a library or a plugin",
            in_suites=False,
        ),
    ]

    @property
    def is_remote(self) -> bool:
        """Whether other machines compute cells."""
        return self.dask is not None or self.slurm is not None


WHAT = declared(Settings)
HOW = declared(Execution)
SETTINGS = {**WHAT, **HOW}
# The kind of component that a setting names, by setting.
COMPONENTS = {key: setting.kind for key, setting in WHAT.items() if setting.kind}
