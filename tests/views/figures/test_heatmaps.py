from typing import Any

import numpy as np

from harness.views.figures import heatmaps
from harness.views.figures.patched import Patched

RANDOM = np.random.default_rng(0)


def test_a_heatmap_is_the_querys_row_of_each_head(pixels: Any) -> None:
    maps = RANDOM.random((2, 15, 15))
    figure = heatmaps.query_heatmaps(Patched.of(pixels, (3, 5)), maps, 7, title="t")

    for head in range(2):
        assert np.allclose(figure.axes[head].images[0].get_array(), maps[head, 7].reshape(3, 5))
        (mark,) = figure.axes[head].patches
        assert (mark.get_x(), mark.get_y()) == (2, 1)


def test_heads_are_called_as_they_are_named(pixels: Any) -> None:
    figure = heatmaps.query_heatmaps(
        Patched.of(pixels, (3, 5)), RANDOM.random((1, 15, 15)), 0, title="t", names=["head 7"]
    )

    assert figure.axes[0].get_title().startswith("head 7: ")


def test_all_heads_share_one_scale_and_its_bar(pixels: Any) -> None:
    maps = np.stack([np.full((15, 15), 0.01), np.full((15, 15), 0.9)])
    figure = heatmaps.query_heatmaps(Patched.of(pixels, (3, 5)), maps, 7, title="t")

    weak, strong, *_, bar = figure.axes
    assert weak.images[0].get_clim() == strong.images[0].get_clim() == bar.get_ylim() == (0, 0.9)
    assert [panel.get_title() for panel in (weak, strong)] == ["head 0: ≤.010", "head 1: ≤.900"]
