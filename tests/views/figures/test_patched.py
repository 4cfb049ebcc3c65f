"""That what is laid over an image lies where its patches are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from harness.views.colours import cluster_colours
from harness.views.figures import clusters, heatmaps
from harness.views.figures.files import save
from harness.views.figures.patched import Patched
from harness.views.figures.style import LARGEST

GRID = (4, 6)
LABELS = np.arange(24) % 5
SIZES = [(427, 640), (60, 180), (180, 60), (3, 4), (50, 50)]


def centre(height: int, width: int) -> tuple[float, float, float, float]:
    side = min(height, width) * 0.875
    return (height - side) / 2, (width - side) / 2, side, side


def overlay(pixels: Any, grid: tuple[int, int], labels: Any, region: Any = None) -> Any:
    return clusters.side_by_side(Patched.of(pixels, grid, region), [("", labels)], title="t")


class Rendered:
    """A figure's pixels, to be asked for by a place on one of its panels."""

    def __init__(self, figure: Any) -> None:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        self.pixels = np.asarray(canvas.buffer_rgba())[:, :, :3] / 255

    def at(self, panel: Any, x: float, y: float) -> Any:
        across, up = panel.transData.transform((x, y))
        return self.pixels[len(self.pixels) - 1 - int(up), int(across)]


def middles(
    region: tuple[float, float, float, float], within: float = 0.5
) -> list[tuple[float, float]]:
    """A place (x, y) on each patch, by default its middle."""
    top, left, height, width = region
    return [
        (left + (column + within) * width / GRID[1], top + (row + within) * height / GRID[0])
        for row in range(GRID[0])
        for column in range(GRID[1])
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cropped", [True, False])
def test_every_patch_has_its_clusters_colour_where_it_lies_on_an_image_of_its_own_aspect(
    size: tuple[int, int], cropped: bool
) -> None:
    white = np.full((*size, 3), 255, dtype=np.uint8)
    region = centre(*size) if cropped else None
    figure = clusters.side_by_side(Patched.of(white, GRID, region), [("", LABELS)], title="t")

    drawn, panel = Rendered(figure), figure.axes[1]
    colours = cluster_colours(LABELS)
    # A number stands in the middle, and a line at the sides.
    places = middles(region or (0, 0, *size), within=0.2)
    for (x, y), label in zip(places, LABELS.tolist(), strict=True):
        expected = clusters.STRENGTH * np.array(colours[label]) + 1 - clusters.STRENGTH
        assert drawn.at(panel, x, y) == pytest.approx(expected, abs=0.01)
    for each in figure.axes:
        right, down = each.transData.transform((1, 1)) - each.transData.transform((0, 0))
        assert right == pytest.approx(-down)
        assert (each.get_xlim(), each.get_ylim()) == ((0, size[1]), (size[0], 0))


def test_what_lies_outside_the_region_is_dimmed_and_nothing_else() -> None:
    black = np.zeros((40, 80, 1), dtype=np.uint8)
    figure = overlay(black, GRID, LABELS, (4.0, 24.0, 32.0, 32.0))

    drawn, image = Rendered(figure), figure.axes[0]
    for inside in ((40, 20), (26, 6), (54, 34)):
        assert drawn.at(image, *inside) == pytest.approx(0)
    for outside in ((10, 20), (70, 20), (22, 20), (58, 20), (40, 2), (40, 38)):
        assert (drawn.at(image, *outside) > 0.5).all()


def test_nothing_is_dimmed_where_patches_cover_the_image() -> None:
    black = np.zeros((40, 80, 1), dtype=np.uint8)
    for region in (None, (0.0, 0.0, 40.0, 80.0)):
        figure = overlay(black, GRID, LABELS, region)

        assert not figure.axes[0].patches


def test_a_panel_tints_the_patches_of_its_cluster() -> None:
    white = np.full((427, 640, 3), 255, dtype=np.uint8)
    region = centre(427, 640)
    figure = clusters.panels(Patched.of(white, GRID, region), LABELS, title="t")

    drawn = Rendered(figure)
    for label, panel in enumerate(figure.axes[:5]):
        found = [bool(np.ptp(drawn.at(panel, *place)) > 0.1) for place in middles(region)]
        assert found == (label == LABELS).tolist()
        right, down = panel.transData.transform((1, 1)) - panel.transData.transform((0, 0))
        assert right == pytest.approx(-down)


def test_a_query_is_marked_and_warm_where_it_lies() -> None:
    black = np.zeros((427, 640, 3), dtype=np.uint8)
    region = centre(427, 640)
    figure = heatmaps.query_heatmaps(
        Patched.of(black, GRID, region), np.eye(24)[None], 9, title="t"
    )

    drawn, (_, over, _) = Rendered(figure), figure.axes
    heat = [float(drawn.at(over, *place).sum()) for place in middles(region)]
    assert int(np.argmax(heat)) == 9
    frame = over.patches[-1]
    middle = (frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2)
    assert middle == pytest.approx(middles(region)[9])


def test_large_photos_make_small_figures(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    figure = overlay(photo, (32, 32), np.arange(1024) % 7)

    assert max(figure.get_size_inches()) < 12
    for panel in figure.axes:
        assert max(max(drawn.get_array().shape[:2]) for drawn in panel.images) <= LARGEST
    png, svg = save(figure, tmp_path, "large")
    # All pixels are random, which no file format makes small; there were 36 million of them.
    assert max(png.stat().st_size, svg.stat().st_size) < 2e6


def test_patches_are_written_as_they_are_so_that_borders_stay_sharp(tmp_path: Path) -> None:
    white = np.full((427, 640, 3), 255, dtype=np.uint8)
    figure = overlay(white, GRID, LABELS)
    _, svg = save(figure, tmp_path, "sharp")

    assert 'width="6" height="4"' in svg.read_text()
    assert "image-rendering:crisp-edges" in svg.read_text()
