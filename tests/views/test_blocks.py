import numpy as np

from harness.plugin.values import UNASSIGNED
from harness.views.blocks import bars, cell_width, cluster_map, cluster_sizes, shaded


def test_bars_are_as_high_as_their_values_in_eighths() -> None:
    assert bars(np.array([0.0, 0.5, 0.75, 1.0]), 1.0, rows=2) == ["  ▄█", " ███"]


def test_what_is_small_shows_and_what_is_undefined_or_negative_does_not() -> None:
    assert bars(np.array([0.001, np.nan, -0.5]), 1.0, rows=1) == ["▁  "]


def test_bars_of_nothing_but_zeros_are_empty() -> None:
    assert bars(np.zeros(3), 0.0, rows=2) == ["   ", "   "]


def test_clusters_are_numbered_by_size() -> None:
    labels = np.array([7, 7, 7, 2, 2, UNASSIGNED])

    assert cluster_sizes(labels) == "1: 3  2: 2  ·: 1"


def test_a_map_names_more_than_nine_clusters_by_numbers_of_two_digits() -> None:
    labels = np.repeat(np.arange(12), 2)

    assert cell_width(labels, (2, 12), 80) == 3
    assert cluster_map(labels, (2, 12), 3).plain.split() == [
        str(number) for number in range(1, 13) for _ in range(2)
    ]


def test_a_map_that_is_too_wide_with_gaps_has_none_and_a_wider_one_is_not_drawn() -> None:
    labels = np.zeros(50, dtype=int)

    assert [cell_width(labels, (1, 50), width) for width in (100, 99, 49)] == [2, 1, 0]


def test_an_enlarged_map_has_the_rows_of_an_enlarged_picture() -> None:
    drawn = cluster_map(np.array([0, 1, 1, 1]), (2, 2), 2, scale=2)

    assert drawn.plain.split("\n") == ["2 2 1 1 "] * 2 + ["1 1 1 1 "] * 2
    picture = shaded(np.array([[1.0, 0.0], [0.0, 0.0]]), 8, rows=4)
    assert picture.plain.split("\n") == ["████    "] * 2 + [" " * 8] * 2


def test_a_map_of_clusters_has_a_line_a_row_and_is_read_without_colour() -> None:
    labels = np.array([4, 4, 4, 1, 1, UNASSIGNED])

    assert cluster_map(labels, (2, 3)).plain.split("\n") == ["1 1 1 ", "2 2 · "]


def test_clusters_differ_in_colour_too() -> None:
    drawn = cluster_map(np.array([0, 0, 1, 1]), (2, 2))

    assert len({str(span.style) for span in drawn.spans}) == 2


def test_a_picture_is_shaded_by_the_mean_of_each_part() -> None:
    picture = np.kron(np.array([[0.0, 1.0], [0.5, 0.25]]), np.ones((4, 4)))

    assert shaded(picture, columns=4).plain.split("\n") == ["  ██", "▒▒░░"]
