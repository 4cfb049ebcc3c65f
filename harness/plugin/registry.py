"""Finds and loads plugins.

Each plugin is loaded on its own: one that fails is listed as broken, and the others work.
"""

import importlib.util
import inspect
import os
import sys
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.machinery import SOURCE_SUFFIXES, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pluggy

from harness.errors import HarnessError, did_you_mean, hint, setting_name
from harness.plugin import base, hooks
from harness.plugin.component import Component
from harness.plugin.installed import (
    Broken,
    BrokenPluginError,
    Source,
    attempt,
    entry_points,
)
from harness.plugin.spec import NAME, configure, parse, supported

GROUP = "harness"
HOOKS: Mapping[str, tuple[type[Component], ...]] = {
    "harness_image_sets": (base.ImageSet,),
    "harness_extractors": (base.Extractor, base.MapSet),
    "harness_graph_builders": (base.GraphBuilder,),
    "harness_clusterers": (base.Clusterer,),
    "harness_selectors": (base.Selector,),
    "harness_controls": (base.ImageControl, base.MapControl),
    "harness_perturbations": (base.Perturbation,),
}
KINDS = tuple(bases[0].kind for bases in HOOKS.values())
Registered = tuple[type[Component], Source]
Importer = Callable[[], Any]


@dataclass(frozen=True)
class Registry:
    """All components by kind and name; a name that two plugins define has several entries."""

    components: Mapping[str, Mapping[str, Sequence[Registered]]]
    broken: Sequence[Broken]

    def find(self, kind: str, name: str) -> type[Component]:
        """Return the component of that kind and name; raises HarnessError unless it is one."""
        found = self.components[kind].get(name, ())
        if len(found) != 1:
            raise HarnessError(self._why_not(kind, name, found))
        return found[0][0]

    def _why_not(self, kind: str, name: str, found: Sequence[Registered]) -> str:
        if found:
            return f"{kind} {name!r} is defined by {_sources(found)}; rename one or leave it out"
        for other in KINDS:
            if name in self.components[other]:
                return f"{name!r} is no {kind} but a {other}"
        missing = f"there is no {kind} {name!r}"
        known = sorted(self.components[kind])
        if not self.broken:
            return missing + hint(name, known)
        # It may be in any of them; the one of that name comes first.
        listed = sorted(self.broken, key=lambda one: one.name != name)
        plugins = (
            "plugins that cannot be loaded" if listed[1:] else "a plugin that cannot be loaded"
        )
        reasons = "; ".join(map(_explained, listed))
        close = did_you_mean(name, known)
        return f"{missing}{f'{close} Or it' if close else '; it'} may be in {plugins}: {reasons}"

    def make(self, kind: str, text: str) -> list[Component]:
        """Make the components of a kind from comma-separated specs; a sweep gives several.

        Raises HarnessError if the text is malformed, or names an unknown component or parameter.
        """
        return [
            component
            for spec in parse(text)
            for component in configure(self.find(kind, spec.name), spec)
        ]

    def warnings(self) -> Iterator[str]:
        """Yield a line for each broken plugin and each name that two plugins define."""
        for broken in self.broken:
            yield f"plugin {broken.name!r} from {broken.source} is broken: {broken.reason}"
        yield from self.conflicts()

    def conflicts(self) -> Iterator[str]:
        """Yield a line for each name that two plugins define."""
        for kind, named in self.components.items():
            for name, found in named.items():
                if len(found) > 1:
                    yield f"{kind} {name!r} cannot be used: it is defined by {_sources(found)}"


def _explained(broken: Broken) -> str:
    """A broken plugin with its reason, and what helps to mend it."""
    line = f"{broken.name} ({broken.source}): {broken.reason}"
    if not broken.traceback:
        return line
    option = "" if broken.source.package else f" --plugin {broken.source}"
    return f"{line}; mend it: `harness plugins {broken.name}{option}` shows where it fails"


def _sources(found: Sequence[Registered]) -> str:
    return " and ".join(str(source) for _, source in found)


def load(
    paths: Sequence[Path] = (),
    unusable: Sequence[Broken] = (),
    names: Collection[str] | None = None,
) -> Registry:
    """Load the plugins of installed packages and those in files or package folders.

    With `names`, of the installed ones only those. `unusable` plugins are not loaded. They, and
    plugins that cannot be loaded, are listed in the registry's `broken`; what plugins print while
    they are loaded goes to stderr. Raises HarnessError if a path does not exist.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    components: dict[str, dict[str, list[Registered]]] = {kind: {} for kind in KINDS}
    broken = list(unusable)
    installed = [
        (found.name, source, found.load)
        for found, source in entry_points(GROUP)
        if names is None or found.name in names
    ]
    for name, source, importer in [*installed, *_given(paths)]:
        loaded = attempt(name, source, partial(_load_one, manager, f"{source} {name}", importer))
        if isinstance(loaded, Broken):
            broken.append(loaded)
            continue
        for component in loaded:
            components[component.kind].setdefault(component.name, []).append((component, source))
    return Registry(components, broken)


def _given(paths: Sequence[Path]) -> Iterator[tuple[str, Source, Importer]]:
    for path in dict.fromkeys(paths):
        file = path / "__init__.py" if path.is_dir() else path
        if not file.is_file():
            given = setting_name("plugins")
            raise HarnessError(f"{given}: {path}: no such file, or a folder without __init__.py")
        yield path.stem, Source("", "", str(path)), partial(_import_file, file.resolve())


class _SourceLoader(SourceFileLoader):
    """Compiles the file itself: cached bytecode can be older, by an edit within one second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _import_file(file: Path) -> ModuleType:
    """Import a Python file, or the package of an __init__.py, under a unique module name."""
    name = f"harness_plugin_{sha256(os.fsencode(file)).hexdigest()[:12]}"
    package = [str(file.parent)] if file.name == "__init__.py" else None
    if file.suffix not in SOURCE_SUFFIXES:
        raise BrokenPluginError(f"{file.name} is not a Python file")
    spec = importlib.util.spec_from_file_location(
        name, loader=_SourceLoader(name, str(file)), submodule_search_locations=package
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look up their module by name while they are defined.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load_one(
    manager: pluggy.PluginManager, name: str, importer: Importer
) -> list[type[Component]]:
    plugin = importer()
    manager.register(plugin, name)
    try:
        found = [
            _checked(component, hook)
            for hook, returned in _call_hooks(manager, plugin)
            for component in returned
        ]
        if not found:
            raise BrokenPluginError("its hooks return no component")
        return found
    except BaseException:
        manager.unregister(plugin)
        raise


def _call_hooks(
    manager: pluggy.PluginManager, plugin: object
) -> Iterator[tuple[str, Sequence[object]]]:
    callers = manager.get_hookcallers(plugin) or []
    called = {caller.name for caller in callers}
    for name in (name for name in dir(plugin) if name.startswith("harness_")):
        if name not in called and inspect.isfunction(getattr(plugin, name)):
            raise BrokenPluginError(f"{name} is not marked with @harness.hookimpl")
    if not callers:
        raise BrokenPluginError(f"it implements none of the hooks {', '.join(HOOKS)}")
    for caller in callers:
        if not caller.has_spec():
            raise BrokenPluginError(f"there is no hook {caller.name!r}{hint(caller.name, HOOKS)}")
        for implementation in caller.get_hookimpls():
            if implementation.plugin is plugin:
                returned = implementation.function()
                if not isinstance(returned, list | tuple):
                    raise BrokenPluginError(f"{caller.name} must return a list of classes")
                yield caller.name, returned


def _checked(component: object, hook: str) -> type[Component]:
    """Return the class if it follows the rules; otherwise raise BrokenPluginError."""
    bases = HOOKS[hook]
    wanted = " or ".join(f"harness.{base.__name__}" for base in bases)
    if not (isinstance(component, type) and issubclass(component, bases)):
        raise BrokenPluginError(f"{hook} returned {component!r}, which is no subclass of {wanted}")
    title = component.__name__
    parameters = component.__dict__.get("__dataclass_params__")
    if parameters is None or not parameters.frozen:
        raise BrokenPluginError(f"{title} is not decorated with @dataclass(frozen=True)")
    missing = sorted(component.__abstractmethods__)
    if missing:
        raise BrokenPluginError(f"{title} does not define {', '.join(missing)}")
    name = getattr(component, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BrokenPluginError(f"{title} has no name: name: ClassVar[str] = 'its-name'")
    hints = typing.get_type_hints(component)
    for field in component.__dataclass_fields__.values():  # type: ignore[attr-defined]
        if "ClassVar" not in str(hints[field.name]) and not supported(hints[field.name]):
            raise BrokenPluginError(
                f"{title}.{field.name} is of type {field.type}, which a spec cannot hold"
            )
    return component
