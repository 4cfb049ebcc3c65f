"""`harness new`: write the package of a plugin, with one component that works and its tests."""

import argparse
import importlib.util
import keyword
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError

SUMMARY = "write the package of a new plugin: a component, its tests and a README"

# Commands that use a component of each kind; the templates' names are the kinds'.
RUN = {
    "image-set": "run --plugin . --images NAME",
    "extractor": "run --plugin . --extractors NAME",
    "map-set": "run --plugin . --extractors NAME",
    "graph-builder": "run --plugin . --graphs threshold,NAME",
    "clusterer": "run --plugin . --clusterers louvain,NAME",
    "selector": "run --plugin . --selectors excess-modularity,NAME",
    "image-control": "run --plugin . --controls uniform-noise,NAME",
    "map-control": "run --plugin . --controls permuted-residuals,NAME",
    "perturbation": "run --plugin . --perturbations seeds,NAME",
    "score": "score FOLDER --plugin . --scores NAME",
}
TEMPLATES = Path(__file__).parents[1] / "templates"
# What is written besides the component's module.
PROJECT = ("pyproject.toml", "README.md", "tests/test_my_method.py")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `harness new`."""
    parser.add_argument("kind", choices=tuple(RUN), metavar="KIND", help=", ".join(RUN))
    parser.add_argument(
        "new_name",
        metavar="NAME",
        help="name of the component, and of the folder: small letters, digits, hyphens",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the package into a folder of its name, which must not exist yet."""
    kind, name = arguments.kind, arguments.new_name
    module = _module(name)
    folder = Path(name)
    if folder.exists() or folder.is_symlink():
        raise HarnessError(f"{name}: it exists already; choose another name, or remove it")
    words = {
        "MyMethod": "".join(part.capitalize() for part in name.split("-")),
        "my_method": module,
        "my-method": name,
        "KIND": f"{'An' if kind[0] in 'ei' else 'A'} {kind.replace('-', ' ')}",
        "RUN": f"harness {RUN[kind].replace('NAME', name)}",
    }
    files = {path: TEMPLATES / "project" / path for path in PROJECT}
    for path, template in {"my_method.py": TEMPLATES / f"{kind}.py", **files}.items():
        written = folder / _filled(path, words)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(_filled(template.read_text("utf-8"), words), "utf-8")
        print(written)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The check of what was written."""
    return "check", arguments.new_name


def _module(name: str) -> str:
    """The name of the component's module; raises HarnessError if it cannot be one."""
    from harness.plugin.registry import load

    module = name.replace("-", "_")
    is_name = name == name.lower() and "_" not in name and module.isascii()
    if not (is_name and module.isidentifier()) or _is_keyword(module):
        raise HarnessError(
            f"{name!r} is no name: take small letters, digits and hyphens, a letter first, as in "
            "my-method"
        )
    if any(name in named for named in load().components.values()):
        raise HarnessError(f"there is a component {name!r} already; choose another name")
    if importlib.util.find_spec(module) is not None:
        raise HarnessError(f"there is a module {module} already; choose another name")
    return module


def _is_keyword(module: str) -> bool:
    # None is also what options take for nothing.
    return keyword.iskeyword(module) or keyword.iskeyword(module.capitalize())


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text
