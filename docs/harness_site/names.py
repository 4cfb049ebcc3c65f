"""The reference of the public names, made from their docstrings."""

import inspect
import textwrap
from collections.abc import Iterator

from sphinx.pycode import ModuleAnalyzer

import harness
import harness.testing
from harness.plugin import hooks

# The sections of the page: titles by the modules that define their names.
SECTIONS = {
    "Runs": ("harness.api",),
    "Models": ("harness.attention",),
    "Components by name": ("harness.components",),
    "Functions of graph libraries": ("harness.objects.graph_libraries",),
    "Figures of partitions": (
        "harness.metrics.modularity",
        "harness.metrics.jaccard",
        "harness.metrics.stability",
        "harness.metrics.significance",
        "harness.metrics.ties",
    ),
    "Base classes of components": (
        "harness.plugin.sources",
        "harness.plugin.base",
        "harness.plugin.draws",
    ),
    "Values": ("harness.plugin.values", "harness.plugin.graph", "harness.plugin.profile"),
    "Scores": ("harness.plugin.score",),
    "Removal of patches": ("harness.plugin.ablation", "harness.plugin.patches"),
    "Plugins": ("harness.plugin.hooks", "harness.plugin.modules", "harness.plugin.requirement"),
    "Errors": ("harness.errors",),
}


def names_reference() -> str:
    """Every public name of `harness`, its hooks, and those of `harness.testing`, as reST."""
    return "\n\n".join(_parts())


def _parts() -> Iterator[str]:
    for title, modules in SECTIONS.items():
        yield _heading(title)
        for module in modules:
            for name in harness.HOMES[module].split():
                yield _entry(f"harness.{name}", getattr(harness, name), module)
    yield _heading("Hooks")
    for name, value in sorted(vars(hooks).items()):
        if name.startswith("harness_"):
            yield _entry(f"harness.plugin.hooks.{name}", value, "harness.plugin.hooks")
    yield _heading("Tests of components")
    for module, names in harness.testing.HOMES.items():
        for name in names.split():
            yield _entry(f"harness.testing.{name}", getattr(harness.testing, name), module)


def _heading(title: str) -> str:
    return f"{title}\n{'-' * len(title)}"


def _entry(path: str, value: object, home: str) -> str:
    """The directive that documents a name, which the module `home` defines."""
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return f".. auto{kind}:: {path}\n   :members:\n   :member-order: bysource"
    if inspect.isfunction(value):
        return f".. autofunction:: {path}"
    # The docstring of a constant or an alias follows its assignment; autodoc reads no others.
    analyzer = ModuleAnalyzer.for_module(home)
    text = "\n".join(analyzer.find_attr_docs()["", path.rpartition(".")[2]])
    return f".. py:data:: {path}\n\n{textwrap.indent(text, '   ')}"
