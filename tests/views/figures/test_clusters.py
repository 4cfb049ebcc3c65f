from typing import Any

import numpy as np

from harness.views.figures import clusters
from harness.views.figures.patched import Patched
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
    figure = clusters.side_by_side(Patched.of(pixels, (3, 5)), pairs, title="t")

    assert "\n" in figure.axes[1].get_title()


def test_clusters_of_one_patch_are_counted_together_in_the_legend(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, 5, 6])
    found = texts(overlay(pixels, (3, 5), labels))

    assert "5 in 5 more" in found


def test_clusters_of_one_patch_have_no_panels(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, 5, 6])
    figure = clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t")

    assert [panel.get_title() for panel in figure.axes] == [
        "cluster 1: 6 patches",
        "cluster 2: 4 patches",
    ]
