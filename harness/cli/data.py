"""`harness data`: the image sets known by name, and whether a copy of one is the published one."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from harness.errors import HarnessError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `harness data` and their flags."""
    verbs = parser.add_subparsers(metavar="VERB", dest="data_verb", required=True)

    def add_verb(
        name: str, summary: str, action: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        sub.set_defaults(data_action=action)
        return sub

    listing = add_verb("list", "Image sets known by name, and how to have them", _list)
    listing.add_argument("--json", action="store_true")
    verification = add_verb("verify", "Check an image set's files by their checksums", _verify)
    verification.add_argument("name", choices=("fashion-mnist",), metavar="NAME")
    verification.add_argument(
        "--path", type=Path, required=True, metavar="DIR", help="folder with its files"
    )


def run(arguments: argparse.Namespace) -> int:
    """List or verify; returns the exit code, 1 if a verified file is not as published."""
    action: Callable[[argparse.Namespace], int] = arguments.data_action
    return action(arguments)


def _list(arguments: argparse.Namespace) -> int:
    from harness.data.catalogue import CATALOGUE

    if arguments.json:
        print(json.dumps({"image_sets": [asdict(known) for known in CATALOGUE]}, indent=2))
        return 0
    for known in CATALOGUE:
        print(f"{known.name}: {known.summary}")
        print(f"  size: {known.size}")
        print(f"  licence: {known.licence}")
        print(f"  published: {known.published}")
        print(f"  to have it: {known.obtain}")
        print("  files:", *known.files, sep="\n    ")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from harness.data.fashion_mnist import PUBLISHED

    if not arguments.path.is_dir():
        raise HarnessError(f"--path {arguments.path}: no such folder")
    verdicts = {
        name: _verdict(arguments.path, name, expected) for name, expected in PUBLISHED.items()
    }
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict}")
    return 0 if set(verdicts.values()) == {"ok"} else 1


def _verdict(folder: Path, name: str, expected: str) -> str:
    """What is to be said of a file: ok, missing, or what is wrong."""
    from harness.data import fashion_mnist, idx

    try:
        path = fashion_mnist.locate(folder, name)
    except HarnessError:
        return "missing"
    try:
        found = fashion_mnist.checksum(idx.read_bytes(path))
    except HarnessError as error:
        return f"wrong: {error}"
    return "ok" if found == expected else f"wrong: found SHA-256 {found}, expected {expected}"
