"""`harness check`: try whether the components of a plugin keep the laws of their kinds."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_json_option
from harness.cli.output import print_json, table_console
from harness.errors import HarnessError, escape_line

if TYPE_CHECKING:
    from harness.plugin.component import Component
    from harness.testing.examine import Verdict

SUMMARY = "check that a plugin's components keep the laws of their kinds"

EXPLANATION = """
A law is a property that every component of a kind must have. Each is tested in a worker process,
with limits on time and memory. `harness.testing` has the same laws for the plugin's own tests.
"""
# Seconds and GiB that a law may take.
TIMEOUT, MEMORY = 60.0, 4.0
BROKEN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness check`."""
    parser.epilog = EXPLANATION
    parser.add_argument(
        "plugins",
        nargs="+",
        metavar="PLUGIN",
        help="a file, a package's or project's folder, or the name of an installed plugin or "
        "component; specs after files, such as 'mine[size=3]', choose among their components",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"seconds that a law may take (default {TIMEOUT:g})",
    )
    parser.add_argument(
        "--memory",
        type=float,
        default=MEMORY,
        metavar="GIB",
        help=f"GiB that a law may use (default {MEMORY:g})",
    )
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each law of each component; returns 1 if one is broken, or was not tried."""
    from harness.testing.examine import examined
    from harness.testing.targets import find_targets

    for name in ("timeout", "memory"):
        if not 0 < getattr(arguments, name) < float("inf"):
            raise HarnessError(f"--{name}: expected a number above 0")
    arguments.checked = targets = find_targets(arguments.plugins)
    report = _Report(as_json=arguments.json)
    for line in targets.refused:
        report.refuse(line)
    limits = {"timeout": arguments.timeout, "memory": arguments.memory}
    for component, verdict in examined(
        targets.components, targets.registry, targets.paths, **limits
    ):
        report.add(component, verdict)
    return report.end()


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """A run with the first of the components; scores are for a run that there is already."""
    from harness.planning.settings import COMPONENTS
    from harness.plugin.spec import format_spec

    first, paths = arguments.checked.components[0], arguments.checked.paths
    key = next((key for key, kind in COMPONENTS.items() if kind == first.kind), None)
    if key is None:
        return ("runs",)
    spec = format_spec(first)
    if key == "clusterers" and first.name != "louvain":
        spec = f"louvain,{spec}"
    return ("run", *(word for path in paths for word in ("--plugin", path)), f"--{key}", spec)


class _Report:
    """Prints verdicts as they come, or all of them as JSON, and counts."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = table_console()
        self._last: Component | None = None
        self._rows: list[Mapping[str, Any]] = []
        self._refused: list[str] = []

    def refuse(self, line: str) -> None:
        self._refused.append(line)
        self._print("FAIL", line)

    def add(self, component: "Component", verdict: "Verdict") -> None:
        from harness.plugin.spec import format_spec

        spec = format_spec(component)
        self._rows.append(
            {
                "kind": component.kind,
                "component": spec,
                "law": verdict.law.name,
                "kept": verdict.is_kept,
                "found": verdict.found,
                "advice": verdict.advice,
                "note": verdict.note,
                "untried": verdict.untried,
            }
        )
        if component is not self._last:
            self._last = component
            self._print("", f"{component.kind} {spec}")
        if verdict.is_kept:
            self._print("ok", verdict.law.name + (f": {verdict.note}" if verdict.note else ""))
            return
        self._print("FAIL", f"{verdict.law.name}: {verdict.found}; {verdict.advice}")
        if verdict.untried:
            self._print("", f"      {verdict.untried} more laws were not tried")

    def end(self) -> int:
        kept = sum(row["kept"] for row in self._rows)
        tried = len(self._rows) + sum(row["untried"] for row in self._rows)
        if self._as_json:
            print_json({"laws": self._rows, "refused": self._refused})
        else:
            self._print("", f"{kept} of {tried} laws are kept")
        return 0 if kept == tried and not self._refused else BROKEN

    def _print(self, mark: str, line: str) -> None:
        from harness.views.tables import print_text

        if not self._as_json:
            shown = f"{mark:4}  {escape_line(line)}" if mark else escape_line(line)
            print_text(self._console, shown, "red" if mark == "FAIL" else "", wrap=False)
