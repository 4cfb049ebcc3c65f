from typing import Any

import numpy as np

from harness.views.figures.gallery import gallery


def test_a_gallery_shows_images_under_their_names(pixels: Any) -> None:
    figure = gallery([("one", pixels), ("$two$", pixels)], title="t")

    assert [panel.get_title() for panel in figure.axes] == ["one", "$two$"]
    assert np.array_equal(figure.axes[0].images[0].get_array()[..., :1], pixels[..., :1])
