from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.analysis.report.contents import RunReport, run_report


@pytest.fixture(scope="session")
def reported() -> Callable[..., RunReport]:
    """Reads the report of a run; pictures are the names of images."""

    def read(folder: Path, **options: int) -> RunReport:
        run = harness.open_run(folder)
        return run._read(run_report, lambda image_set, image: f"{image_set} {image}", **options)

    return read


@pytest.fixture(scope="session")
def deep_report(deep: Path, reported: Callable[..., RunReport]) -> RunReport:
    return reported(deep)
