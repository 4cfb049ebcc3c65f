"""Entry point of the `harness` command: finds the verb, runs it, turns errors into lines."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

import harness
from harness.errors import HarnessError, printable

VERBS = {
    "run": "cluster attention maps over a sweep of thresholds, with controls, and rank the methods",
    "select": "choose levels in a run by other rules, without clustering again",
    "leaderboard": "rank the methods of runs again, sorted or filtered",
    "compare": "pair two runs cell by cell, and fail if a figure got worse than a limit",
    "compare-partitions": "match the clusters of two partitions: kept, split, merged",
    "show": "look at one image of a run: profiles, clusters, methods compared; figures as files",
    "layers": "which layers and heads cluster, how it changes with depth, and what they share",
    "ablate": "remove clusters from the model's view, and see what its answers lose beyond chance",
    "meaning": "tell whether clusters follow the images' foreground, beyond what is trivial",
    "export": "write a run's tables as Parquet or CSV",
    "reproduce": "make the thesis' tables and figures again, beside its own figures",
    "plugins": "list every component with its parameters, and the broken plugins",
    "train": "train one-layer Vision Transformers on a labelled image set",
    "evaluate": "accuracy, confusion and class probabilities of a trained model",
    "doctor": "print what a bug report needs: versions, machine, plugins, whether hosts work",
    "data": "list, fetch and verify the image sets the harness knows",
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
        print(f"harness: {printable(str(error))}", file=sys.stderr)
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
    for verb, summary in VERBS.items():
        sub = verbs.add_parser(
            verb, help=summary, description=summary[0].upper() + summary[1:], allow_abbrev=False
        )
        if verb == chosen:
            module = importlib.import_module(f"harness.cli.{verb.replace('-', '_')}")
            module.add_arguments(sub)
            sub.set_defaults(function=module.run)
    parsed = parser.parse_args(given)
    return int(parsed.function(parsed))


if __name__ == "__main__":
    sys.exit(main())
