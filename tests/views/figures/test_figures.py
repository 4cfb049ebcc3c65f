"""That figures show what they are given."""

from typing import Any

import numpy as np
import pytest

from harness.analysis.image import Noise, SelectorReport
from harness.metrics.ablation import Chance, Effect
from harness.views.figures import ablation, clusters, heatmaps
from harness.views.figures.gallery import gallery
from harness.views.figures.patched import Patched
from harness.views.figures.profiles import Curve, profile_figure
from harness_plugins.thesis.reproduction import figures as accuracy

RANDOM = np.random.default_rng(0)
CLASSES = ["t-shirt", "$bag$", "coat"]


@pytest.fixture(params=[1, 3])
def pixels(request: pytest.FixtureRequest) -> Any:
    return RANDOM.integers(0, 256, (12, 20, request.param), dtype=np.uint8)


def texts(figure: Any) -> str:
    return " ".join(
        text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))
    )


def overlay(pixels: Any, grid: tuple[int, int], labels: Any, region: Any = None) -> Any:
    return clusters.side_by_side(Patched.of(pixels, grid, region), [("", labels)], title="t")


def curve(**changes: Any) -> Curve:
    levels = np.linspace(0, 0.9, 5)
    figures = {"levels": levels, "modularity": levels**2, "n_clusters": np.arange(2, 7)}
    return Curve("louvain", **{**figures, **changes})


def test_a_profile_shows_modularity_and_clusters_at_their_levels() -> None:
    noise = Noise("uniform-noise", 3, *[np.zeros(5)] * 4)
    drawn = curve(noise=noise, selection=SelectorReport("s", 2, True, (1, 3), ""))
    figure = profile_figure([drawn, curve()], title="t")

    above, _, below, _ = figure.axes
    assert np.array_equal(above.lines[0].get_ydata(), drawn.modularity)
    assert np.array_equal(above.lines[1].get_ydata(), np.zeros(5))
    assert np.array_equal(below.lines[0].get_ydata(), drawn.n_clusters)
    assert above.lines[2].get_xdata()[0] == drawn.levels[2]


def test_a_candidate_that_was_not_accepted_is_told_as_such() -> None:
    for accepted in (False, True):
        drawn = curve(selection=SelectorReport("s", 1, accepted, None, ""))
        assert ("not accepted" in texts(profile_figure([drawn], title="t"))) is not accepted


def test_patches_of_a_cluster_have_one_colour_and_others_another() -> None:
    found = clusters.coloured(np.repeat([0, 1, 1], 5))

    assert found.shape == (15, 3)
    assert len(np.unique(found[:5], axis=0)) == len(np.unique(found[5:], axis=0)) == 1
    assert not np.array_equal(found[0], found[5])


def test_without_an_image_patches_themselves_are_drawn() -> None:
    labels = np.repeat([0, 1, 1], 5)
    figure = overlay(None, (3, 5), labels)

    (panel,) = figure.axes
    drawn = panel.images[0].get_array()
    assert np.allclose(drawn[..., :3].reshape(-1, 3), clusters.coloured(labels))
    assert (drawn[..., 3] == 1).all()


def test_every_cluster_has_a_panel_and_its_size(pixels: Any) -> None:
    labels = np.array([-1] * 2 + [0] * 4 + [7] * 9)
    found = texts(clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t"))

    assert "cluster 1: 9 patches" in found
    assert "cluster 2: 4 patches" in found
    assert "cluster 3" not in found


def test_sizes_and_unassigned_patches_stand_in_the_legend(pixels: Any) -> None:
    labels = np.array([-1] * 2 + [0] * 4 + [7] * 9)
    found = texts(overlay(pixels, (3, 5), labels)).split()

    assert {"9", "4", "2", "none"} <= set(found)


def test_partitions_stand_beside_the_image_under_their_names(pixels: Any) -> None:
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


def test_the_confusion_matrix_shows_its_counts() -> None:
    matrix = np.array([[90, 3, 0], [1, 80, 2], [0, 0, 0]])
    found = texts(accuracy.confusion(matrix, CLASSES, title="t")).split()

    assert {"90", "3", "1", "80", "2", "$bag$"} <= set(found)


def test_accuracy_by_heads_has_a_line_a_class_and_their_mean() -> None:
    heads, shares = np.array([1, 2, 4]), RANDOM.random((3, 3))
    figure = accuracy.by_heads(heads, shares, CLASSES, title="t")

    mean = [line for line in figure.axes[0].lines if line.get_label() == "mean"]
    assert np.allclose(mean[0].get_ydata(), shares.mean(axis=1))
    assert len(figure.axes[0].containers) == 3


def test_probabilities_are_bars_and_the_true_class_stands_out(pixels: Any) -> None:
    figure = accuracy.class_probabilities(pixels, np.array([0.2, 0.7, 0.1]), CLASSES, 1, title="t")

    bars = figure.axes[1].patches
    assert [bar.get_width() for bar in bars] == [0.2, 0.7, 0.1]
    assert bars[1].get_facecolor() != bars[0].get_facecolor() == bars[2].get_facecolor()


def test_an_effect_stands_beside_chance() -> None:
    random = Chance({"logit": 0.1}, -0.3, 0.5, 0.01)
    contiguous = Chance({"logit": 0.0}, -0.6, 0.6, 0.02)
    effect = Effect("alone", (0,), 5, {"logit": -2.0}, random, contiguous)
    figure = ablation.effect_bars([("cluster 0", effect)], title="t", what="logit of coat")

    (panel,) = figure.axes
    assert panel.patches[0].get_width() == -2.0
    assert list(panel.lines[0].get_xdata()) == [-0.3, 0.5]
    assert list(panel.lines[2].get_xdata()) == [-0.6, 0.6]


def test_a_gallery_shows_images_under_their_names(pixels: Any) -> None:
    figure = gallery([("one", pixels), ("$two$", pixels)], title="t")

    assert [panel.get_title() for panel in figure.axes] == ["one", "$two$"]
    assert np.array_equal(figure.axes[0].images[0].get_array()[..., :1], pixels[..., :1])


def test_clusters_of_one_patch_are_counted_together_in_the_legend(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, 5, 6])
    found = texts(overlay(pixels, (3, 5), labels))

    assert "5 in 5 more" in found


def test_lone_patches_have_no_panels(pixels: Any) -> None:
    labels = np.array([0] * 6 + [1] * 4 + [2, 3, 4, 5, 6])
    figure = clusters.panels(Patched.of(pixels, (3, 5)), labels, title="t")

    assert [panel.get_title() for panel in figure.axes] == [
        "cluster 1: 6 patches",
        "cluster 2: 4 patches",
    ]
