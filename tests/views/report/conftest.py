from collections.abc import Callable
from typing import Any

import pytest

import harness
from harness.planning.progress import SILENT
from harness.results.report import report_document

Document = dict[str, Any]


@pytest.fixture(scope="session")
def documented() -> Callable[..., Document]:
    """The data of a page on runs."""

    def make(*runs: harness.Run) -> Document:
        return report_document(runs, [run._registry(()) for run in runs], SILENT)

    return make
