import numpy as np

from harness.views.figures.depth import Band, DepthCurve, depth_figure

LAYERS = np.array([0.0, 3.0, 11.0])
NOTHING = np.full(3, np.nan)


def band(values: list[float]) -> Band:
    middle = np.array(values)
    return Band(middle, middle - 0.1, middle + 0.1)


def curve(name: str) -> DepthCurve:
    return DepthCurve(
        name,
        LAYERS,
        excess=band([0.1, 0.2, 0.3]),
        modularity=band([0.4, 0.5, 0.6]),
        control=np.array([0.3, 0.3, 0.3]),
        n_clusters=band([2, 3, 4]),
        jaccard=Band(NOTHING, NOTHING, NOTHING),
    )


def test_figures_stand_at_the_numbers_of_their_layers() -> None:
    figure = depth_figure([curve("louvain"), curve("infomap")], title="t")
    excess, modularity, clusters, stability = figure.axes
    assert excess.lines[0].get_xdata().tolist() == LAYERS.tolist()
    assert excess.lines[1].get_ydata().tolist() == [0.1, 0.2, 0.3]
    assert modularity.lines[1].get_ydata().tolist() == [0.3, 0.3, 0.3]
    assert clusters.lines[0].get_ydata().tolist() == [2, 3, 4]
    # A band where there is an interval, none where there is not.
    assert (len(clusters.collections), len(stability.collections)) == (2, 0)


def test_noise_of_every_method_is_grey_and_named() -> None:
    figure = depth_figure([curve("louvain"), curve("infomap")], title="t")
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["louvain", "louvain, noise", "infomap", "infomap, noise"]
