"""Finds and loads plugins.

Each plugin is loaded on its own: one that fails is listed as broken, and the others work.
"""

import dataclasses
import importlib.util
import inspect
import itertools
import os
import sys
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from importlib.machinery import SOURCE_SUFFIXES, SourceFileLoader
from itertools import chain
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

import pluggy

from harness.errors import (
    MissingFileError,
    WrongValueError,
    did_you_mean,
    hint,
    refuse_unknown,
    setting_name,
)
from harness.plugin import base, draws, hooks, modules, sources
from harness.plugin.component import Component
from harness.plugin.installed import (
    OBJECT,
    Broken,
    BrokenPluginError,
    Source,
    attempt,
    entry_points,
)
from harness.plugin.projects import GROUP, plugin_paths
from harness.plugin.requirement import Requirement, gather
from harness.plugin.score import Score
from harness.plugin.spec import NAME, ComponentSpec, configure, format_spec, parse, supported

HOOKS: Mapping[str, tuple[type[Component], ...]] = {
    "harness_image_sets": (sources.ImageSet,),
    "harness_extractors": (sources.Extractor, sources.MapSet),
    "harness_graph_builders": (base.GraphBuilder,),
    "harness_clusterers": (base.Clusterer,),
    "harness_selectors": (base.Selector,),
    "harness_controls": (draws.ImageControl, draws.MapControl),
    "harness_perturbations": (draws.Perturbation,),
    "harness_scores": (Score,),
}
KINDS = tuple(bases[0].kind for bases in HOOKS.values())
Registered = tuple[type[Component], Source]
Importer = Callable[[], Any]


@dataclass(frozen=True)
class Registry:
    """All components by kind and name; a name that two plugins define has several entries.

    objects: components that are objects of a caller's, by kind and spec.
    without_hooks: paths of modules without components, given for their functions.
    """

    components: Mapping[str, Mapping[str, Sequence[Registered]]]
    broken: Sequence[Broken]
    objects: Mapping[str, Mapping[str, Component]] = field(default_factory=dict)
    without_hooks: Sequence[str] = ()

    def including(self, kind: str, component: Component) -> "Registry":
        """Return a registry that has an object of a caller's, too."""
        of_kind = {**self.objects.get(kind, {}), format_spec(component): component}
        return replace(self, objects={**self.objects, kind: of_kind})

    def find(self, kind: str, name: str) -> type[Component]:
        """Return the component of that kind and name; raises WrongValueError unless it is one."""
        found = [*self.components[kind].get(name, ()), *self._of_objects(kind, name)]
        if len(found) != 1:
            raise WrongValueError(self._why_not(kind, name, found))
        return found[0][0]

    def _of_objects(self, kind: str, name: str) -> list[Registered]:
        """The classes of the objects of that kind and name, each once."""
        named = (one for one in self.objects.get(kind, {}).values() if one.name == name)
        return [(each, OBJECT) for each in dict.fromkeys(map(type, named))]

    def _why_not(self, kind: str, name: str, found: Sequence[Registered]) -> str:
        if found:
            return f"{kind} {name!r} is defined by {_sources(found)}; rename one or leave it out"
        for other in KINDS:
            if name in self.components[other]:
                return f"{name!r} is no {kind} but a {other}"
        missing = f"there is no {kind} {name!r}"
        known = sorted(self.components[kind])
        for one in self.broken:
            if one.is_object and one.name == name:
                return f"{missing}; {one.reason}"
        # It may be in any of them; the one of that name comes first.
        listed = sorted(self._broken_plugins(), key=lambda one: one.name != name)
        if not listed:
            plain = "".join(f"; {path} implements no hook" for path in self.without_hooks)
            return missing + hint(name, known) + plain
        plugins = (
            "plugins that cannot be loaded" if listed[1:] else "a plugin that cannot be loaded"
        )
        reasons = "; ".join(map(_explained, listed))
        close = did_you_mean(name, known)
        return f"{missing}{f'{close} Or it' if close else '; it'} may be in {plugins}: {reasons}"

    def make(
        self, kind: str, text: str, parameters: Mapping[str, Any] = MappingProxyType({})
    ) -> list[Component]:
        """Make the components of a kind from comma-separated specs; a sweep gives several.

        parameters: the values of more parameters of each.
        Raises HarnessError if the text is malformed, or names an unknown component or parameter;
        MissingPackagesError if packages are not installed, with all that the components need.
        """
        made = gather(partial(self._made, kind, spec, parameters) for spec in parse(text))
        return list(itertools.chain.from_iterable(made))

    def _made(
        self, kind: str, spec: ComponentSpec, parameters: Mapping[str, Any]
    ) -> list[Component]:
        component, objects = self.find(kind, spec.name), self.objects.get(kind, {})
        if self._of_objects(kind, spec.name):
            refuse_unknown("no object was given as", [spec.text], list(objects), "there are")
            return [objects[spec.text]]
        return configure(component, spec, parameters)

    def warnings(self) -> Iterator[str]:
        """Yield a line for each broken plugin and each name that two plugins define."""
        for broken in self._broken_plugins():
            yield f"plugin {broken.name!r} from {broken.source} is broken: {broken.reason}"
        yield from self.conflicts()

    def _broken_plugins(self) -> list[Broken]:
        return [one for one in self.broken if not one.is_object]

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
    """Load the plugins of installed packages and those in files, packages or projects' folders.

    With `names`, of the installed ones only those. A file that an installed package has registered
    is loaded once. `unusable` plugins are not loaded. They, and plugins that cannot be loaded, are
    listed in the registry's `broken`; what plugins print while they are loaded goes to stderr.
    Raises HarnessError if a path does not exist.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    components: dict[str, dict[str, list[Registered]]] = {kind: {} for kind in KINDS}
    broken, without_hooks = list(unusable), []
    installed = (
        (found.name, source, found.load)
        for found, source in entry_points(GROUP)
        if names is None or found.name in names
    )
    for name, source, importer in chain(installed, _given(paths, manager)):
        by_path = not source.package
        load_one = partial(_load_one, manager, f"{source} {name}", importer, by_path=by_path)
        loaded = attempt(name, source, load_one)
        if isinstance(loaded, Broken):
            broken.append(loaded)
            continue
        if not loaded:
            without_hooks.append(source.origin)
        for component in loaded:
            components[component.kind].setdefault(component.name, []).append((component, source))
    return Registry(components, broken, without_hooks=without_hooks)


def _given(
    paths: Sequence[Path], manager: pluggy.PluginManager
) -> Iterator[tuple[str, Source, Importer]]:
    found = list(dict.fromkeys(each for given in paths for each in plugin_paths(given)))
    for path in found:
        modules.forget(path)
    for path in found:
        file = path / "__init__.py" if path.is_dir() else path
        if not file.is_file():
            given = setting_name("plugins")
            raise MissingFileError(
                f"{given}: {path}: no such file, or a folder without __init__.py"
            )
        if file.resolve() not in map(_file_of, manager.get_plugins()):
            yield path.stem, Source("", "", str(path)), partial(_import_path, path, file.resolve())


def _file_of(plugin: object) -> Path | None:
    """The file of a plugin that is a module."""
    file = getattr(plugin, "__file__", None)
    return Path(file).resolve() if file else None


class _SourceLoader(SourceFileLoader):
    """Compiles the file itself: cached bytecode can be older, by an edit within one second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _import_path(path: Path, file: Path) -> ModuleType:
    """Import a path's file, and make the module available to components."""
    module = _import_file(file)
    modules.remember(path, module)
    return module


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


def plugin_path(component: type) -> Path | None:
    """The plugin file or package folder that a class was loaded from by its path, if it was."""
    module = sys.modules.get(component.__module__)
    loader = getattr(module, "__loader__", None)
    if not isinstance(loader, _SourceLoader):
        return None
    file = Path(loader.path)
    return file.parent if file.name == "__init__.py" else file


def _load_one(
    manager: pluggy.PluginManager, name: str, importer: Importer, *, by_path: bool
) -> list[type[Component]]:
    """The components of a plugin; a module that a path gives may have none."""
    plugin = importer()
    manager.register(plugin, name)
    try:
        if by_path and not manager.get_hookcallers(plugin) and modules.is_plain(plugin):
            return []
        found = [
            checked_component(component, hook)
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


def checked_component(component: object, hook: str) -> type[Component]:
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
    if not isinstance(name, str):
        raise BrokenPluginError(f"{title} has no name: name: ClassVar[str] = 'its-name'")
    if not NAME.fullmatch(name):
        raise BrokenPluginError(
            f"{title} has the name {name!r}; a name consists of letters a to z, digits, hyphens, "
            "underscores and points, and begins with a letter or a digit"
        )
    if not isinstance(component.requires, Requirement | None):
        raise BrokenPluginError(f"{title}.requires is no harness.Requirement")
    if wrong := component.misdeclared():
        raise BrokenPluginError(f"{title} {wrong}")
    for parent in filter(partial(issubclass, component), bases):
        _check_methods(component, parent)
    hints = typing.get_type_hints(component)
    declared = set(chain.from_iterable(parent.__annotations__ for parent in (Component, *bases)))
    for one in dataclasses.fields(component):  # type: ignore[arg-type]
        if one.name in declared:
            raise BrokenPluginError(
                f"{title}.{one.name} is a class variable, no parameter: annotate it with ClassVar"
            )
        if not supported(hints[one.name]):
            raise BrokenPluginError(
                f"{title}.{one.name} is of type {one.type}, which a spec cannot hold; it may be "
                "bool, int, float, str, Path, a Literal, a tuple of these, or one of these or None"
            )
    return component


def _check_methods(component: type[Component], parent: type[Component]) -> None:
    """Raise BrokenPluginError unless every method is one, and takes the arguments it will get."""
    for name, wanted in vars(parent).items():
        found = inspect.getattr_static(component, name)
        if name.startswith("_") or found is wanted or not inspect.isfunction(wanted):
            continue
        if not callable(getattr(component, name)):
            raise BrokenPluginError(f"{component.__name__}.{name} must be a method")
        if not inspect.isfunction(found):
            continue
        arguments = inspect.signature(wanted).parameters.values()
        named = [each.name for each in arguments if each.kind is each.KEYWORD_ONLY]
        others = [each.name for each in arguments if each.kind is not each.KEYWORD_ONLY]
        try:
            inspect.signature(found).bind(*others, **dict.fromkeys(named))
        except TypeError:
            taken = ", ".join([*others, *(["*", *named] if named else [])])
            raise BrokenPluginError(
                f"{component.__name__}.{name} must take the arguments of {name}({taken})"
            ) from None
