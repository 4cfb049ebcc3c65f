"""Keys and seeds: what makes two pieces of work the same, and what randomness they get."""

import ast
import dataclasses
import hashlib
import json
import sys
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.plugin.component import Component
from harness.plugin.draws import ImageControl
from harness.plugin.spec import format_spec

SEEDS = 2**31
INTERFACE = "harness"
# What plugins import of it: modules that lead to everything.
FACADES = (INTERFACE, f"{INTERFACE}.command")
# What computes and scores every cell, and what selects, tests and compares.
CORE = ("harness.engine.worker_main", "harness.engine.selecting", "harness.engine.stability")
# What the core imports and does not compute with: it finds plugins, reads published runs, and
# converts graphs for those components that ask for it and say so.
UNUSED = {"pluggy", "pandas", "pyarrow", "networkx"}


def key_of(*parts: Any) -> str:
    """A key of 32 hexadecimal digits for JSON-able parts; equal parts have equal keys."""
    return _digest(parts)[:32]


def seed_of(*parts: Any) -> int:
    """A seed in 0 … 2³¹−1 for JSON-able parts."""
    return int(_digest(parts), 16) % SEEDS


def _digest(parts: tuple[Any, ...]) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class ComponentIdentity:
    """A configured component as keys see it.

    spec: its shortest spec. full_spec: the one with every parameter. code: digest of its source.
    of_images: whether it is a control that is drawn from images.
    """

    name: str
    spec: str
    full_spec: str
    code: str
    of_images: bool

    @property
    def parts(self) -> list[str]:
        """What goes into a key."""
        return [self.full_spec, self.code]


def identify(component: Component, code: str) -> ComponentIdentity:
    """Return the identity of a configured component, given the digest of its code."""
    specs = format_spec(component), format_spec(component, full=True)
    return ComponentIdentity(component.name, *specs, code, isinstance(component, ImageControl))


def files_digest(files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of the files of modules, by module name."""
    digest = hashlib.sha256()
    for _, path in sorted(files.items()):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_digest() -> str:
    """Return the SHA-256 of the core's own source, which computes and scores every cell."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def source_files(component: type[Component]) -> dict[str, Path]:
    """Return the file of every module that a component's code comes from, by module name.

    These are the modules of the class and its bases, the modules that they import anywhere in
    their code, and the packages around them. Imports are followed within the top-level packages
    of the class and within the harness: a change in a helper module or in the shipped model
    counts, a change in a neighbouring plugin does not. The public interface, `harness` itself and
    `harness.command`, is left out because it leads to everything.
    """
    return files_behind(_modules(component))


def files_behind(modules: Sequence[str]) -> dict[str, Path]:
    """Return the files of modules and of what they import of their packages, as `source_files`."""
    return {name: path for name, (path, _) in _reached(modules).items()}


def packages_behind(components: Iterable[type[Component]]) -> set[str]:
    """Return the top-level packages of the code of components and of what computes for them.

    These are the packages of their modules, those that they require, and all that those modules or
    the core's workers and statistics import anywhere in their code, installed or not.
    """
    components = list(components)
    found = {module for each in components if each.requires for module in each.requires.modules}
    for starts in (CORE, *map(_modules, components)):
        for module, (_, imported) in _reached(starts).items():
            packages = {name.partition(".")[0] for name in (module, *imported)} - {""}
            found |= packages - UNUSED if module.partition(".")[0] == INTERFACE else packages
    return found


def _modules(component: type[Component]) -> list[str]:
    """The modules of a class and its bases."""
    return [base.__module__ for base in component.__mro__ if base not in (object, ABC)]


def _reached(starts: Sequence[str]) -> dict[str, tuple[Path, Sequence[str]]]:
    """The file and the imports of each module that is reached within the packages of the starts."""
    packages = {start.partition(".")[0] for start in starts} | {INTERFACE}
    pending, found = [*starts], dict[str, tuple[Path, Sequence[str]]]()
    while pending:
        name = pending.pop()
        path = None if name in found or name in FACADES else _source_of(name)
        if path is None:
            continue
        imported = _imports(path.read_bytes(), name, path.name == "__init__.py")
        found[name] = path, imported
        if "." in name:
            pending.append(name.rpartition(".")[0])
        pending += [module for module in imported if module.partition(".")[0] in packages]
    return found


def _source_of(name: str) -> Path | None:
    """The file of a module in an imported package; the module is not imported."""
    top, *below = name.split(".")
    package = sys.modules.get(top)
    if not below:
        file = getattr(package, "__file__", None)
        return Path(file) if file and file.endswith(".py") else None
    for folder in getattr(package, "__path__", ()):
        for path in (Path(folder, *below, "__init__.py"), Path(folder, *below).with_suffix(".py")):
            if path.is_file():
                return path
    return None


@lru_cache(maxsize=1000)
def _imports(source: bytes, module: str, is_package: bool) -> Sequence[str]:
    """Full names of all modules that a source may import; some may be attributes instead."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        # The import will fail with a message; a digest needs only the bytes.
        return []
    found = []
    for node in ast.walk(tree) if b"import_module" in source else _statements(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".") + ([""] if is_package else [])
                base = ".".join([*parents[: -node.level], base]).rstrip(".")
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and _called(node) == "import_module":
            names = [each.value for each in node.args if isinstance(each, ast.Constant)]
            found += [name for name in names if isinstance(name, str)]
    return found


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement, however deep, without the expressions in it: most of the nodes."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            pending += getattr(node, name, ())


def _called(call: ast.Call) -> str:
    """The name of what is called, without the objects or modules before it."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
