"""What a run is told: the default suite, a suite file over it, flags over both."""

import dataclasses
import importlib.metadata
import importlib.resources
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from harness.errors import HarnessError
from harness.planning.identity import key_of
from harness.plugin.base import Component, ImageControl, MapSet, Selector
from harness.plugin.registry import Registry
from harness.plugin.spec import component_name, did_you_mean, format_spec, split

# Entry points of suites: a name, and the package that holds NAME.toml.
SUITES = "harness.suites"
DEFAULT = "default"
# Setting → kind of the components that it spells.
COMPONENTS = {
    "images": "image set",
    "extractors": "extractor",
    "graphs": "graph builder",
    "clusterers": "clusterer",
    "selectors": "selector",
    "controls": "control",
    "perturbations": "perturbation",
}
MAY_BE_EMPTY = ("controls", "perturbations")
# What a selection is tested against: nulls of all images of its group, or of its own image.
Pooling = Literal["group", "image"]
# Where components run: in worker processes, or in the calling process.
Isolation = Literal["process", "none"]
NONE = "none"
# Seconds; about four months.
LONGEST = 1e7
# GiB; more than any machine has, and still a number of bytes that the system takes.
MOST_MEMORY = 1e6


@dataclass(frozen=True)
class Settings:
    """What a run computes. Components are spelled in full detail where it differs from default.

    levels: thresholds a map is pruned at; repeats: seeds a cell is run with; nulls: draws of each
    control that a selection is tested against, at least; pooling: whether those are from all
    images of a group together or from the image itself; stability_draws: draws of each
    perturbation; rescore: whether each level keeps the best of all levels' partitions;
    resolution: γ of the modularity that scores.
    """

    images: tuple[str, ...]
    extractors: tuple[str, ...]
    graphs: tuple[str, ...]
    clusterers: tuple[str, ...]
    selectors: tuple[str, ...]
    controls: tuple[str, ...]
    perturbations: tuple[str, ...]
    levels: int
    repeats: int
    nulls: int
    pooling: Pooling
    stability_draws: int
    rescore: bool
    resolution: float
    seed: int

    def digest(self) -> str:
        """Eight hexadecimal digits that name the run's folder."""
        return key_of(dataclasses.asdict(self))[:8]


@dataclass(frozen=True)
class TimeLimits:
    """Seconds that a cell may take, with exceptions by the clusterer's name."""

    seconds: float
    by_clusterer: Mapping[str, float]

    def of(self, clusterer: str) -> float:
        """The limit of a clusterer, as it is spelled."""
        return self.by_clusterer.get(component_name(clusterer), self.seconds)


@dataclass(frozen=True)
class Execution:
    """How a run is computed; nothing here changes a number, though a cell may fail for it.

    timeout: seconds a cell may take; memory: GiB that it may take; extraction_threads: what a
    model may take (other than 1 it may change the last digit, and is recorded); dask: the
    address of a Dask scheduler, "local" for one made for the run, or None; isolation: whether
    components run in worker processes or in the calling one; plugins: files and folders with
    plugins; out: the run's folder, or None for the default one.
    """

    workers: int
    timeout: TimeLimits
    memory: float
    extraction_threads: int
    dask: str | None = None
    isolation: Isolation = "process"
    plugins: tuple[Path, ...] = ()
    out: Path | None = None


@dataclass(frozen=True)
class Suite:
    """A named set of run settings, raw as they were given."""

    name: str
    values: Mapping[str, Any]


def default_suite() -> Suite:
    """Return the suite that a run starts from; the package that ships the components has it.

    Raises HarnessError if no installed package registers one.
    """
    for entry_point in importlib.metadata.entry_points(group=SUITES, name=DEFAULT):
        file = importlib.resources.files(entry_point.value).joinpath(f"{DEFAULT}.toml")
        return Suite(DEFAULT, tomllib.loads(file.read_text("utf-8")))
    raise HarnessError(f"no installed package has the suite {DEFAULT!r}; reinstall the harness")


def read_suite(path: Path) -> Suite:
    """A suite file; its plugin paths are relative to the file.

    Raises HarnessError if it cannot be read, is no TOML, or has a key that no run has.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: the suite cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise HarnessError(f"{path}: not TOML: {error}") from error
    for key in values:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS) or f"; a suite has {', '.join(KEYS)}"
            raise HarnessError(f"{path}: unknown key {key!r}{hint}")
    if "plugins" in values:
        listed = _paths(values["plugins"], "plugins")
        values["plugins"] = [path.parent / plugin for plugin in listed]
    return Suite(path.stem, values)


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping; later layers win, None stands for not given.

    Only `timeout` keeps what each layer says: exceptions for a clusterer stay until a later
    layer makes another one for it.
    """
    merged = {key: value for layer in layers for key, value in layer.items() if value is not None}
    timeouts = [layer["timeout"] for layer in layers if layer.get("timeout") is not None]
    return {**merged, "timeout": timeouts} if timeouts else merged


def execution(values: Mapping[str, Any]) -> Execution:
    """How to run, from merged values.

    Raises HarnessError if a value is of the wrong type or out of range.
    """
    out = values.get("out")
    if not isinstance(out, str | Path | None) or out == "":
        raise HarnessError(f"out: expected a path, not {out!r}")
    dask = values.get("dask")
    if not isinstance(dask, str | None) or dask == "":
        raise HarnessError(f"dask: expected an address, or local, not {dask!r}")
    return Execution(
        workers=_whole(values, "workers", 1, 1_000),
        timeout=_time_limits(values["timeout"]),
        memory=_number(values, "memory", MOST_MEMORY),
        extraction_threads=_whole(values, "extraction_threads", 1, 1_000),
        dask=dask,
        isolation=_choice(values.get("isolation", "process"), "isolation", get_args(Isolation)),
        plugins=_paths(values.get("plugins", ()), "plugins"),
        out=None if out is None else _path(out),
    )


def spelled_by(settings: Settings, names: Sequence[str]) -> set[str]:
    """The spellings of the run's components that go by these names, or are so spelled.

    Raises HarnessError for a name that no component of the run has, and for a selector's, which
    has no part in what is stored.
    """
    spelled = {
        setting: {text: component_name(text) for text in getattr(settings, setting)}
        for setting in COMPONENTS
    }
    selectors = spelled.pop("selectors")
    known = {text: name for texts in spelled.values() for text, name in texts.items()}
    found = set()
    for wanted in names:
        texts = {text for text, name in known.items() if wanted in (text, name)}
        if not texts and wanted in {*selectors, *selectors.values()}:
            raise HarnessError(f"--force {wanted}: selectors are applied anew in every run")
        if not texts:
            there = sorted(set(known.values()))
            hint = did_you_mean(wanted, there) or f"; there are {', '.join(there)}"
            raise HarnessError(f"--force {wanted}: no such component in this run{hint}")
        found |= texts
    return found


def resolve(values: Mapping[str, Any], registry: Registry) -> Settings:
    """What to compute, from merged values, every component checked and sweeps written out.

    Raises HarnessError if a value is of the wrong type, out of range, or names what is not
    there.
    """
    spelled = {}
    made: dict[str, list[Component]] = {}
    for key, kind in COMPONENTS.items():
        texts = _texts(values[key], key)
        if key in MAY_BE_EMPTY:
            texts = _empty_for_none(texts, key)
        components = [one for text in texts for one in registry.make(kind, text)]
        if not components and key not in MAY_BE_EMPTY:
            raise HarnessError(f"{key}: at least one {kind} is needed")
        spelled[key] = tuple(dict.fromkeys(format_spec(component) for component in components))
        made[key] = components
    _check_controls(made)
    return Settings(
        **spelled,
        levels=_whole(values, "levels", 1, 10_000),
        repeats=_whole(values, "repeats", 1, 10_000),
        nulls=_whole(values, "nulls", 1, 100_000),
        pooling=_choice(values["pooling"], "pooling", get_args(Pooling)),
        stability_draws=_whole(values, "stability_draws", 1, 10_000),
        rescore=_yes_or_no(values, "rescore"),
        resolution=_number(values, "resolution", math.inf),
        seed=_whole(values, "seed", 0, 2**63),
    )


def _check_controls(made: Mapping[str, Sequence[Component]]) -> None:
    """Raise HarnessError if a selector needs controls and there are maps that none is drawn from.

    What is drawn from images says nothing about maps that come without.
    """
    needy = [one for one in made["selectors"] if isinstance(one, Selector) and one.needs_controls]
    of_maps = [control for control in made["controls"] if not isinstance(control, ImageControl)]
    for extractor in made["extractors"] if needy and not of_maps else ():
        if made["controls"] and not isinstance(extractor, MapSet):
            continue
        reason = (
            f"there are no images to draw {made['controls'][0].name} from"
            if made["controls"]
            else "there is no control"
        )
        raise HarnessError(
            f"{needy[0].name} compares {extractor.name} with a control, and {reason}; add "
            "--controls permuted-rows, or choose another selector, such as stable-phase"
        )


KEYS = (
    *(field.name for field in dataclasses.fields(Settings)),
    *(field.name for field in dataclasses.fields(Execution)),
)


def _texts(value: Any, key: str) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise HarnessError(f"{key}: expected text or a list of texts, not {value!r}")
    return list(texts)


def _empty_for_none(texts: list[str], key: str) -> list[str]:
    parts = [part for text in texts for part in split(text)]
    if NONE not in parts:
        return texts
    if len(parts) > 1:
        raise HarnessError(f"{key}: {NONE} stands alone, not beside {parts[-1]}")
    return []


def _paths(value: Any, key: str) -> tuple[Path, ...]:
    paths = [value] if isinstance(value, str | Path) else value
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | Path) for path in paths):
        raise HarnessError(f"{key}: expected a path or a list of paths, not {value!r}")
    return tuple(_path(path) for path in paths)


def _path(path: str | Path) -> Path:
    # Unlike Path.expanduser, this leaves a home that it does not know as it is.
    return Path(os.path.expanduser(path))


def _time_limits(values: Sequence[Any]) -> TimeLimits:
    """From numbers of seconds and texts like "600,infomap=30"; the last word counts."""
    seconds = math.inf
    by_clusterer = {}
    parts = [
        part
        for value in values
        for part in (value.split(",") if isinstance(value, str) else [value])
    ]
    for part in parts:
        name, equals, number = part.rpartition("=") if isinstance(part, str) else ("", "", part)
        try:
            limit = float(number) if isinstance(number, str) else number
        except ValueError:
            limit = number
        if equals and not name.strip():
            raise HarnessError(f"timeout: a clusterer's name is missing in {part!r}")
        where = f"timeout of {name.strip()}" if equals else "timeout"
        limit = _number({where: limit}, where, LONGEST)
        if equals:
            by_clusterer[name.strip()] = limit
        else:
            seconds = limit
    return TimeLimits(seconds, by_clusterer)


def _whole(values: Mapping[str, Any], key: str, at_least: int, at_most: int) -> int:
    value = values[key]
    if type(value) is not int or not at_least <= value <= at_most:
        raise HarnessError(
            f"{key}: expected a whole number from {at_least} to {at_most}, not {value!r}"
        )
    return value


def _choice(value: Any, key: str, choices: tuple[str, ...]) -> Any:
    if value not in choices:
        raise HarnessError(f"{key}: expected {' or '.join(choices)}, not {value!r}")
    return value


def _yes_or_no(values: Mapping[str, Any], key: str) -> bool:
    value = values[key]
    if not isinstance(value, bool):
        raise HarnessError(f"{key}: expected true or false, not {value!r}")
    return value


def _number(values: Mapping[str, Any], key: str, below: float) -> float:
    value = values[key]
    if type(value) not in (int, float) or not 0 < value < below:
        limit = "" if below == math.inf else f" below {below:g}"
        raise HarnessError(f"{key}: expected a positive number{limit}, not {value!r}")
    return float(value)
