"""How a model's layers and heads cluster: depth curves, heads and similarities as figures."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.analysis.labels import method_labels
from harness.analysis.layers import HeadRow, LayerRow, MethodLayers, flat_row
from harness.plugin.values import Floats
from harness.views.colours import NOISE, colour
from harness.views.figures import heads as head_figures
from harness.views.figures.style import file_names, legend_below, new_figure, style

MARKERS = "osD^v<>P"
# Columns of `flat_row` by what their axis says.
PANELS = {
    "effect": "effect on modularity",
    "modularity": "modularity Q",
    "n_clusters": "clusters, where accepted",
    "jaccard": "stability (Jaccard)",
}
COLUMNS = (
    "layer",
    "control_modularity",
    *(f"{name}{end}" for name in PANELS for end in ("", "_low", "_high")),
)
# The numbers of one method, each (layers,), by the names of COLUMNS; NaN if undefined.
Curves = Mapping[str, Floats]


def drawings(methods: Sequence[MethodLayers]) -> Iterator[tuple[str, Figure]]:
    """Every figure with the name of its files; runs of one layer or head have fewer."""
    names = method_labels([each.method for each in methods])
    named = list(zip(methods, names, strict=True))
    yield from depth_drawings({name: method.layers for method, name in named})
    yield from head_drawings({name: method.heads for method, name in named})
    for (method, name), file in zip(named, file_names(names), strict=True):
        yield from _similarities(method, name, file)


def depth_drawings(methods: Mapping[str, Sequence[LayerRow]]) -> Iterator[tuple[str, Figure]]:
    """The curves of the methods that have several layers."""
    deep = {name: _curves(rows) for name, rows in methods.items() if len(rows) > 1}
    if deep:
        yield "depth", depth_figure(deep, title="clusters by depth")


def head_drawings(methods: Mapping[str, Sequence[HeadRow]]) -> Iterator[tuple[str, Figure]]:
    """The heads of each method, in the same colours."""
    scores = [row.score for rows in methods.values() for row in rows]
    # One range for all methods, so that they can be compared.
    colours = head_figures.colour_range(np.array(scores, dtype=np.float64))
    for (name, rows), file in zip(methods.items(), file_names(list(methods)), strict=True):
        yield f"heads-{file}", _heads(rows, name, colours)


@style()
def depth_figure(methods: Mapping[str, Curves], *, title: str) -> Figure:
    """Effect, modularity with the control's in grey, clusters and stability over the layers."""
    figure, axes = new_figure(2, 2, 8.4, 6.2, title, sharex=True)
    panels = dict(zip(PANELS, axes.flat, strict=True))
    for place, (name, curves) in enumerate(methods.items()):
        for column, panel in panels.items():
            _draw(panel, place, name, curves, column)
        panels["modularity"].plot(
            curves["layer"], curves["control_modularity"], color=NOISE, linestyle="--",
            linewidth=1, marker=MARKERS[place % len(MARKERS)], markersize=3,
            label=f"{name}, control",
        )  # fmt: skip
    for column, panel in panels.items():
        panel.set_ylabel(PANELS[column])
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels["n_clusters"].set_ylim(bottom=0)
    for panel in axes[1]:
        panel.set_xlabel("layer")
    panels["effect"].axhline(0, color=NOISE, linewidth=0.8)
    legend_below(figure, [panels["modularity"]], 4)
    return figure


def _draw(panel: Axes, place: int, name: str, curves: Curves, column: str) -> None:
    layers, values = curves["layer"], curves[column]
    panel.plot(
        layers, values, color=colour(place), linewidth=1.4,
        marker=MARKERS[place % len(MARKERS)], markersize=4, label=name,
    )  # fmt: skip
    low, high = curves[f"{column}_low"], curves[f"{column}_high"]
    # Without a control the interval of the effect is that of modularity.
    if not np.isnan(low).all() and not np.isnan(values).all():
        panel.fill_between(layers, low, high, color=colour(place), alpha=0.18, linewidth=0)


def _curves(of_layers: Sequence[LayerRow]) -> Curves:
    rows = [flat_row(row) for row in of_layers]
    return {column: np.array([row[column] for row in rows], dtype=np.float64) for column in COLUMNS}


def _heads(rows: Sequence[HeadRow], name: str, colours: head_figures.Range) -> Figure:
    layers = sorted({row.layer for row in rows})
    heads = sorted({row.head for row in rows})
    scores = np.full((len(layers), len(heads)), np.nan)
    marked = np.zeros(scores.shape, dtype=bool)
    for row in rows:
        place = layers.index(row.layer), heads.index(row.head)
        scores[place] = np.nan if row.score is None else row.score
        marked[place] = (row.significant_fraction or 0) > 0.5
    controlled = any(row.effect is not None for row in rows)
    explained = "; * more than the control on most images" if marked.any() else ""
    title = f"{name} by layer and head{explained}"
    label = "effect on modularity" if controlled else "modularity Q"
    return head_figures.head_figure(
        scores, marked, layers, heads, title=title, colours=colours, label=label
    )


def _similarities(method: MethodLayers, name: str, file: str) -> Iterator[tuple[str, Figure]]:
    found, of_heads = method.similarities, [row.layer for row in method.heads]
    if not any(each.head_images.any() for each in found):
        return
    layers = [row.layer for row in method.layers]
    if len(layers) > 1:
        measures = [(each.measure, each.layers, each.layers_elsewhere) for each in found]
        title = f"{name}: how alike clusters of different heads are, by layer"
        figure = head_figures.layer_similarity(measures, layers, title=title)
        yield f"layers-similarity-{file}", figure
    measures = [(each.measure, each.heads, each.heads_elsewhere) for each in found]
    title = f"{name}: how alike the clusters of all heads are"
    figure = head_figures.head_pair_similarity(measures, of_heads, title=title)
    yield f"heads-similarity-{file}", figure
    if len(of_heads) == len(layers):
        return
    for each in found:
        panels = []
        for layer in layers:
            at = np.flatnonzero(np.equal(of_heads, layer))
            heads = [method.heads[place].head for place in at]
            panels.append((layer, heads, each.heads[np.ix_(at, at)]))
        title = f"{name}: how alike clusters of the heads of a layer are"
        label = f"{each.measure} (0 is chance)"
        figure = head_figures.head_similarity(panels, label, title=title)
        yield f"heads-similarity-{each.measure.lower()}-{file}", figure
