"""Options that several commands have, and those that come from declared settings."""

import argparse
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.api import Run
    from harness.planning.declaration import Setting

Parser = argparse.ArgumentParser | argparse._ArgumentGroup


def add_plugin_option(parser: Parser) -> None:
    """Add `--plugin PATH`, as `plugins`: a list of paths, None if it is not given."""
    from harness.planning.settings import SETTINGS

    add_setting(parser, "plugins", SETTINGS["plugins"])


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Add the folder of a finished run, as `run_folder`."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")


def image_words(folder: Path, image: str) -> Sequence[str | Path]:
    """The run and the image as the last words of a command; one with a dash is no option."""
    return (folder, "--", image) if image.startswith("-") else (folder, image)


def add_selector_option(parser: Parser) -> None:
    """Add `--selector NAME`, as `selectors`: a list of names, empty if it is not given."""
    parser.add_argument(
        "--selector",
        dest="selectors",
        action="append",
        default=[],
        metavar="NAME",
        help="read what this selector selected, also one that `harness select` applied; may be "
        "repeated (default: those of the run's settings)",
    )


def open_stored(folder: Path, selectors: Sequence[str] = ()) -> "Run":
    """Open a run; a line on stderr says what an unfinished one lacks."""
    from harness.api import open_run

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = open_run(folder, selectors)
    for each in caught:
        print(f"warning: {each.message}", file=sys.stderr)
    return run


def add_figure_options(parser: Parser) -> None:
    """Add `--width` and `--format` of the figures that `--out` writes, for `figure_settings`."""
    parser.add_argument(
        "--width",
        choices=("column", "page"),
        help="draw for the width of a column (8.6 cm) or a page (17.8 cm) of a journal (default "
        "page)",
    )
    parser.add_argument(
        "--format",
        dest="formats",
        action="append",
        default=[],
        choices=("png", "pdf", "svg"),
        help="write figures in this format; may be repeated (default png and svg)",
    )


def figure_settings(arguments: argparse.Namespace) -> tuple[float, tuple[str, ...]]:
    """The inches that figures are wide, and the formats in which they are written."""
    from harness.views.figures.files import DEFAULT_FORMATS
    from harness.views.figures.style import WIDTHS

    return WIDTHS[arguments.width or "page"], tuple(arguments.formats) or DEFAULT_FORMATS


def check_figure_options(arguments: argparse.Namespace, *others: str) -> None:
    """Refuse an option of figures, or one of the others, that is given without `--out`."""
    given = {"--width": arguments.width, "--format": arguments.formats}
    given |= {f"--{name}": getattr(arguments, name) for name in others}
    for option, value in given.items():
        if value and arguments.out is None:
            raise HarnessError(f"{option} changes the figures only; --out says where they go")


def add_json_option(parser: Parser, what: str = "JSON") -> None:
    """Add `--json`, as `json`: whether the command prints JSON instead of tables."""
    parser.add_argument("--json", action="store_true", help=f"print {what}")


def add_settings(parser: Parser, settings: "Mapping[str, Setting]") -> None:
    """Add a flag for each setting; values that are not given are None."""
    from harness.planning.suites import default_suite

    default = default_suite()
    for key, setting in settings.items():
        add_setting(parser, key, setting, default.get(key, setting.default))


def add_setting(parser: Parser, key: str, setting: "Setting", default: Any = None) -> None:
    """Add the flag of a setting; its help shows the default."""
    shown = (
        f" (default {_shown(default)})" if setting.in_suites and default not in (None, ()) else ""
    )
    named: dict[str, Any] = {"metavar": setting.metavar} if setting.metavar else {}
    parser.add_argument(
        *(setting.flags or (f"--{key.replace('_', '-')}",)),
        dest=key,
        default=None,
        help=f"{setting.help}{shown}".replace("%", "%%"),
        **named,
        **setting.argument,
    )


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default)
