"""Components and broken plugins in the terminal."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from harness.plugin.descriptions import Description, Parameter
from harness.plugin.installed import Broken
from harness.plugin.spec import format_value
from harness.views.fitting import wrapped
from harness.views.tables import Column, print_text, safe_text, show_table

WIDEST_NAME = 24
INDENT = 2
# What is said of components whose packages are missing, and its style.
NOT_INSTALLED = "Not installed"
UNUSABLE = "yellow"
# A heading, a name, and a text with its style.
_Listed = tuple[str, str, tuple[str, str]]


def show_list(
    descriptions: Sequence[Description], broken: Sequence[Broken], console: Console
) -> None:
    """Print the components by kind, then the broken plugins."""
    listed = [(f"{each.kind}s", each.name, _summary(each)) for each in descriptions]
    listed += [
        ("broken plugins", each.name, (f"{each.reason} (from {each.source})", "red"))
        for each in broken
    ]
    width = min(WIDEST_NAME, max((len(name) for _, name, _ in listed), default=0))
    for heading, rows in groupby(listed, key=lambda row: row[0]):
        columns: list[Column[_Listed]] = [
            Column(heading, lambda row: (row[1], "bold"), words=True, width=width),
            Column("", lambda row: row[2], words=True, folds=True),
        ]
        show_table(console, columns, list(rows))
        console.print()


def _summary(description: Description) -> tuple[str, str]:
    if not description.install:
        return description.summary, ""
    return f"{description.summary} {NOT_INSTALLED}: {description.install}", UNUSABLE


def show_in_full(
    descriptions: Sequence[Description],
    broken: Sequence[Broken],
    console: Console,
    *,
    brief: bool = False,
) -> None:
    """Print components and broken plugins; unless `brief`, with descriptions and tracebacks."""
    for description in descriptions:
        console.print(Text.assemble(f"{description.kind} ", safe_text(description.name, "bold")))
        parts: list[RenderableType] = [safe_text(description.summary)]
        if description.install:
            parts.append(safe_text(f"{NOT_INSTALLED}: {description.install}", UNUSABLE))
        if description.text and not brief:
            # Paragraphs, without the line breaks of their source.
            paragraphs = (" ".join(each.split()) for each in description.text.split("\n\n"))
            parts += [Text(), safe_text("\n\n".join(paragraphs)), Text()]
        for parameter in description.parameters:
            parts += _parameter(parameter)
        _print_indented(console, *parts, _fitted(f"from {description.source}", "dim", console))
    for one in broken:
        console.print(Text.assemble("broken plugin ", safe_text(one.name, "bold")))
        _print_indented(
            console,
            _fitted(one.reason, "red", console),
            _fitted(f"from {one.source}", "dim", console),
        )
        if one.traceback and not brief:
            # Lines stay as Python wrote them, so that paths are not broken.
            print_text(console, one.traceback, wrap=False)


def _fitted(text: str, style: str, console: Console) -> Text:
    """Text whose words, such as paths, are no longer than an indented line."""
    return safe_text("\n".join(wrapped(text, console.width - INDENT)), style)


def _print_indented(console: Console, *parts: RenderableType) -> None:
    console.print(Padding(Group(*parts), (0, 0, 1, INDENT)))


def _parameter(parameter: Parameter) -> Iterator[RenderableType]:
    default = " (required)" if parameter.required else f" = {format_value(parameter.default)}"
    name = safe_text(parameter.name, "cyan")
    yield Text.assemble(name, safe_text(f": {parameter.type}{default}"))
    if parameter.doc:
        yield Padding(safe_text(parameter.doc), (0, 0, 0, INDENT))
