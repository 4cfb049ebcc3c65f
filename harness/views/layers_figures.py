"""What `harness layers` draws: depth, heads and similarities as figures."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.layers import HeadRow, LayerRow, MethodLayers
from harness.plugin.values import Floats
from harness.views.figures import heads as head_figures
from harness.views.figures.depth import Band, DepthCurve, depth_figure
from harness.views.layers import names
from harness.views.show_figures import file_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawings(methods: Sequence[MethodLayers]) -> Iterator[tuple[str, "Figure"]]:
    """Every figure with the name of its files; what there is one layer or head of is left out."""
    called = names(methods)
    deep = [
        (method, name)
        for method, name in zip(methods, called, strict=True)
        if len(method.layers) > 1
    ]
    if deep:
        curves = [_curve(method, name) for method, name in deep]
        yield "depth", depth_figure(curves, title="clusters by depth")
    scores = [_score(row) for method in methods for row in method.heads]
    # One for all methods, so that they can be compared.
    colours = head_figures.colour_range(np.array(scores, dtype=np.float64))
    for method, name, file in zip(methods, called, file_names(called), strict=True):
        yield f"heads-{file}", _heads(method, name, colours)
        yield from _similarities(method, name, file)


def _curve(method: MethodLayers, name: str) -> DepthCurve:
    rows = method.layers

    def values(of: Callable[[LayerRow], float | None]) -> Floats:
        return np.array([of(row) for row in rows], dtype=np.float64)

    def band(
        of: Callable[[LayerRow], float | None],
        interval: Callable[[LayerRow], tuple[float | None, float | None]],
    ) -> Band:
        return Band(
            values(of), values(lambda row: interval(row)[0]), values(lambda row: interval(row)[1])
        )

    return DepthCurve(
        name,
        values(lambda row: row.layer),
        band(
            lambda row: row.figures.excess,
            # Without a control the interval is that of modularity.
            lambda row: (
                (None, None)
                if row.figures.excess is None
                else (row.figures.excess_low, row.figures.excess_high)
            ),
        ),
        band(lambda row: row.figures.modularity, lambda row: row.intervals["modularity"]),
        values(lambda row: row.figures.control_modularity),
        band(lambda row: row.figures.n_clusters, lambda row: row.intervals["n_clusters"]),
        band(lambda row: row.figures.jaccard, lambda row: row.intervals["jaccard"]),
    )


def _score(row: HeadRow) -> float | None:
    return row.figures.score


def _heads(method: MethodLayers, name: str, colours: head_figures.Range) -> "Figure":
    layers = sorted({row.layer for row in method.heads})
    heads = sorted({row.head for row in method.heads})
    scores = np.full((len(layers), len(heads)), np.nan)
    marked = np.zeros(scores.shape, dtype=bool)
    for row in method.heads:
        place = layers.index(row.layer), heads.index(row.head)
        score = _score(row)
        scores[place] = np.nan if score is None else score
        marked[place] = (row.figures.significant_fraction or 0) > 0.5
    controlled = any(row.figures.excess is not None for row in method.heads)
    return head_figures.head_figure(
        scores,
        marked,
        layers,
        heads,
        title=f"{name} by layer and head"
        + ("; * more than the control on most images" if marked.any() else ""),
        colours=colours,
        label="excess modularity" if controlled else "modularity Q",
    )


def _similarities(method: MethodLayers, name: str, file: str) -> Iterator[tuple[str, "Figure"]]:
    found = method.similarities
    if not any(each.head_images.any() for each in found):
        return
    layers = [row.layer for row in method.layers]
    if len(layers) > 1:
        yield (
            f"layers-similarity-{file}",
            head_figures.layer_similarity(
                [
                    head_figures.Beside(each.measure, each.layers, each.layers_elsewhere)
                    for each in found
                ],
                layers,
                title=f"{name}: how alike clusters of different heads are, by layer",
            ),
        )
    yield (
        f"heads-similarity-{file}",
        head_figures.head_pair_similarity(
            [head_figures.Beside(each.measure, each.heads, each.heads_elsewhere) for each in found],
            [row.layer for row in method.heads],
            title=f"{name}: how alike the clusters of all heads are",
        ),
    )
    if len(method.heads) == len(layers):
        return
    for each in found:
        panels = []
        for layer in layers:
            at = [place for place, row in enumerate(method.heads) if row.layer == layer]
            heads = [method.heads[place].head for place in at]
            panels.append((layer, heads, each.heads[np.ix_(at, at)]))
        yield (
            f"heads-similarity-{each.measure.lower()}-{file}",
            head_figures.head_similarity(
                panels,
                f"{each.measure} (0 is chance)",
                title=f"{name}: how alike clusters of the heads of a layer are",
            ),
        )
