"""The reference of the shipped components, made from their docstrings and fields."""

from collections.abc import Iterator
from itertools import groupby

from harness.plugin import registry
from harness.plugin.descriptions import Description, Parameter, describe_all
from harness.plugin.spec import format_value
from harness_site.markdown import code, escaped, joined, paragraphs, table

# The option of `harness run` that takes a kind of component, or the command that does.
TAKEN_BY = {
    "image set": "`--images`",
    "extractor": "`--extractors`",
    "graph builder": "`--graphs`",
    "clusterer": "`--clusterers`",
    "selector": "`--selectors`, or `harness select`",
    "control": "`--controls`",
    "perturbation": "`--perturbations`",
    "score": "`harness score --scores`",
}


def components_reference() -> str:
    """Every shipped component with its parameters, kinds in the order of a run."""
    loaded = registry.load(())
    return joined(
        section
        for kind, group in groupby(describe_all(loaded), lambda each: each.kind)
        for section in (
            f"## {kind.capitalize()}s",
            f"For {TAKEN_BY[kind]}.",
            *(part for each in group for part in _sections(each, _install(loaded, each))),
        )
    )


def _install(loaded: registry.Registry, description: Description) -> str:
    """The command that installs what a component needs, "" if it needs no extra."""
    (component, _), *_ = loaded.components[description.kind][description.name]
    return component.requires.command() if component.requires else ""


def _sections(description: Description, install: str) -> Iterator[str]:
    yield f"### {description.name}"
    yield paragraphs(description.summary)
    yield paragraphs(description.text)
    yield f"Needs {code(install)}." if install else ""
    yield table(
        ("parameter", "type", "default", "what it means"), map(_row, description.parameters)
    )


def _row(parameter: Parameter) -> tuple[str, str, str, str]:
    default = "required" if parameter.required else code(format_value(parameter.default))
    return code(parameter.name), escaped(parameter.type), default, escaped(parameter.doc)
