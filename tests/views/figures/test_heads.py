import numpy as np
import pytest

from harness.views.figures.heads import (
    colour_range,
    head_figure,
    head_pair_similarity,
    head_similarity,
    layer_similarity,
)

NOTHING = np.nan


def test_a_head_has_its_figure_and_a_star_where_it_is_marked() -> None:
    effect = np.array([[0.5, NOTHING], [0.25, -0.1]])
    marked = np.array([[True, True], [False, False]])
    figure = head_figure(effect, marked, [3, 5], [0, 1], title="t", colours=(-0.1, 0.5))
    panel = figure.axes[0]
    assert [text.get_text() for text in panel.texts] == [".50*", ".25", "-.10"]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["3", "5"]
    assert np.ma.getmaskarray(panel.images[0].get_array()).tolist() == [
        [False, True],
        [False, False],
    ]


@pytest.mark.parametrize("layers", [1, 3, 4])
def test_the_name_of_the_colour_bar_is_inside_the_figure(layers: int) -> None:
    effect = np.full((layers, 12), 0.2)
    figure = head_figure(
        effect, effect > 1, range(layers), range(12), title="t", colours=(0.0, 0.3)
    )
    figure.draw_without_rendering()
    bar = figure.axes[1]
    name = bar.yaxis.label if bar.get_ylabel() else bar.xaxis.label
    box, whole = name.get_window_extent(), figure.bbox
    assert name.get_text()
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1


def test_many_heads_in_a_column_have_stars_and_no_numbers() -> None:
    marked = np.zeros((24, 16), dtype=bool)
    marked[3, 4] = True
    figure = head_figure(
        np.full((24, 16), 0.2), marked, range(24), range(16), title="t", colours=(0, 1), width=3.4
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["*"]


def test_similarities_have_the_same_colours_in_every_figure() -> None:
    same, across = np.array([[0.8, 0.4], [0.4, 0.6]]), np.full((2, 2), -0.2)
    similarity = ("AMI", same, across)
    for figure in (
        layer_similarity([similarity], [0, 1], title="t"),
        head_pair_similarity([similarity], [0, 1], title="t"),
        head_similarity([(0, [0, 1], same), (1, [0, 1], across)], "AMI", title="t"),
    ):
        limits = {panel.images[0].get_clim() for panel in figure.axes[:2]}
        assert limits == {(0, 1)}


def test_cells_without_room_for_numbers_have_none() -> None:
    few, many = (
        layer_similarity(
            [("AMI", np.eye(layers), np.eye(layers))], range(layers), title="t", width=3.4
        )
        for layers in (3, 12)
    )
    assert [len(figure.axes[0].texts) for figure in (few, many)] == [9, 0]


def test_the_colours_of_nothing_are_a_range_for_all_that() -> None:
    least, most = colour_range(np.array([NOTHING]))
    assert least < most
