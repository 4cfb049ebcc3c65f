"""`harness view`: the page of `harness report` on a run, also while it goes on."""

import argparse
import contextlib
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.cli.options import add_plugin_option, add_run_argument, add_selector_option

SUMMARY = "show the report of a run in the browser, updated while the run goes on"

EXPLANATION = """
The address is known to you alone, and leads to this machine: other users of it cannot read the
page, nor can other sites in your browser. The page updates itself. The view ends with Ctrl-C; the
run goes on. docs/view.md explains more.

  harness view results/mine --open
"""
# Sends the browser to the address, which other users would see in the arguments of a process.
REDIRECT = '<!doctype html><meta http-equiv="refresh" content="0; url={address}">\n'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness view`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXPLANATION
    add_run_argument(parser)
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="the port (default: one that is free)"
    )
    add_selector_option(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until an interrupt; returns the exit code."""
    import threading

    from harness.api import Run
    from harness.cli.page_server import Document, PageServer, serving
    from harness.results.live import LiveReport
    from harness.views.progress import shown_progress
    from harness.views.report.html import policy

    # A process that ends in another way leaves its temporary files behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run = Run(arguments.run_folder, tuple(arguments.selectors))
    with shown_progress() as shown:
        live = LiveReport(run, arguments.plugins or (), shown)
    allowed = f"{policy(live=True)}; frame-ancestors 'none'"
    documents = {
        "": Document("text/html", live.page, allowed),
        "data.json": Document("application/json", live.data),
    }
    server = PageServer(documents, arguments.port)
    with (
        contextlib.suppress(KeyboardInterrupt),
        serving(server),
        _opened(server.address, asked=arguments.open),
    ):
        print(server.address, flush=True)
        print("Ctrl-C ends the view, and no run.", file=sys.stderr)
        threading.Event().wait()
    return 0


@contextmanager
def _opened(address: str, *, asked: bool) -> Iterator[None]:
    """Open a browser by way of a file that nobody else can read, if that is asked for."""
    if not asked:
        yield
        return
    with TemporaryDirectory(prefix="harness-view-") as folder:
        file = Path(folder) / "view.html"
        file.write_text(REDIRECT.format(address=address), encoding="ascii")
        if not webbrowser.open(file.as_uri()):
            print("no browser was found; open the address yourself", file=sys.stderr)
        yield
