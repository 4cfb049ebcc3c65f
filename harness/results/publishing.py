"""Publishes a run: a folder with its tables, its card, its provenance, and checksums of them."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from harness.errors import HarnessError, WrongValueError, setting_name
from harness.planning.progress import Progress
from harness.plugin.installed import harness_version
from harness.results.leaderboard import Leaderboard
from harness.store import open_for_reading
from harness.store.publication import (
    ALL,
    CARD,
    CHECKED,
    CHECKSUMS,
    FORMAT,
    LEADERBOARD,
    PROVENANCE,
    PUBLISHED,
    REPORT,
    SELECTED,
    TABLES,
    file_of,
    is_published,
    write_checksums,
)
from harness.store.publishing import write_tables
from harness.store.schema import FILE_NAME
from harness.store.selections import failures
from harness.views.card import Card, card_text
from harness.written import one_line_errors

# In the order in which they are written: without checksums a folder is no published run.
FILES = (*CHECKED, CARD, CHECKSUMS)
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


@dataclass(frozen=True)
class Publishing:
    """How a run is published.

    all_levels: publish the points of all levels, not of the selected ones alone; pictures: whether
    the report has pictures of the images; license: what the card says, as hosts of data sets write
    it, such as cc-by-4.0; overwrite: replace a published run.
    """

    all_levels: bool = False
    pictures: bool = True
    license: str = "unknown"
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not LICENSE.fullmatch(self.license):
            raise WrongValueError(
                f"{setting_name('license')}: {self.license!r} is no identifier, such as cc-by-4.0, "
                "mit or unknown"
            )


def check_publishable(run: Path, target: Path, how: Publishing) -> None:
    """Raise HarnessError if a run cannot be published to a folder."""
    PUBLISHED.check("publish")
    if is_published(run):
        raise HarnessError(f"{run}: published already; copy the folder")
    _check_target(target, overwrite=how.overwrite)


def publish(
    run: Path,
    board: Leaderboard,
    document: dict[str, Any],
    target: Path,
    how: Publishing,
    shown: Progress,
) -> None:
    """Write what a run holds to a folder, beside what else is there.

    document: of the report. Raises HarnessError if the folder cannot be written.
    """
    from harness.views.report.html import html

    with _written_beside(target) as new:
        (new / TABLES).mkdir()
        levels = ALL if how.all_levels else SELECTED
        with open_for_reading(run) as store:
            rows = write_tables(store, new, shown, all_levels=how.all_levels)
            settings, sessions, failed = store.settings(), store.sessions(), failures(store)
        _write_leaderboard(board, new / file_of(LEADERBOARD))
        provenance = {
            "format": FORMAT,
            "run": _name(run),
            "levels": levels,
            "published_by": f"attention-harness {harness_version()}",
            "settings": settings,
            "sessions": [_public(session) for session in sessions],
        }
        (new / PROVENANCE).write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
        rows[LEADERBOARD] = len(board.rows)
        (new / REPORT).write_text(html(_public_report(document, _name(run))), encoding="utf-8")
        card = Card(
            _name(run),
            how.license,
            replace(board, run=_name(run)),
            failed,
            rows,
            levels,
            _pictured(document),
            _public(sessions[-1]),
        )
        (new / CARD).write_text(card_text(card), encoding="utf-8")
        write_checksums(new, CHECKED)
        _move(new, target)


def _name(run: Path) -> str:
    return run.absolute().name


def _public(session: Mapping[str, Any]) -> dict[str, Any]:
    """A session without the folders of the machine that programs, plugins and runs lie in.

    The arguments of the command stay as they were typed.
    """
    invocation = {key: each for key, each in session["invocation"].items() if key != "folder"}
    if words := invocation.get("command"):
        invocation["command"] = [Path(words[0]).name, *words[1:]]
    plugins = [
        {"path": Path(each["path"]).name, "digest": each["digest"]}
        for each in session.get("plugins", ())
    ]
    taken_over = [{**each, "run": Path(each["run"]).name} for each in session.get("taken_over", ())]
    return {**session, "invocation": invocation, "plugins": plugins, "taken_over": taken_over}


def _public_report(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The data of a report without the folders of the machine."""
    shown = [
        {
            **each,
            "facts": [
                [what, name if what == "run" else text]
                for what, text in each["facts"]
                if what != "started in"
            ],
        }
        for each in document["provenance"]
    ]
    return {**document, "provenance": shown}


def _pictured(document: Mapping[str, Any]) -> list[str]:
    """The image sets whose pictures a report has."""
    images = document["gallery"]["images"]
    return list(dict.fromkeys(each["set"] for each in images if each["picture"]))


def _write_leaderboard(board: Leaderboard, path: Path) -> None:
    # Arrow itself opens no path that is not UTF-8.
    with path.open("wb") as file:
        board.to_frame().to_parquet(file, index=False, compression="zstd")


def _check_target(target: Path, *, overwrite: bool) -> None:
    if (target / FILE_NAME).exists():
        raise HarnessError(f"{target}: holds a run; choose another {setting_name('out')}")
    if is_published(target):
        if not overwrite:
            raise HarnessError(
                f"{target}: holds a published run; choose another {setting_name('out')}, or "
                f"replace that with {setting_name('overwrite')}"
            )
    elif there := next((name for name in FILES if (target / name).exists()), None):
        raise HarnessError(
            f"{target}: holds {there}, which is of no published run; choose another "
            f"{setting_name('out')}"
        )


@contextmanager
def _written_beside(target: Path) -> Iterator[Path]:
    """A folder in the target for new files; HarnessError if one of both cannot be written."""
    with one_line_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        new = Path(mkdtemp(prefix=".harness-", suffix=".partial", dir=target))
        try:
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _move(new: Path, target: Path) -> None:
    """Put the new files into their places, the checksums last."""
    (target / CHECKSUMS).unlink(missing_ok=True)
    (target / TABLES).mkdir(exist_ok=True)
    for name in FILES:
        (new / name).replace(target / name)
