"""The reference of the public names, made from their docstrings."""

import inspect
from collections.abc import Mapping

import harness
import harness.command
import harness.testing
from harness.plugin import hooks
from harness_site.markdown import joined

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
    "Base classes of components": ("harness.plugin.base", "harness.plugin.draws"),
    "Values": ("harness.plugin.values", "harness.plugin.graph", "harness.plugin.profile"),
    "Scores": ("harness.plugin.score",),
    "Removal of patches": ("harness.plugin.ablation", "harness.plugin.patches"),
    "Plugins": ("harness.plugin.hooks", "harness.plugin.modules", "harness.plugin.requirement"),
    "Errors": ("harness.errors",),
}


def names_reference() -> str:
    """Every public name of `harness`, its hooks, and those of `harness.testing`."""
    parts = []
    for title, modules in SECTIONS.items():
        parts.append(f"## {title}")
        parts += [
            _entry(name, module) for module in modules for name in harness.HOMES[module].split()
        ]
    parts.append("## Hooks")
    parts += [_directive("function", f"harness.plugin.hooks.{name}") for name in _hooks()]
    parts.append("## Tests of components")
    parts.append("The names of `harness.testing`, for the tests of a plugin's package.")
    parts += [_entry(name, "harness.testing", "harness.testing") for name in harness.testing.__all__]
    return joined(parts)


def _hooks() -> list[str]:
    return sorted(name for name in vars(hooks) if name.startswith("harness_"))


def _entry(name: str, home: str, package: str = "harness") -> str:
    value = getattr(harness.testing if package == "harness.testing" else harness, name)
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return _directive(kind, f"{package}.{name}", {"members": "", "member-order": "bysource"})
    if inspect.isfunction(value):
        return _directive("function", f"{package}.{name}")
    # The docstring of a constant or of an alias stands in the module that defines it.
    return _directive("data", f"{home}.{name}", {"no-value": ""})


def _directive(kind: str, name: str, options: Mapping[str, str] | None = None) -> str:
    lines = [f".. auto{kind}:: {name}"]
    lines += [f"   :{option}: {value}".rstrip() for option, value in (options or {}).items()]
    return "\n".join(["```{eval-rst}", *lines, "```"])
