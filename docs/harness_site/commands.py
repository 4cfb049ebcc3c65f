"""The reference of the commands, made from their parsers."""

import argparse
from collections.abc import Iterator
from itertools import groupby
from textwrap import dedent

from harness.cli.main import OWN
from harness.cli.parsing import command_parser, parsers_in
from harness.plugin.commands import find_commands
from harness_site.markdown import code, escaped, joined, table

# What every command has: it is said once.
SHARED = ("--help", "--log")
# Of a block on a page, in characters.
WIDTH = 84


def commands_reference() -> str:
    """Every command with its arguments and options, in the order of `harness --help`."""
    commands = find_commands(OWN)
    _, parsers = command_parser(commands, list(commands))
    return joined(
        section
        for parser in parsers.values()
        for depth, each in enumerate(parsers_in(parser))
        for section in _sections(each, "##" if depth == 0 else "###")
    )


def _sections(parser: argparse.ArgumentParser, heading: str) -> Iterator[str]:
    yield f"{heading} {parser.prog}"
    yield escaped(_sentence(parser.description or ""))
    yield f"```text\n{_usage(parser)}\n```"
    yield table(("argument or option", "what it does"), _rows(parser))
    for is_example, lines in groupby((parser.epilog or "").splitlines(), _is_indented):
        text = "\n".join(lines)
        yield f"```sh\n{dedent(text)}\n```" if is_example else escaped(_sentence(text))


def _is_indented(line: str) -> bool:
    return line.startswith(" ")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text.endswith((".", ":", "?")) else f"{text}."


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=WIDTH)
    own = [action for action in parser._actions if not set(SHARED) & set(action.option_strings)]
    formatter.add_usage(None, own, parser._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def _rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield code(f"{parser.prog} {choice.dest}"), escaped(str(choice.help))
        elif not set(SHARED) & set(action.option_strings) and action.help != argparse.SUPPRESS:
            yield code(_invocation(action)), escaped(_help(parser, action))


def _invocation(action: argparse.Action) -> str:
    metavar = action.metavar or ("{" + ",".join(map(str, action.choices or ())) + "}")
    value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    if not action.option_strings:
        return value if value != "{}" else action.dest
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    return f"{names} {value if value != '{}' else action.dest.upper()}"


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return " ".join(parser._get_formatter()._expand_help(action).split()) if action.help else ""
