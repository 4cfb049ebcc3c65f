"""What failed is grouped by reason, and nothing is counted twice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from harness.analysis.report.contents import RunReport
from harness.analysis.report.failures import FailureGroup
from support import PLUGINS
from support.runs import small_run


def test_a_run_without_failures_has_none(deep_report: RunReport) -> None:
    assert deep_report.failures == []


def test_cells_that_fail_alike_are_one_group(
    reported: Callable[..., RunReport], tmp_path: Path, planted: Path, hostile: Path
) -> None:
    run = small_run(tmp_path / "out", planted, clusterers="louvain,raising", plugins=[hostile])

    (group,) = reported(run.folder).failures

    assert (group.where, group.count) == ("raising", 3)
    assert group.examples == ("planted-0", "planted-1", "planted-2")
    (reason,) = set(run.cells().query("status == 'failed'")["reason"])
    assert group.reason == f"failed: {reason}"


def test_images_that_cannot_be_read_are_counted_once_and_not_named_in_the_reason(
    reported: Callable[..., RunReport], tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photos / "good.png")
    for name in ("bad", "worse"):
        (photos / f"{name}.png").write_bytes(b"no image")
    run = small_run(
        tmp_path / "out",
        images=f"folder[path={photos}]",
        extractors="deep",
        clusterers="louvain",
        plugins=[PLUGINS / "deep.py"],
    )

    (group,) = reported(run.folder).failures

    assert (group.count, group.examples) == (2, ("bad.png", "worse.png"))
    assert "bad.png" not in group.reason


def test_selections_that_fail_name_the_selector(
    reported: Callable[..., RunReport], tmp_path: Path, planted: Path
) -> None:
    run = small_run(
        tmp_path / "out",
        planted,
        selectors="fixed[level=0.5],stubborn",
        plugins=[write_selector(tmp_path)],
    )

    (group,) = reported(run.folder).failures

    assert isinstance(group, FailureGroup)
    assert (group.where, group.count) == ("stubborn on louvain", 3)
    assert "broken selector" in group.reason


def write_selector(folder: Path) -> Path:
    path = folder / "stubborn.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "import harness\n"
        "@dataclass(frozen=True)\n"
        "class Stubborn(harness.Selector):\n"
        "    name: ClassVar[str] = 'stubborn'\n"
        "    def select(self, profile, controls):\n"
        "        raise ValueError('broken selector')\n"
        "@harness.hookimpl\n"
        "def harness_selectors():\n"
        "    return [Stubborn]\n"
    )
    return path
