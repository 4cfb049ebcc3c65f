"""Components and broken plugins as text for a terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.plugin.descriptions import Description, Parameter
from harness.plugin.installed import Broken
from harness.plugin.spec import format_value

WIDEST_NAME = 24
INDENT = 2


def show_list(
    descriptions: Sequence[Description],
    broken: Sequence[Broken],
    console: Console,
    *,
    parameters: bool,
) -> None:
    """Print the components by kind, then the broken plugins."""
    names = [*(description.name for description in descriptions), *(one.name for one in broken)]
    width = min(WIDEST_NAME, max(map(len, names), default=0))
    for kind, group in groupby(descriptions, key=lambda description: description.kind):
        listed = [
            (
                description.name,
                Group(
                    Text(description.summary),
                    *(_parameters_and_source(description) if parameters else ()),
                ),
            )
            for description in group
        ]
        _print_section(f"{kind}s", listed, width, console)
    if broken:
        reasons = [
            (one.name, Group(Text(one.reason, "red"), Text(str(one.source), "dim")))
            for one in broken
        ]
        _print_section("broken plugins", reasons, width, console)


def show_in_full(
    descriptions: Sequence[Description], broken: Sequence[Broken], console: Console
) -> None:
    """Print all that is known of some components and broken plugins, tracebacks too."""
    for description in descriptions:
        console.print(Text.assemble(f"{description.kind} ", (description.name, "bold")))
        parts: list[RenderableType] = [Text(description.summary)]
        if description.text:
            parts += [Text(""), Text(_reflowed(description.text)), Text("")]
        parts += _parameters_and_source(description)
        console.print(Padding(Group(*parts), (0, 0, 1, INDENT)))
    for one in broken:
        console.print(Text.assemble("broken plugin ", (one.name, "bold")))
        parts = [Text(one.reason, "red"), Text(f"from {one.source}", "dim")]
        console.print(Padding(Group(*parts), (0, 0, 1, INDENT)))
        if one.traceback:
            # As Python wrote it, so that no path in it is broken over lines.
            console.print(Text(one.traceback), soft_wrap=True)


def _print_section(
    title: str, rows: Iterable[tuple[str, RenderableType]], width: int, console: Console
) -> None:
    table = Table.grid(padding=(0, INDENT, 0, 0))
    table.add_column(width=width, overflow="fold", style="bold")
    table.add_column(ratio=1, overflow="fold")
    for name, cell in rows:
        table.add_row(Text(name), cell)
    console.print(Text(title))
    console.print(Padding(table, (0, 0, 1, INDENT)))


def _parameters_and_source(description: Description) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for parameter in description.parameters:
        parts.append(_declaration(parameter))
        if parameter.doc:
            parts.append(Padding(Text(parameter.doc), (0, 0, 0, INDENT)))
    return [*parts, Text(f"from {description.source}", "dim")]


def _declaration(parameter: Parameter) -> Text:
    default = " (required)" if parameter.required else f" = {format_value(parameter.default)}"
    return Text.assemble((parameter.name, "cyan"), f": {parameter.type}{default}")


def _reflowed(text: str) -> str:
    """Paragraphs without the line breaks of their source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
