import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.views.colours import SINGLETON_COLOUR, UNASSIGNED_COLOUR, cluster_colours
from harness.views.figures import clusters
from harness.views.figures.patched import Patched
from harness.views.figures.style import WIDTHS
from support.figures import texts


def overlay(pixels: Any, grid: tuple[int, int], labels: Any, region: Any = None) -> Any:
    return clusters.side_by_side(Patched.of(pixels, grid, region), [("", labels)], title="t")


def test_patches_of_a_cluster_have_one_colour_and_others_another() -> None:
    found = clusters.coloured(np.repeat([0, 1, 1], 5), (3, 5))

    assert found.shape == (15, 3)
    assert len(np.unique(found[:5], axis=0)) == len(np.unique(found[5:], axis=0)) == 1
    assert not np.array_equal(found[0], found[5])


def test_without_an_image_patches_themselves_are_drawn() -> None:
    labels = np.repeat([0, 1, 1], 5)
    figure = overlay(None, (3, 5), labels)

    (panel,) = figure.axes
    drawn = panel.images[0].get_array()
    assert np.allclose(drawn[..., :3].reshape(-1, 3), clusters.coloured(labels, (3, 5)))
    assert (drawn[..., 3] == 1).all()


def test_every_cluster_has_a_panel_and_its_size(pixels: Any) -> None:
    labels = np.array([-1] * 2 + [0] * 4 + [7] * 9)
    found = texts(clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t"))

    assert "cluster 1: 9 patches" in found
    assert "cluster 2: 4 patches" in found
    assert "cluster 3" not in found


def test_sizes_and_unassigned_patches_stand_in_the_legend(pixels: Any) -> None:
    labels = np.array([-1] * 2 + [0] * 4 + [7] * 9)
    found = texts(overlay(pixels, (3, 5), labels))

    assert "1: 9" in found
    assert "2: 4" in found
    assert "2 in none" in found


def test_partitions_are_drawn_next_to_the_image_under_their_names(pixels: Any) -> None:
    labels = np.zeros(15, dtype=int)
    figure = clusters.side_by_side(
        Patched.of(pixels, (3, 5)), [("k=3", labels), ("k=4", labels)], title="t"
    )

    assert [panel.get_title() for panel in figure.axes] == ["image", "k=3", "k=4"]


def test_a_figure_is_as_high_as_its_images_need() -> None:
    labels = np.zeros(4, dtype=int)
    drawn = [
        overlay(np.zeros(size, dtype=np.uint8), (2, 2), labels)
        for size in ((20, 80, 1), (40, 40, 1), (80, 20, 1))
    ]

    heights = [figure.get_size_inches()[1] for figure in drawn]
    assert heights == sorted(set(heights))


def test_long_names_of_partitions_are_broken_into_lines(pixels: Any) -> None:
    pairs = [("louvain, excess-modularity (not accepted)", np.zeros(15, dtype=int))]
    figure = clusters.side_by_side(Patched.of(pixels, (3, 5)), pairs, title="t", width=3.4)

    assert "\n" in figure.axes[1].get_title()


def test_patches_that_share_no_cluster_are_grey_and_counted_in_the_legend(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, -1, -1])
    figure = overlay(pixels, (3, 5), labels)

    legend = figure.axes[1].get_legend()
    assert [text.get_text() for text in legend.get_texts()][2:] == ["3 alone", "2 in none"]
    greys = [entry.get_facecolor()[:3] for entry in legend.legend_handles[2:]]
    assert greys == [SINGLETON_COLOUR, UNASSIGNED_COLOUR]


def test_clusters_that_the_legend_has_no_room_for_are_counted_together(pixels: Any) -> None:
    found = texts(overlay(pixels, (4, 4), np.repeat(np.arange(8), 2)))

    assert "6: 2" in found
    assert "4 in 7 to 8" in found


def test_lines_separate_clusters_and_their_numbers_name_them(pixels: Any) -> None:
    # 3 × 5 patches: two columns, then three.
    labels = np.tile([7, 7, 4, 4, 4], 3)
    panel = overlay(pixels, (3, 5), labels).axes[1]

    assert [(text.get_text(), text.get_position()) for text in panel.texts] == [
        ("1", (14.0, 6.0)),
        ("2", (2.0, 6.0)),
    ]
    border = panel.patches[0].get_path().vertices
    assert set(border[:, 0]) == {8.0}
    assert (border[:, 1].min(), border[:, 1].max()) == (0.0, 12.0)


def test_a_panel_has_the_colour_of_its_cluster(pixels: Any) -> None:
    labels = np.repeat([0, 1, 1], 5)
    figure = clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t")

    drawn = [panel.images[-1].get_array()[..., :3] for panel in figure.axes]
    colours = cluster_colours(labels, (3, 5))
    assert np.allclose(drawn[0][1:], colours[1])
    assert np.allclose(drawn[1][0], colours[0])


def test_panels_fill_no_more_than_a_page_and_the_title_says_how_many_there_are() -> None:
    labels = np.repeat(np.arange(200), 2)
    figure = clusters.panels(Patched.of(None, (20, 20)), labels, title="t", width=3.4)

    assert figure.get_size_inches()[1] < 10
    assert figure.get_suptitle() == f"t; the first {len(figure.axes)} of 200 clusters"


@pytest.mark.parametrize("width", WIDTHS.values())
@pytest.mark.parametrize("count", [1, 3, 9])
def test_partitions_wrap_into_rows_of_the_width(pixels: Any, width: float, count: int) -> None:
    pairs = [(f"k={number}", np.zeros(15, dtype=int)) for number in range(count)]
    figure = clusters.side_by_side(Patched.of(pixels, (3, 5)), pairs, title="t", width=width)

    assert figure.get_size_inches()[0] < width + 0.01
    assert len([panel for panel in figure.axes if panel.get_title()]) == count + 1


def test_clusters_of_one_patch_have_no_panels(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, 5, 6])
    figure = clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t")

    assert [panel.get_title() for panel in figure.axes] == [
        "cluster 1: 6 patches",
        "cluster 2: 4 patches",
    ]


def test_the_longest_legend_is_not_cut_at_the_bottom() -> None:
    # Nine clusters of three patches each, which is more than a legend lists, and nine without one.
    labels = np.where(np.arange(36) < 27, np.arange(36) % 9, -1)
    partitions = [("", np.zeros(36, int)), ("", labels)]
    figure = clusters.side_by_side(Patched.of(None, (6, 6), None), partitions, title="t")

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    assert (np.asarray(Image.open(drawn).convert("L"))[-1] == 255).all()
