"""How one map of a run is shown in the terminal."""

from io import StringIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from harness.analysis.image import ImageReport, MethodReport, SelectorReport
from harness.plugin.profile import Point, Profile
from harness.plugin.values import Image
from harness.views.show import ShowContext, show

POINT = Point(0.5, 0.1, 0.5, 0.4, 0.3, 0.3, 2, 1.0, 1.0, 0.0, 0.9, 0.0, np.arange(4) % 2)


def report(**changes: Any) -> ImageReport:
    method = MethodReport(
        "louvain", "ok", "", Profile([POINT]), None, (SelectorReport("s", 0, True, None, ""),)
    )
    values: dict[str, Any] = {
        "image": "a.png", "image_set": "folder", "extractor": "vit", "layer": 0, "head": 0,
        "graph": "threshold", "repeat": 0, "size": (20, 60, 1), "label": None,
        "class_name": "", "nodes": 4, "grid": (2, 2), "region": None, "truth": None,
        "unreadable": "", "others": {}, "apart": {}, "methods": (method,),
    }  # fmt: skip
    return ImageReport(**{**values, **changes})


def printed(context: ShowContext) -> str:
    out = StringIO()
    show(context, Console(file=out, width=200))
    return out.getvalue()


def below(text: str, title: str) -> str:
    """The line below a title."""
    lines = text.splitlines()
    return next(after for line, after in pairwise(lines) if line.startswith(title))


@pytest.mark.parametrize(
    ("others", "line"),
    [
        (tuple(map(str, range(1, 12))), "1 … 11"),
        (tuple(map(str, [0, 1, 2, 3, 5, 6, 10, 11, 12])), "0 … 3, 5, 6, 10 … 12"),
        (("4",), "4"),
        (("threshold[weak=1]", "mutual"), "threshold[weak=1], mutual"),
        (tuple(map(str, range(0, 40, 2))), "0, 2, 4, 6, 8, 10, 12, 14 …"),
    ],
)
def test_other_values_are_listed_in_few_words(others: tuple[str, ...], line: str) -> None:
    shown = printed(ShowContext(report(others={"head": others})))

    assert f"There are also head {line} (--head).\n" in shown


def test_next_to_the_patches_the_terminal_shows_the_part_of_the_image_that_they_cover() -> None:
    pixels = np.zeros((20, 60, 1), dtype=np.uint8)
    pixels[:, 20:40] = 255
    image = Image("a.png", pixels)

    cropped = printed(ShowContext(report(region=(0.0, 20.0, 20.0, 20.0)), image))
    assert "on a grid of 2×2 over 20×20 pixels from (0, 20)" in cropped
    assert below(cropped, "image, where the patches lie").startswith("█" * 28)

    whole = printed(ShowContext(report(), image))
    assert "pixels from" not in whole
    assert "█" in below(whole, "image ")
    assert "█" * 28 not in below(whole, "image ")
