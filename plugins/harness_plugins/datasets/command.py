"""`harness data`: lists the image sets known by name, fetches them and verifies them."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness import HarnessError

if TYPE_CHECKING:
    from harness_plugins.datasets.fetching import Report

SUMMARY = "list, download and verify the image sets known by name"

DESCRIPTION = ("size", "licence", "published", "obtain")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `harness data` and their flags."""
    from harness_plugins.datasets.catalogue import fetched

    verbs = parser.add_subparsers(metavar="COMMAND", dest="data_verb", required=True)

    def add_verb(
        name: str, summary: str, action: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        sub.set_defaults(data_action=action)
        return sub

    listing = add_verb("list", "List the image sets known by name, and how to get them", _list)
    listing.add_argument("--json", action="store_true", help="print JSON")
    fetching = add_verb("fetch", "Download an image set, or resume a download", _fetch)
    fetching.add_argument("name", choices=fetched(), metavar="NAME")
    fetching.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="folder to make (default: NAME in $HARNESS_DATA, else in the user's cache)",
    )
    fetching.add_argument(
        "--from",
        dest="base",
        metavar="URL",
        help="address of a folder with the published files (default: the publisher's)",
    )
    verification = add_verb("verify", "Check an image set's files", _verify)
    verification.add_argument("name", choices=fetched(), metavar="NAME")
    verification.add_argument(
        "--path",
        type=Path,
        metavar="DIR",
        help="folder with its files (default: the folder that fetch makes, or the installed files)",
    )


def run(arguments: argparse.Namespace) -> int:
    """List, fetch or verify; returns the exit code, 1 if a verified set is not as published."""
    action: Callable[[argparse.Namespace], int] = arguments.data_action
    return action(arguments)


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """A download after the list, its check, and a run with it."""
    from harness.command import format_value

    if arguments.data_verb == "list":
        return "data", "fetch", "tf-flowers"
    if arguments.data_verb == "fetch":
        folder = () if arguments.to is None else ("--path", str(arguments.to))
        return "data", "verify", arguments.name, *folder
    path = "" if arguments.path is None else f"[path={format_value(str(arguments.path))}]"
    return "run", "--images", f"{arguments.name}{path}"


def _list(arguments: argparse.Namespace) -> int:
    from harness.command import print_text, table_console
    from harness_plugins.datasets import folders
    from harness_plugins.datasets.catalogue import CATALOGUE

    rows = [
        {
            **{key: getattr(known, key) for key in ("name", "summary", *DESCRIPTION)},
            "files": list(known.files),
            "here": str(folders.here(known.name) or "") or None,
        }
        for known in CATALOGUE
    ]
    if arguments.json:
        print(json.dumps({"image_sets": rows}, indent=2, ensure_ascii=False))
        return 0
    console = table_console()
    for row in rows:
        described = (f"\n  {key}: {row[key]}" for key in (*DESCRIPTION, "here") if row[key])
        files = "".join(f"\n    {name}" for name in row["files"])
        text = f"{row['name']}: {row['summary']}{''.join(described)}\n  files:{files}"
        print_text(console, text)
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from harness_plugins.datasets import folders
    from harness_plugins.datasets.catalogue import known
    from harness_plugins.datasets.download import DATA
    from harness_plugins.datasets.fetching import fetch

    DATA.check("data fetch")
    if arguments.base is not None and not arguments.base.startswith(("http://", "https://")):
        raise HarnessError(f"--from {arguments.base}: must begin with http:// or https://")
    target = arguments.to if arguments.to is not None else folders.fetched(arguments.name)
    with _reporter() as report:
        is_new = fetch(known(arguments.name), target, report, arguments.base)
    exists = f"exists already; `harness data verify {arguments.name}` checks it"
    print(f"{target}: {'fetched' if is_new else exists}")
    return 0


@contextmanager
def _reporter() -> Iterator["Report"]:
    """Shows how many MiB of each step are done."""
    from harness.command import shown_progress

    shown: dict[str, int] = {}
    with shown_progress() as progress:

        def report(step: str, done: int, total: int) -> None:
            if step not in shown:
                progress.begin(f"{step}, MiB", max(1, total // 2**20))
            progress.advance(done // 2**20 - shown.get(step, 0))
            shown[step] = done // 2**20

        yield report


def _verify(arguments: argparse.Namespace) -> int:
    from harness.command import shown_progress
    from harness_plugins.datasets import folders
    from harness_plugins.datasets.verification import verify

    folder = folders.find(arguments.name, arguments.path)
    with shown_progress() as progress:
        verdicts = list(verify(arguments.name, folder, progress))
    for part, problem in verdicts:
        print(f"{part}: {problem or 'ok'}")
    return int(any(problem for _, problem in verdicts))
