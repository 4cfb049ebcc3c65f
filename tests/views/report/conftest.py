from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.planning.progress import SILENT
from harness.results.report import report_document
from support.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Document = dict[str, Any]


@pytest.fixture(scope="session")
def documented() -> Callable[..., Document]:
    """The data of a page on runs."""

    def make(*runs: harness.Run) -> Document:
        return report_document(runs, [run._registry(()) for run in runs], SILENT)

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with chromium() as found:
        yield found
