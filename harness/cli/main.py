"""Entry point of the `harness` command: finds the verb, runs it, prints errors in one line."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli.parsing import command_parser
from harness.cli.streams import OutputError, standard_streams
from harness.errors import FolderOfRunsError, HarnessError, escape_line, naming
from harness.plugin.commands import CommandModule, find_commands
from harness.plugin.installed import Broken

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
    "report": "harness.cli.report",
    "view": "harness.cli.view",
    "layers": "harness.cli.layers",
    "ablate": "harness.cli.ablate",
    "foreground": "harness.cli.foreground",
    "export": "harness.cli.export",
    "publish": "harness.cli.publish",
    "schema": "harness.cli.schema",
    "completion": "harness.cli.completion",
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
                    it, in about a minute
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


def _dispatch(given: Sequence[str]) -> int:
    if not given:
        print(START)
        return 0
    chosen = next((word for word in given if not word.startswith("-")), "")
    commands = find_commands(OWN)
    command = commands.get(chosen)
    if isinstance(command, Broken):
        raise HarnessError(f"{chosen} cannot run: {command.reason} (from {command.source})")
    parser, subs = command_parser(commands, [chosen])
    known = subs.get(chosen, parser)
    parsed, unknown = parser.parse_known_args(given)
    known.refuse(unknown)
    module = commands[parsed.verb]
    assert not isinstance(module, Broken)
    if requirement := getattr(module, "REQUIRES", None):
        requirement.check(parsed.verb)
    with naming(_flags(known)):
        code = _run_command(module, parsed, given)
    if code == 0:
        _name_next(module, parsed)
    return code


def _run_command(module: CommandModule, parsed: argparse.Namespace, given: Sequence[str]) -> int:
    path = getattr(parsed, "log_file", None)
    if path is None:
        return int(module.run(parsed))
    from harness.cli.log import logged

    return logged(path, given, lambda: int(module.run(parsed)))


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
