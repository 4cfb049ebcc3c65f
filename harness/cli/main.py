"""Entry point of the `harness` command: finds the verb, runs it, prints errors in one line."""

import argparse
import io
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import FolderOfRunsError, HarnessError, escape_controls
from harness.plugin.commands import CommandModule, find_commands
from harness.plugin.installed import Broken, harness_version

# Modules of the core's own commands, in the order of `harness --help`.
OWN = {
    "run": "harness.cli.run",
    "runs": "harness.cli.runs",
    "select": "harness.cli.select",
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
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (0 success, 1 usage error, 2 some cells failed)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    try:
        code = _dispatch(given)
        sys.stdout.flush()
        return code
    except HarnessError as error:
        if isinstance(error, FolderOfRunsError):
            _list_runs(error.folder)
        print(f"harness: {escape_controls(str(error))}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("harness: interrupted; run the same command again to resume", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left: print nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE_ERROR
    except OSError as error:
        # Errors of files have a name, and those of libraries no number; the rest are of stdout.
        if error.filename is not None or error.errno is None:
            raise
        print(f"harness: the output cannot be written: {error.strerror}", file=sys.stderr)
        return USAGE_ERROR


def _list_runs(folder: Path) -> None:
    """Print the runs of a folder that was given for a run, on stderr."""
    from harness.analysis.runs import found_runs
    from harness.cli.output import table_console
    from harness.views.runs import show_runs

    show_runs(folder, found_runs(folder), table_console(stderr=True))


def _prepare_streams() -> None:
    """Make every message printable: whatever its characters, and even if stdout is closed."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open for as long as the process runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class _Parser(argparse.ArgumentParser):
    """Raises usage errors as HarnessError, so that they take one line and exit with 1."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise HarnessError(f"{message} (see {self.prog} --help)")


def _dispatch(given: list[str]) -> int:
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
    commands = find_commands(OWN)
    for name, command in commands.items():
        if name == chosen and isinstance(command, Broken):
            raise HarnessError(f"{name} cannot run: {command.reason} (from {command.source})")
        summary = escape_controls(
            f"broken: {command.reason}" if isinstance(command, Broken) else command.SUMMARY
        )
        sub = verbs.add_parser(
            name,
            # argparse formats help by %.
            help=summary.replace("%", "%%"),
            description=summary[0].upper() + summary[1:],
            allow_abbrev=False,
        )
        if name == chosen and not isinstance(command, Broken):
            command.add_arguments(sub)
    parsed = parser.parse_args(given)
    module = commands[parsed.verb]
    assert not isinstance(module, Broken)
    code = int(module.run(parsed))
    if code == 0:
        _name_next(module, parsed)
    return code


def _name_next(module: CommandModule, parsed: argparse.Namespace) -> None:
    """Print the command that may be useful next, unless the output is for programs."""
    following = getattr(module, "following", None)
    for_programs = getattr(parsed, "json", False) or getattr(parsed, "form", "table") != "table"
    if following and not for_programs:
        sys.stdout.flush()
        if words := following(parsed):
            print(f"next: {escape_controls(shlex.join(['harness', *words]))}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
