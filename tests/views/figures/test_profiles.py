from typing import Any

import numpy as np

from harness.analysis.image import Noise, SelectorReport
from harness.views.figures.profiles import Curve, profile_figure
from support.figures import texts


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


def test_a_candidate_that_was_not_accepted_says_so() -> None:
    for accepted in (False, True):
        drawn = curve(selection=SelectorReport("s", 1, accepted, None, ""))
        assert ("not accepted" in texts(profile_figure([drawn], title="t"))) is not accepted
