"""Pages in a real browser: Debian's chromium, without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Witness:
    """What a page complains of, and what it asks for."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on the PATH; Debian has it as the package chromium")
    with playwright.sync_playwright() as driver:
        # As root, chromium does not start in its sandbox.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def watch(page: "Page") -> Witness:
    """Note every complaint of a page on its console, and every request."""
    witness = Witness()
    page.on("console", lambda message: witness.complaints.append(message.text))
    page.on("pageerror", lambda error: witness.complaints.append(str(error)))
    page.on("request", lambda request: witness.requests.append(request.url))
    return witness
