"""Entry point of the `harness` command: finds the verb, runs it, turns errors into lines."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from functools import partial

import harness
from harness.errors import HarnessError, escape_controls
from harness.plugin.commands import Command, find_commands

# The core's own commands, in the order of `harness --help`, by the module of each.
OWN = {
    "run": "harness.cli.run",
    "select": "harness.cli.select",
    "leaderboard": "harness.cli.leaderboard",
    "compare": "harness.cli.compare",
    "compare-partitions": "harness.cli.compare_partitions",
    "show": "harness.cli.show",
    "layers": "harness.cli.layers",
    "ablate": "harness.cli.ablate",
    "meaning": "harness.cli.meaning",
    "export": "harness.cli.export",
    "schema": "harness.cli.schema",
    "plugins": "harness.cli.plugins",
    "doctor": "harness.cli.doctor",
}

USAGE_ERROR = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (0 all well, 1 usage, 2 some cells failed)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    try:
        code = _dispatch(given)
        sys.stdout.flush()
        return code
    except HarnessError as error:
        print(f"harness: {escape_controls(str(error))}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("harness: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; nothing is to be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE_ERROR
    except OSError as error:
        # What a verb does with files it reports itself; what is left is its output.
        if error.filename is not None:
            raise
        print(f"harness: the output cannot be written: {error.strerror}", file=sys.stderr)
        return USAGE_ERROR


def _prepare_streams() -> None:
    """Let no character and no closed stream stand in the way of a message."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open for as long as the process runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class _Parser(argparse.ArgumentParser):
    """Errors in one line, with the exit code that the harness promises."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise HarnessError(f"{message} (see {self.prog} --help)")


def _dispatch(given: list[str]) -> int:
    parser = _Parser(
        prog="harness",
        description="Does the attention of a Vision Transformer cluster, which method shows it, "
        "and is it more than noise would show?",
        epilog="`harness VERB --help` explains a verb.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"harness {harness.__version__}")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    chosen = next((word for word in given if not word.startswith("-")), None)
    for command in find_commands(OWN):
        summary = escape_controls(command.summary).replace("%", "%%")
        sub = verbs.add_parser(
            command.name,
            help=summary,
            description=summary[0].upper() + summary[1:],
            allow_abbrev=False,
        )
        if command.module is None:
            sub.set_defaults(function=partial(_refuse, command))
        elif command.name == chosen:
            command.module.add_arguments(sub)
            sub.set_defaults(function=command.module.run)
    parsed = parser.parse_args(given)
    return int(parsed.function(parsed))


def _refuse(command: Command, _: argparse.Namespace) -> int:
    raise HarnessError(f"{command.name} (from {command.source}) cannot run: {command.reason}")


if __name__ == "__main__":
    sys.exit(main())
