"""The parser of the command line: all commands, and the options of those that are asked for."""

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, did_you_mean, hint
from harness.plugin.commands import CommandModule
from harness.plugin.installed import Broken, harness_version

LOG = "--log"


class Parser(argparse.ArgumentParser):
    """Raises usage errors as HarnessError, and takes options between positional arguments."""

    _is_intermixing = False

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise the message as HarnessError."""
        raise HarnessError(f"{message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            name, among = argparse._get_action_name(action), hint(str(value), action.choices)
            self.error(f"argument {name}: invalid choice: {value!r}{among}")

    def refuse(self, unknown: Sequence[str]) -> None:
        """Raise the error for arguments that the parser does not know, if there are any."""
        if unknown:
            flag, options = unknown[0].partition("=")[0], self._option_string_actions
            help = "; it follows the command" if flag in options else did_you_mean(flag, options)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{help}")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Take options between positional arguments, where argparse can."""
        # argparse's own way to take them calls this method. It refuses arguments that take all
        # that follows or exclude others, and forgets a `--`.
        exclusive = [
            each for group in self._mutually_exclusive_groups for each in group._group_actions
        ]
        is_plain = any(
            each.nargs in (argparse.PARSER, argparse.REMAINDER) or each in exclusive
            for each in self._get_positional_actions()
        )
        if self._is_intermixing or is_plain or (args and "--" in args):
            return super().parse_known_args(args, namespace)
        self._is_intermixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_intermixing = False


def command_parser(
    commands: Mapping[str, CommandModule | Broken], asked: Collection[str]
) -> tuple[Parser, dict[str, Parser]]:
    """The parser, and those of the commands that are asked for and not broken, by name.

    The others are known by their summary alone.
    """
    parser = Parser(
        prog="harness",
        description="Does the attention of a Vision Transformer cluster, which method shows it, "
        "and is it more than noise would show?",
        epilog="`harness COMMAND --help` explains a command, docs/glossary.md the columns of all "
        "tables.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"harness {harness_version()}")
    verbs = parser.add_subparsers(metavar="COMMAND", dest="verb", required=True)
    known: dict[str, Parser] = {}
    for name, command in commands.items():
        summary = f"broken: {command.reason}" if isinstance(command, Broken) else command.SUMMARY
        sub = verbs.add_parser(
            name,
            # argparse formats help by %.
            help=summary.replace("%", "%%"),
            description=summary[0].upper() + summary[1:],
            allow_abbrev=False,
        )
        if name in asked and not isinstance(command, Broken):
            command.add_arguments(sub)
            for each in parsers_in(sub):
                _add_log(each)
            known[name] = sub
    return parser, known


def parsers_in(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its own commands, if it has some."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers_in(sub)


def _add_log(parser: argparse.ArgumentParser) -> None:
    # A plugin's command may have an option of that name.
    if LOG not in parser._option_string_actions:
        parser.add_argument(
            LOG,
            dest="log_file",
            type=Path,
            # So that a command's own command does not reset it.
            default=argparse.SUPPRESS,
            metavar="FILE",
            help="append what happens, and each failure with its traceback, to this file",
        )
