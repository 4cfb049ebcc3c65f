"""Settings that hold objects: their specs, and a registry in which the specs are known."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, WrongValueError, setting_name
from harness.objects.arrays import ArrayMaps
from harness.objects.components import component_of, is_pixels
from harness.objects.portable import NotPortableError, encode
from harness.planning.content import code_digest, described
from harness.planning.settings import COMPONENTS
from harness.plugin.arguments import several_values
from harness.plugin.component import Component
from harness.plugin.registry import Registry, plugin_path
from harness.plugin.spec import format_spec


def objects_in(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every object that stands where a component's spec may, with its setting."""
    for key in COMPONENTS:
        for each in _each(key, values.get(key)):
            if not isinstance(each, str):
                yield key, each


def plugins_of(values: Mapping[str, Any]) -> tuple[Path, ...]:
    """The plugin files that the components among the values were loaded from by their paths."""
    objects = (each for _, each in objects_in(values))
    owners = (each if isinstance(each, type) else type(each) for each in objects)
    return tuple(dict.fromkeys(path for path in map(plugin_path, owners) if path))


def with_specs(values: Mapping[str, Any], registry: Registry) -> tuple[dict[str, Any], Registry]:
    """Return the values with a spec in place of every object, and a registry that has them.

    Raises WrongValueError if an object cannot be a component of the setting's kind, or if two that
    differ have one name.
    """
    found = dict(values)
    for key, _ in objects_in(values):
        specs = []
        for each in _each(key, values[key]):
            if isinstance(each, str):
                specs.append(each)
                continue
            try:
                component = component_of(COMPONENTS[key], each)
                registry = _including(registry, COMPONENTS[key], component)
            except HarnessError as error:
                raise WrongValueError(f"{setting_name(key)}: {error}") from None
            specs.append(format_spec(component))
        found[key] = specs
    return found, registry


def _including(registry: Registry, kind: str, component: Component) -> Registry:
    spec, registered = format_spec(component), registry.components[kind].get(component.name, ())
    if [_place(type(component))] == [_place(each) for each, _ in registered]:
        # The spec says it all.
        return registry
    before = registry.objects.get(kind, {}).get(spec)
    if before is not None and code_digest(before) != code_digest(component):
        raise HarnessError(f"two {kind}s that differ are called {spec}; rename one")
    return registry.including(kind, component)


def _place(owner: type) -> tuple[str, str]:
    """Where a class is defined; a plugin file that is loaded again defines another class there."""
    return owner.__module__, owner.__qualname__


def is_of_arrays(registry: Registry, spec: str) -> bool:
    """Whether the maps of an extractor were given as arrays."""
    return isinstance(registry.objects.get("extractor", {}).get(spec), ArrayMaps)


def sent(registry: Registry) -> list[tuple[str, Any]]:
    """The kind and the JSON of every object, for workers; see `unsent` for the others.

    Arrays of maps are left out: the coordinator reads them.
    """
    return [(kind, encode(component)) for kind, component in _sendable(registry)]


def unsent(registry: Registry) -> str:
    """The objects that no worker process can make, with the reasons; or "" if there are none."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for _, component in _sendable(registry):
        try:
            encode(component)
            if types := described(component)[1]:
                raise NotPortableError(f"its {', '.join(types)} would be another one there")
        except NotPortableError as error:
            names[str(error)].append(component.name)
    return ", ".join(
        f"{', '.join(dict.fromkeys(each))} ({reason})" for reason, each in names.items()
    )


def unidentified(registry: Registry) -> list[str]:
    """What the digests of the objects do not cover, by the objects' names."""
    return [
        f"{component.name}: {', '.join(types)} that it uses may change unnoticed; its cells are "
        "computed again in every session"
        for _, component in _sendable(registry)
        if (types := described(component)[1])
    ]


def _sendable(registry: Registry) -> Iterator[tuple[str, Component]]:
    for kind, components in registry.objects.items():
        for component in components.values():
            if not isinstance(component, ArrayMaps):
                yield kind, component


def _each(key: str, value: Any) -> list[Any]:
    """The parts of a setting's value; arrays of pixels are one part."""
    if value is None:
        return []
    if COMPONENTS[key] == "image set" and is_pixels(value):
        return [value]
    return several_values(value)
