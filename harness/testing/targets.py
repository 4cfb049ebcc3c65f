"""Which components `harness check` is about: those of files, packages, and specs."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, did_you_mean
from harness.plugin.component import Component
from harness.plugin.installed import Source, entry_points
from harness.plugin.projects import GROUP, plugin_paths
from harness.plugin.registry import KINDS, Registry, load
from harness.plugin.spec import component_name, split


@dataclass(frozen=True)
class Targets:
    """Components to try, and why others cannot be tried.

    paths: the plugins to load for them. refused: a line for each name that stands for no component.
    """

    registry: Registry
    paths: Sequence[Path]
    components: Sequence[Component]
    refused: Sequence[str]


def find_targets(words: Sequence[str]) -> Targets:
    """Find what words name: paths of plugins, specs, and names of installed plugins or packages.

    With specs, paths are only where their components may be; without, all of the paths' components
    are meant. Raises HarnessError for a path or a name that there is not.
    """
    paths = [Path(word) for word in words if _is_path(word)]
    registry = load(paths)
    specs = [spec for word in words if not _is_path(word) for spec in split(word)]
    named = list(_named(registry, specs)) if specs else list(_of_paths(registry, paths))
    components: list[Component] = []
    refused = [each for each in named if isinstance(each, str)]
    for kind, spec in dict.fromkeys(each for each in named if not isinstance(each, str)):
        try:
            components += registry.make(kind, spec)
        except HarnessError as error:
            refused.append(f"{kind} {spec}: {error}")
    return Targets(registry, paths, components, refused)


def _is_path(word: str) -> bool:
    return "[" not in word and (word.endswith(".py") or "/" in word or Path(word).exists())


# The kind and the spec of a component, or why there is none.
_Named = tuple[str, str] | str


def _of_paths(registry: Registry, paths: Sequence[Path]) -> Iterator[_Named]:
    """All components of the plugins at these paths, and the broken ones of them."""
    for path in (each for given in paths for each in plugin_paths(given)):
        file = (path / "__init__.py" if path.is_dir() else path).resolve()
        of_path = {source for _, _, source in _all(registry) if source.origin == str(path)}
        # An installed package may have registered the same file.
        of_path |= {source for _, _, source in _all(registry) if _file_of(source) == file}
        yield from ((kind, name) for kind, name, source in _all(registry) if source in of_path)
        for broken in registry.broken:
            if broken.source.origin == str(path):
                yield f"{path}: it cannot be loaded: {broken.reason}"


def _file_of(source: Source) -> Path | None:
    file = getattr(sys.modules.get(source.origin.partition(":")[0]), "__file__", None)
    return Path(file).resolve() if file else None


def _all(registry: Registry) -> Iterator[tuple[str, str, Source]]:
    """The kind, the name and the source of every component."""
    for kind in KINDS:
        for name, found in registry.components[kind].items():
            for _, source in found:
                yield kind, name, source


def _named(registry: Registry, specs: Sequence[str]) -> Iterator[_Named]:
    """The components that specs describe, or that plugins and packages of these names have."""
    origins = {each.name: source.origin for each, source in entry_points(GROUP)}
    known = {*origins, *(name for _, name, _ in _all(registry))}
    for spec in specs:
        name = component_name(spec)
        found: list[_Named] = [(kind, spec) for kind in KINDS if name in registry.components[kind]]
        if not found:
            found = [
                (kind, each)
                for kind, each, source in _all(registry)
                if source.package == spec or source.origin == origins.get(spec)
            ]
        for broken in registry.broken:
            if spec in (broken.name, broken.source.package):
                found.append(f"{spec}: it cannot be loaded: {broken.reason}")
        if not found:
            of_paths = (one for one in registry.broken if not one.source.package)
            more = (
                "".join(f"; {one.source} cannot be loaded: {one.reason}" for one in of_paths)
                or did_you_mean(name, known)
                or "; `harness plugins` lists what there is"
            )
            raise HarnessError(f"there is no component, plugin or file {spec!r}{more}")
        yield from found
