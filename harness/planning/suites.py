"""From suites and keywords to a resolved run: the default suite, a suite file, values over both."""

import dataclasses
import importlib.metadata
import importlib.resources
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from harness.errors import (
    HarnessError,
    WrongValueError,
    naming,
    reason_of,
    refuse_unknown,
    setting_name,
)
from harness.planning.declaration import Setting
from harness.planning.objects import plugins_of, unidentified, unsent, with_specs
from harness.planning.plan import split_extractors
from harness.planning.settings import COMPONENTS, HOW, SETTINGS, WHAT, Execution, Settings
from harness.plugin import registry
from harness.plugin.arguments import shown
from harness.plugin.base import Selector
from harness.plugin.component import Component
from harness.plugin.draws import ImageControl
from harness.plugin.installed import Broken
from harness.plugin.registry import Registry
from harness.plugin.requirement import DASK, SLURM, gather
from harness.plugin.sources import Extractor, ImageSet, MapSet
from harness.plugin.spec import component_name, format_spec, refers_to, split
from harness.toml_text import parse_toml

# Plugins to load, and those that cannot be used.
Plugins = tuple[tuple[Path, ...], Sequence[Broken]]
# Entry points of suites: a name, and the package that holds NAME.toml.
SUITES = "harness.suites"
DEFAULT = "default"
# The suite whose controls runs take by default where maps come without images.
MAPS = "maps"
NONE = "none"
RESULTS = Path("results")
KEYS = tuple(key for key, setting in SETTINGS.items() if setting.in_suites)


def resolve_run(
    suite: str | Path | None,
    values: Mapping[str, Any],
    recall: Callable[[Execution], Plugins] = lambda how: (how.plugins, ()),
) -> tuple[Settings, Execution, Registry, Path, Sequence[str]]:
    """Resolve a run from the default suite, a suite file over it, and values over both.

    Values may hold objects in place of specs. recall: the plugins that are given and that the
    folder's run remembers, and its unusable ones. Returns what to compute, how, with which
    components, the run's folder, and remarks on what was chosen for the user. Raises HarnessError
    if any value is wrong.
    """
    file = None if suite is None else SETTINGS["out"].check("suite", suite)
    default, chosen = default_suite(), (read_suite(file) if file else {}, values)
    merged = merge(default, *chosen)
    how = execution(merged)
    if how.dask is not None:
        DASK.check(setting_name("dask"))
    if how.slurm is not None:
        SLURM.check(setting_name("slurm"))
    how = dataclasses.replace(how, plugins=(*how.plugins, *plugins_of(merged)))
    plugins, unusable = recall(how)
    how = dataclasses.replace(how, plugins=plugins)
    merged, known = with_specs(merged, registry.load(plugins, unusable))
    is_asked = any(each.get("isolation") is not None for each in chosen)
    how, remarks = _with_objects(how, known, is_asked=is_asked)
    for name in how.timeout.by_clusterer:
        known.find("clusterer", name)
    is_chosen = any(layer.get("controls") is not None for layer in chosen)
    nulls = default_suite(MAPS)["controls"]
    settings = resolve(merged, known, None if is_chosen else nulls)
    folder = how.out or RESULTS / f"{file.stem if file else DEFAULT}-{settings.digest()}"
    if not is_chosen and split_extractors(settings, known)[1]:
        remarks.append(
            f"controls: {', '.join(settings.controls)}; image controls cannot be drawn from maps "
            "that come without images"
        )
    return settings, how, known, folder, remarks


def _with_objects(
    how: Execution, known: Registry, *, is_asked: bool
) -> tuple[Execution, list[str]]:
    """How a run with objects is executed, and remarks on them.

    is_asked: whether the isolation was chosen. Raises HarnessError if an object cannot be sent to
    the worker processes that were asked for.
    """
    remarks = unidentified(known)
    reasons = unsent(known) if how.isolation == "process" else ""
    if not reasons:
        return how, remarks
    if is_asked or how.is_remote:
        remote = "dask" if how.dask is not None else "slurm"
        asked = setting_name("isolation" if is_asked else remote)
        raise HarnessError(
            f"{asked}: no worker process can import {reasons}; define it in a module, or leave out "
            f"{asked}"
        )
    remarks.append(f"no worker process can import {reasons}")
    return dataclasses.replace(how, isolation="none"), remarks


def default_suite(name: str = DEFAULT) -> dict[str, Any]:
    """Return the values that every run starts from, of the package that ships the components.

    Raises HarnessError if no installed package registers a suite of that name.
    """
    for entry_point in importlib.metadata.entry_points(group=SUITES, name=name):
        file = importlib.resources.files(entry_point.value).joinpath(f"{name}.toml")
        return parse_toml(file.read_text("utf-8"))
    raise HarnessError(f"no installed package has the suite {name!r}; reinstall the harness")


def read_suite(path: Path) -> dict[str, Any]:
    """Read the values of a suite file; plugin paths in it are relative to the file.

    Raises HarnessError if the file cannot be read, is not TOML, or has an unknown key.
    """
    try:
        values = parse_toml(path.read_text("utf-8-sig"))
    except OSError as error:
        raise HarnessError(f"{path}: the suite cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HarnessError(f"{path}: the suite is not UTF-8: {error.reason}") from error
    except ValueError as error:
        raise HarnessError(f"{path}: not TOML: {error}") from error
    refuse_unknown(f"{path}: unknown key", values, KEYS, "a suite has")
    try:
        # Here, a suite's keys are at fault, and no flags.
        with naming({}):
            checked = {key: SETTINGS[key].check(key, value) for key, value in values.items()}
    except HarnessError as error:
        raise WrongValueError(f"{path}: {error}") from None
    if "plugins" in values:
        values["plugins"] = [path.parent / plugin for plugin in checked["plugins"]]
    return values


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values; later layers win, None stands for not given; `timeout` collects them all."""
    merged = {key: value for layer in layers for key, value in layer.items() if value is not None}
    timeouts = [layer["timeout"] for layer in layers if layer.get("timeout") is not None]
    return {**merged, "timeout": timeouts} if timeouts else merged


def execution(values: Mapping[str, Any]) -> Execution:
    """Return how to run, from merged values; raises HarnessError if one is wrong."""
    return Execution(**_checked(HOW, values))


def resolve(values: Mapping[str, Any], known: Registry, map_controls: Any = None) -> Settings:
    """Return what to compute, from merged values, with checked components and expanded sweeps.

    map_controls: replace the controls if there are only map sets, and precede them if there are
    some: the reference control must be one that every map has.
    Raises HarnessError if a value is wrong, or names an unknown component or components whose
    packages are not installed.
    """
    checked = _checked(WHAT, values)
    each = gather(partial(_make, key, checked[key], known) for key in COMPONENTS)
    made = dict(zip(COMPONENTS, each, strict=True))
    made["extractors"] = [_for_images(one, made["images"]) for one in made["extractors"]]
    stored = [isinstance(extractor, MapSet) for extractor in made["extractors"]]
    if map_controls is not None and any(stored):
        nulls = _make("controls", WHAT["controls"].check("controls", map_controls), known)
        made["controls"] = nulls if all(stored) else [*nulls, *made["controls"]]
    _check_controls(made)
    specs = {key: tuple(dict.fromkeys(map(format_spec, each))) for key, each in made.items()}
    return Settings(**{**checked, **specs})


def _checked(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: setting.check(key, values.get(key, setting.default))
        for key, setting in settings.items()
    }


def _make(key: str, specs: Sequence[str], known: Registry) -> list[Component]:
    kind, may_be_empty = COMPONENTS[key], WHAT[key].may_be_empty
    parts = [part for spec in specs for part in split(spec)] if may_be_empty else []
    if NONE in parts and len(parts) > 1:
        raise WrongValueError(f"{setting_name(key)}: {NONE} stands alone, not beside {parts[-1]}")
    given = () if NONE in parts else specs
    made = [*chain.from_iterable(gather(partial(known.make, kind, spec) for spec in given))]
    if not made and not may_be_empty:
        raise WrongValueError(f"{setting_name(key)}: at least one {kind} is needed")
    return made


def _for_images(extractor: Component, images: Sequence[Component]) -> Component:
    """The extractor with what depends on the images of the run; the settings record it."""
    if not isinstance(extractor, Extractor):
        return extractor
    try:
        found = extractor.for_images([one for one in images if isinstance(one, ImageSet)])
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"{extractor.name}: for_images: {reason_of(error)}") from error
    if type(found) is not type(extractor):
        raise HarnessError(
            f"{extractor.name}: for_images returned {shown(found)}, not a component of its class"
        )
    return found


def _check_controls(made: Mapping[str, Sequence[Component]]) -> None:
    """Raise HarnessError if a selector needs controls and some maps have none."""
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
            "permuted-residuals to the controls, or choose another selector, such as stable-phase"
        )


def components_named(settings: Settings, names: Sequence[str]) -> set[str]:
    """Return the specs of the run's components that one of the names refers to.

    Raises HarnessError for other names, and for those of selectors: no stored cell depends on them.
    """
    others = [spec for key in COMPONENTS if key != "selectors" for spec in getattr(settings, key)]
    found, force = set(), setting_name("force")
    for wanted in names:
        specs = {spec for spec in others if refers_to(wanted, spec)}
        if not specs and any(refers_to(wanted, spec) for spec in settings.selectors):
            raise HarnessError(f"{force}: selectors such as {wanted} are applied anew in every run")
        if not specs:
            there = sorted(set(map(component_name, others)))
            refuse_unknown(f"{force}: this run has no component", [wanted], there, "it has")
        found |= specs
    return found
