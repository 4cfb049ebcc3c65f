"""The card of a published run: README.md, whose head is read by hosts of data sets."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.board import Board
from harness.errors import escape_line
from harness.store.publication import (
    CHECKSUMS,
    DATA,
    LEADERBOARD,
    PROVENANCE,
    REPORT,
    SELECTED,
    file_of,
)
from harness.views.leaderboard import show
from harness.views.page import as_text

TAGS = ("vision-transformer", "attention", "clustering", "community-detection", "benchmark")
WIDTH = 120
# Digits of a digest that the card shows.
SHOWN = 12


@dataclass(frozen=True)
class Card:
    """What a card is made of.

    name: of the run; license: an identifier such as cc-by-4.0; failures: how much failed, by what
    it was; rows: how many each table has; levels: what its points are of; pictured: the image sets
    whose pictures the report has; session: the latest execution.
    """

    name: str
    license: str
    board: Board
    failures: Mapping[str, int]
    rows: Mapping[str, int]
    levels: str
    pictured: Sequence[str]
    session: Mapping[str, Any]


def card_text(card: Card) -> str:
    """The card as Markdown, with YAML before it; whatever comes from outside is escaped."""
    parts = (
        _front_matter(card),
        f"# {_plain(card.name)}\n\n{_about(card)}",
        f"## Leaderboard\n\n{_fenced(as_text(lambda console: show([card.board], console), WIDTH))}",
        f"## Files\n\n{_files(card)}",
        f"## How to read it\n\n{_reading(card)}",
        f"## Provenance\n\n{_provenance(card)}",
        f"## What was left out\n\n{_left_out(card)}",
    )
    return "\n\n".join(parts) + "\n"


def _front_matter(card: Card) -> str:
    """YAML; texts are JSON, which YAML takes as it is."""
    shown = [LEADERBOARD, *(name for name in DATA if card.rows[name])]
    configs = [
        f"- config_name: {name}\n  data_files: {file_of(name)}"
        + ("\n  default: true" if name == LEADERBOARD else "")
        for name in shown
    ]
    return "\n".join(
        [
            "---",
            f"license: {card.license}",
            f"pretty_name: {json.dumps(escape_line(card.name))}",
            "tags:",
            *(f"- {tag}" for tag in TAGS),
            "configs:",
            *configs,
            "---",
        ]
    )


def _about(card: Card) -> str:
    settings = card.board.settings
    of_images = f"{card.rows['images']} images" if card.rows["images"] else "stored maps"
    sentences = [
        "The results of one run of attention-harness: clusters in the attention of Vision "
        f"Transformers on {of_images}, found by {_specs(settings['clusterers'])} on the graphs of "
        f"{_specs(settings['graphs'])} from the maps of {_specs(settings['extractors'])}. The "
        f"level is chosen by {_specs(settings['selectors'])}.",
        f"The results are compared with draws of {_specs(card.board.controls)}."
        if card.board.controls
        else "The run has no controls.",
    ]
    if card.board.unfinished:
        sentences.append(f"**The run is {_plain(card.board.unfinished)}.**")
    if card.failures:
        counts = "; ".join(f"{what}: {count}" for what, count in card.failures.items())
        sentences.append(f"Failures: {_plain(counts)}.")
    return " ".join(sentences)


def _files(card: Card) -> str:
    described = {LEADERBOARD: "a method, the best first, as shown above"}
    described |= {name: table.about for name, table in DATA.items()}
    rows = [
        f"| [{file_of(name)}]({file_of(name)}) | {card.rows[name]} | {about} |"
        for name, about in described.items()
    ]
    others = (
        f"[{REPORT}]({REPORT}) is a page with the answer, curves, and images with their clusters. "
        f"`{PROVENANCE}` has the settings of the run and the environment of every execution; "
        f"`{CHECKSUMS}` has the checksums of all these files (`sha256sum -c {CHECKSUMS}`), but not "
        "of this card. Rows of several tables belong together if they have the same `cell`, or "
        "the same `map`. The glossary of attention-harness (docs/glossary.md) explains the columns."
    )
    return "\n".join(["| table | rows | a row is |", "|---|---|---|", *rows, "", others])


def _reading(card: Card) -> str:
    example = "points" if card.rows["points"] else "cells"
    return (
        "```python\n"
        "import pandas\n\n"
        f'methods = pandas.read_parquet("{file_of(LEADERBOARD)}")\n'
        f'{example} = pandas.read_parquet("{file_of(example)}")\n'
        "```\n\n"
        "With attention-harness (`pip install 'attention-harness[parquet]'`), this folder is read "
        "as a run is:\n\n"
        "```sh\nharness leaderboard FOLDER\nharness compare FOLDER results/mine\n```"
    )


def _provenance(card: Card) -> str:
    session = card.session
    environment, invocation = session.get("environment", {}), session.get("invocation", {})
    source, models = session.get("source", {}), session.get("fingerprints", {})
    threads = environment.get("threads", {}).get("extraction", 1)
    facts: dict[str, Any] = {
        "harness": environment.get("harness"),
        "commit of its source": source.get("commit"),
        "Python": environment.get("python"),
        "machine": environment.get("machine"),
        "threads of models": threads,
        "libraries": ", ".join(
            f"{name} {version}" for name, version in environment.get("libraries", {}).items()
        ),
    }
    facts |= {
        f"SHA-256 of {extractor}": f"{digest[:SHOWN]}…"
        for extractor, digest in models.items()
        if digest
    }
    facts |= {f"setting {name}": _value(each) for name, each in card.board.settings.items()}
    rows = [f"| {_plain(name)} | {_plain(str(each))} |" for name, each in facts.items() if each]
    command = escape_line(shlex.join(map(str, invocation.get("command", []))))
    made = f"The command of its latest execution:\n\n{_fenced(command)}\n\n" if command else ""
    return made + "\n".join(
        [
            "| what | value |",
            "|---|---|",
            *rows,
            "",
            f"`{PROVENANCE}` has all of it, and `{file_of('images')}` and `{file_of('maps')}` the "
            "digests of all images and maps.",
        ]
    )


def _left_out(card: Card) -> str:
    lines = [
        "the weights of the attention maps, but for their digests and, in the report, the "
        "strongest weights of some"
    ]
    if card.levels == SELECTED:
        lines.append(
            "the levels that no selector chose, and the labels of draws: "
            f"`{file_of('points')}` has the {SELECTED}, and all levels of maps with planted "
            "communities"
        )
    lines += [
        "tracebacks, the folder in which the run was started, and the folders of plugins",
        _pictures(card.pictured),
    ]
    return "\n".join(f"- {line};" for line in lines[:-1]) + f"\n- {lines[-1]}."


def _pictures(pictured: Sequence[str]) -> str:
    if not pictured:
        return "the images: no picture is here"
    return (
        f"the images, but for smaller pictures of {_specs(pictured)} in `{REPORT}`, to which the "
        "license of those who made them applies"
    )


def _value(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _specs(specs: Sequence[str]) -> str:
    """Specs as a sentence lists them."""
    *first, last = map(_code, specs)
    return f"{', '.join(first)} and {last}" if first else last


def _code(text: str) -> str:
    """Text as code, which no character of it ends."""
    shown = escape_line(text)
    marks = "`" * (1 + _longest_run("`", shown))
    return f"{marks}{shown}{marks}" if len(marks) == 1 else f"{marks} {shown} {marks}"


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup, also in a table."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$])", r"\\\1", escape_line(text))


def _fenced(text: str) -> str:
    """Text as it stands, in a block that no line of it ends."""
    fence = "~" * max(3, 1 + _longest_run("~", text))
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(character: str, text: str) -> int:
    return max(map(len, re.findall(f"{re.escape(character)}+", text)), default=0)
