import numpy as np

from harness.plugin.values import UNASSIGNED
from harness.views.blocks import bars, cluster_map, cluster_names, shaded


def test_bars_are_as_high_as_their_values_in_eighths() -> None:
    assert bars(np.array([0.0, 0.5, 0.75, 1.0]), 1.0, rows=2) == ["  ▄█", " ███"]


def test_what_is_small_shows_and_what_is_undefined_or_negative_does_not() -> None:
    assert bars(np.array([0.001, np.nan, -0.5]), 1.0, rows=1) == ["▁  "]


def test_bars_of_nothing_but_zeros_are_empty() -> None:
    assert bars(np.zeros(3), 0.0, rows=2, width=2) == ["      ", "      "]


def test_clusters_are_numbered_by_size() -> None:
    labels = np.array([7, 7, 7, 2, 2, UNASSIGNED])

    assert cluster_names(labels) == {7: "1", 2: "2", UNASSIGNED: "·"}


def test_more_clusters_than_characters_still_have_a_sign() -> None:
    assert set(cluster_names(np.arange(200)).values()) >= {"1", "z", "Z", "+"}


def test_a_map_of_clusters_has_a_line_a_row_and_is_read_without_colour() -> None:
    labels = np.array([4, 4, 4, 1, 1, UNASSIGNED])

    assert cluster_map(labels, (2, 3)).plain.split("\n") == ["1 1 1 ", "2 2 · "]


def test_clusters_differ_in_colour_too() -> None:
    drawn = cluster_map(np.array([0, 0, 1, 1]), (2, 2))

    assert len({str(span.style) for span in drawn.spans}) == 2


def test_a_picture_is_shaded_by_the_mean_of_each_part() -> None:
    picture = np.kron(np.array([[0.0, 1.0], [0.5, 0.25]]), np.ones((4, 4)))

    assert shaded(picture, columns=4).plain.split("\n") == ["  ██", "▒▒░░"]
