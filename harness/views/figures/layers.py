"""How a model's layers and heads cluster: depth curves, heads and similarities as figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from harness.analysis.labels import method_labels, spec_labels
from harness.analysis.layers import HeadRow, LayerRow, MethodLayers, flat_row
from harness.plugin.values import Floats
from harness.views.colours import NOISE, colour, marker
from harness.views.figures import heads as head_figures
from harness.views.figures.files import file_names
from harness.views.figures.style import PAGE, balanced, legend_below, new_figure, style

# Least inches of a panel's width, its height, and the opacity of bands.
LEAST, HEIGHT, BAND = 2.5, 1.6, 0.2
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


def drawings(methods: Sequence[MethodLayers], width: float) -> Iterator[tuple[str, Figure]]:
    """Every figure with the name of its files; runs of one layer or head have fewer."""
    names = method_labels([each.method for each in methods])
    named = list(zip(methods, names, strict=True))
    yield from depth_drawings({name: method.layers for method, name in named}, width)
    yield from head_drawings({name: method.heads for method, name in named}, width)
    for (method, name), file in zip(named, file_names(names), strict=True):
        yield from _similarities(method, name, file, width)


def depth_drawings(
    methods: Mapping[str, Sequence[LayerRow]], width: float
) -> Iterator[tuple[str, Figure]]:
    """The curves of the methods that have several layers."""
    deep = {name: rows for name, rows in methods.items() if len(rows) > 1}
    if deep:
        title = f"{_models(row for rows in deep.values() for row in rows)}: clusters by depth"
        curves = {name: _curves(rows) for name, rows in deep.items()}
        yield "depth", depth_figure(curves, title=title, width=width)


def head_drawings(
    methods: Mapping[str, Sequence[HeadRow]], width: float
) -> Iterator[tuple[str, Figure]]:
    """The heads of each method, in the same colours."""
    scores = [row.score for rows in methods.values() for row in rows]
    # One range for all methods, so that they can be compared.
    colours = head_figures.colour_range(np.array(scores, dtype=np.float64))
    for (name, rows), file in zip(methods.items(), file_names(list(methods)), strict=True):
        yield f"heads-{file}", _heads(rows, name, colours, width)


def _models(rows: Iterable[HeadRow | LayerRow]) -> str:
    """The labels of the models whose attention the rows are of."""
    return ", ".join(spec_labels(row.method.extractor for row in rows).of.values())


@style()
def depth_figure(methods: Mapping[str, Curves], *, title: str, width: float = PAGE) -> Figure:
    """Effect, modularity with the control's in grey, clusters and stability over the layers."""
    rows, columns = balanced(len(PANELS), int(width / LEAST))
    figure, axes = new_figure(rows, columns, width, rows * HEIGHT + 0.2, title, sharex=True)
    panels = dict(zip(PANELS, axes.flat, strict=True))
    for place, (name, curves) in enumerate(methods.items()):
        for column, panel in panels.items():
            _draw(panel, place, name, curves, column)
        panels["modularity"].plot(
            curves["layer"], curves["control_modularity"], color=NOISE, linestyle="--",
            linewidth=0.8, marker=marker(place), markersize=2.5, label=f"{name}, control",
        )  # fmt: skip
    for column, panel in panels.items():
        panel.set_ylabel(PANELS[column])
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels["n_clusters"].set_ylim(bottom=0)
    for panel in axes[-1]:
        panel.set_xlabel("layer")
    panels["effect"].axhline(0, color=NOISE, linewidth=0.8)
    band = Patch(color=NOISE, alpha=BAND, label="band: 95 % interval of the mean over images")
    legend_below(figure, [panels["modularity"]], band)
    return figure


def _draw(panel: Axes, place: int, name: str, curves: Curves, column: str) -> None:
    layers, values = curves["layer"], curves[column]
    panel.plot(
        layers, values, color=colour(place), linewidth=1.2,
        marker=marker(place), markersize=3, label=name,
    )  # fmt: skip
    low, high = curves[f"{column}_low"], curves[f"{column}_high"]
    # Without a control the interval of the effect is that of modularity.
    if not np.isnan(low).all() and not np.isnan(values).all():
        panel.fill_between(layers, low, high, color=colour(place), alpha=BAND, linewidth=0)


def _curves(of_layers: Sequence[LayerRow]) -> Curves:
    rows = [flat_row(row) for row in of_layers]
    return {column: np.array([row[column] for row in rows], dtype=np.float64) for column in COLUMNS}


def _heads(rows: Sequence[HeadRow], name: str, colours: head_figures.Range, width: float) -> Figure:
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
    title = f"{_models(rows)}: {name} by layer and head{explained}"
    label = "effect on modularity" if controlled else "modularity Q"
    return head_figures.head_figure(
        scores, marked, layers, heads, title=title, colours=colours, label=label, width=width
    )


def _similarities(
    method: MethodLayers, name: str, file: str, width: float
) -> Iterator[tuple[str, Figure]]:
    found, of_heads = method.similarities, [row.layer for row in method.heads]
    if not any(each.head_images.any() for each in found):
        return
    layers = [row.layer for row in method.layers]
    about = f"{_models(method.layers)}, {name}"
    if len(layers) > 1:
        measures = [(each.measure, each.layers, each.layers_elsewhere) for each in found]
        title = f"{about}: how alike clusters of different heads are, by layer"
        figure = head_figures.layer_similarity(measures, layers, title=title, width=width)
        yield f"layers-similarity-{file}", figure
    measures = [(each.measure, each.heads, each.heads_elsewhere) for each in found]
    title = f"{about}: how alike the clusters of all heads are"
    figure = head_figures.head_pair_similarity(measures, of_heads, title=title, width=width)
    yield f"heads-similarity-{file}", figure
    if len(of_heads) == len(layers):
        return
    for each in found:
        panels = []
        for layer in layers:
            at = np.flatnonzero(np.equal(of_heads, layer))
            heads = [method.heads[place].head for place in at]
            panels.append((layer, heads, each.heads[np.ix_(at, at)]))
        title = f"{about}: how alike clusters of the heads of a layer are"
        figure = head_figures.head_similarity(panels, each.measure, title=title, width=width)
        yield f"heads-similarity-{each.measure.lower()}-{file}", figure
