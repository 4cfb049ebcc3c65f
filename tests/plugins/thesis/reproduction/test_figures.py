import numpy as np

from harness_plugins.thesis.reproduction import figures as accuracy
from support.figures import texts

RANDOM = np.random.default_rng(0)
CLASSES = ["t-shirt", "$bag$", "coat"]


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


def test_probabilities_are_bars_and_the_true_class_stands_out() -> None:
    pixels = RANDOM.integers(0, 256, (12, 20, 1), dtype=np.uint8)
    figure = accuracy.class_probabilities(pixels, np.array([0.2, 0.7, 0.1]), CLASSES, 1, title="t")

    bars = figure.axes[1].patches
    assert [bar.get_width() for bar in bars] == [0.2, 0.7, 0.1]
    assert bars[1].get_facecolor() != bars[0].get_facecolor() == bars[2].get_facecolor()
