import numpy as np

from harness.plugin.values import Floats
from harness.views.figures.layers import depth_figure

LAYERS = np.array([0.0, 3.0, 11.0])
NOTHING = np.full(3, np.nan)


def band(name: str, values: list[float]) -> dict[str, Floats]:
    middle = np.array(values)
    return {name: middle, f"{name}_low": middle - 0.1, f"{name}_high": middle + 0.1}


def curves() -> dict[str, Floats]:
    return {
        "layer": LAYERS,
        **band("effect", [0.1, 0.2, 0.3]),
        **band("modularity", [0.4, 0.5, 0.6]),
        "control_modularity": np.array([0.3, 0.3, 0.3]),
        **band("n_clusters", [2, 3, 4]),
        **dict.fromkeys(("jaccard", "jaccard_low", "jaccard_high"), NOTHING),
    }


def test_figures_stand_at_the_numbers_of_their_layers() -> None:
    figure = depth_figure({"louvain": curves(), "infomap": curves()}, title="t")
    effect, modularity, clusters, stability = figure.axes
    assert effect.lines[0].get_xdata().tolist() == LAYERS.tolist()
    assert effect.lines[1].get_ydata().tolist() == [0.1, 0.2, 0.3]
    assert modularity.lines[1].get_ydata().tolist() == [0.3, 0.3, 0.3]
    assert clusters.lines[0].get_ydata().tolist() == [2, 3, 4]
    # A band where there is an interval, none where there is not.
    assert (len(clusters.collections), len(stability.collections)) == (2, 0)


def test_the_control_of_every_method_is_grey_and_named() -> None:
    figure = depth_figure({"louvain": curves(), "infomap": curves()}, title="t")
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named[:4] == ["louvain", "louvain, control", "infomap", "infomap, control"]


def test_the_bands_are_explained() -> None:
    figure = depth_figure({"louvain": curves()}, title="t")
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named[2:] == ["band: 95 % interval of the mean over images"]


def test_without_a_control_the_effect_has_no_band() -> None:
    figure = depth_figure({"louvain": {**curves(), "effect": NOTHING}}, title="t")
    effect, modularity, *_ = figure.axes
    assert (len(effect.collections), len(modularity.collections)) == (0, 1)
