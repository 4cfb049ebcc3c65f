"""Figures of the gallery: what the last line of a block returns, as a notebook shows it."""

from typing import Any

from sphinx_gallery.scrapers import figure_rst

from harness.views.figures.notebook import NotebookFigure


def returned_figure(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save the figure that a block returns, and return what shows it, in reST; "" without one.

    Figures of the harness belong to no window, where sphinx-gallery looks for them.
    """
    names = variables["example_globals"]
    # sphinx-gallery keeps the value of the last line there, also beyond the next block.
    value = names.get("___")
    if not isinstance(value, NotebookFigure) or value is names.get("_drawn"):
        return ""
    names["_drawn"] = value
    path = next(variables["image_path_iterator"])
    with open(path, "wb") as file:
        file.write(value._repr_png_())
    return str(figure_rst([path], settings["src_dir"]))
