"""Entry point of the `harness` command: finds the verb, runs it, prints errors in one line."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.cli.streams import OutputError, standard_streams
from harness.errors import FolderOfRunsError, HarnessError, did_you_mean, escape_line, hint, naming
from harness.plugin.commands import CommandModule, find_commands
from harness.plugin.installed import Broken, harness_version

# Modules of the core's own commands, in the order of `harness --help`.
OWN = {
    "run": "harness.cli.run",
    "runs": "harness.cli.runs",
    "select": "harness.cli.select",
    "score": "harness.cli.score",
    "leaderboard": "harness.cli.leaderboard",
    "compare": "harness.cli.compare",
    "compare-partitions": "harness.cli.compare_partitions",
    "show": "harness.cli.show",
    "layers": "harness.cli.layers",
    "ablate": "harness.cli.ablate",
    "foreground": "harness.cli.foreground",
    "export": "harness.cli.export",
    "schema": "harness.cli.schema",
    "plugins": "harness.cli.plugins",
    "new": "harness.cli.new",
    "check": "harness.cli.check",
    "doctor": "harness.cli.doctor",
}

START = """\
Does the attention of a Vision Transformer cluster, which
method shows it, and is it more than noise would show?

Start with
  harness run       compare methods on images that come with
                    it, in about two minutes
  harness runs      list the runs in results/
  harness plugins   list what can be compared

`harness --help` lists all commands, `harness run --help`
explains one. README.md and docs/ tell the rest."""
USAGE_ERROR = 1
# As a shell says that a process ended by SIGINT, and by SIGPIPE.
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (0 success, 1 usage error, 2 some cells failed)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with standard_streams():
        try:
            return _run(given)
        except FolderOfRunsError as error:
            _list_runs(error.folder)
            problem = str(error)
        except HarnessError as error:
            problem = str(error)
        except KeyboardInterrupt:
            print("harness: interrupted; run the same command again to resume", file=sys.stderr)
            return INTERRUPTED
        except OutputError as error:
            if error.is_unread:
                return BROKEN_PIPE
            problem = str(error)
        except OSError as error:
            problem = _described(error)
        print(f"harness: {escape_line(problem)}", file=sys.stderr)
        return USAGE_ERROR


def _run(given: Sequence[str]) -> int:
    try:
        return _dispatch(given)
    finally:
        # Also after --help, which ends by SystemExit.
        sys.stdout.flush()


def _list_runs(folder: Path) -> None:
    """Print the runs of a folder that was given for a run, on stderr."""
    from harness.analysis.runs import found_runs
    from harness.cli.output import table_console
    from harness.views.runs import show_runs

    show_runs(folder, found_runs(folder), table_console(stderr=True))


def _described(error: OSError) -> str:
    """The failure of a system call in one line; raises the error if it comes from elsewhere."""
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if error.errno is None:
        raise error
    # Only the working folder is looked for without a name.
    is_missing = isinstance(error, FileNotFoundError)
    return "the working folder does not exist any more" if is_missing else str(error.strerror)


class _Parser(argparse.ArgumentParser):
    """Raises usage errors as HarnessError, and takes options between positional arguments."""

    _is_intermixing = False

    def error(self, message: str) -> None:  # type: ignore[override]
        raise HarnessError(f"{message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            name, among = argparse._get_action_name(action), hint(str(value), action.choices)
            self.error(f"argument {name}: invalid choice: {value!r}{among}")

    def refuse(self, unknown: Sequence[str]) -> None:
        """Raise the error for arguments that the parser does not know, if there are any."""
        if unknown:
            flag, options = unknown[0].partition("=")[0], self._option_string_actions
            help = "; it follows the verb" if flag in options else did_you_mean(flag, options)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{help}")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
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


def _dispatch(given: Sequence[str]) -> int:
    if not given:
        print(START)
        return 0
    parser = _Parser(
        prog="harness",
        description="Does the attention of a Vision Transformer cluster, which method shows it, "
        "and is it more than noise would show?",
        epilog="`harness VERB --help` explains a verb, docs/glossary.md the columns of all tables.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"harness {harness_version()}")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    chosen = next((word for word in given if not word.startswith("-")), None)
    commands, known = find_commands(OWN), parser
    for name, command in commands.items():
        if name == chosen and isinstance(command, Broken):
            raise HarnessError(f"{name} cannot run: {command.reason} (from {command.source})")
        summary = f"broken: {command.reason}" if isinstance(command, Broken) else command.SUMMARY
        sub = verbs.add_parser(
            name,
            # argparse formats help by %.
            help=summary.replace("%", "%%"),
            description=summary[0].upper() + summary[1:],
            allow_abbrev=False,
        )
        if name == chosen and not isinstance(command, Broken):
            command.add_arguments(sub)
            known = sub
    parsed, unknown = parser.parse_known_args(given)
    known.refuse(unknown)
    module = commands[parsed.verb]
    assert not isinstance(module, Broken)
    if requirement := getattr(module, "REQUIRES", None):
        requirement.check(parsed.verb)
    with naming(_flags(known)):
        code = int(module.run(parsed))
    if code == 0:
        _name_next(module, parsed)
    return code


def _flags(parser: argparse.ArgumentParser) -> dict[str, str]:
    """The long flag of each option, by the name of its value."""
    flags = ((action.dest, action.option_strings) for action in parser._actions)
    return {
        dest: next(flag for flag in strings if flag.startswith("--"))
        for dest, strings in flags
        if strings
    }


def _name_next(module: CommandModule, parsed: argparse.Namespace) -> None:
    """Print the command that may be useful next, unless the output is for programs."""
    following = getattr(module, "following", None)
    for_programs = getattr(parsed, "json", False) or getattr(parsed, "form", "table") != "table"
    if following and not for_programs:
        sys.stdout.flush()
        if words := following(parsed):
            line = shlex.join(["harness", *map(_argument, words)])
            print(f"next: {escape_line(line)}", file=sys.stderr)


def _argument(word: str | Path) -> str:
    """A word of a command line; a path that begins with a dash is none of its options."""
    text = str(word)
    return f"./{text}" if isinstance(word, Path) and text.startswith("-") else text
