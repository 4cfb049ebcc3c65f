"""What removing clusters does to the answer, for images that are predicted right and wrong.

    python benchmarks/ablation_by_prediction.py OUT REFERENCE TITLE=RUN [TITLE=RUN …]

REFERENCE names the clusters, as for `harness ablate`. Without masks, two rules say which cluster is
the object and which the background: the one that gets most and least attention from the rest of
the image (salience), and the one that touches the edge of the image least and most (border).
Writes OUT/ablation.csv, where clusters are removed from the block's output, as in the thesis, and
from the attention's; and OUT/ablation-TITLE.svg and .png, of the block's.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas
from matplotlib import pyplot as plt
from plots import PAGE, SETTINGS, draw_intervals, save

import harness
from harness.analysis.ablation import AblationSettings, ImageAblation
from harness.metrics.ablation import CLUSTERS, FEWEST_CLUSTERS, Contrast, Effect, contrasts
from harness.metrics.foreground import least_border_contact
from harness.metrics.partition import drop_singletons, numbered

Image = tuple[int, Sequence[Effect]]

# What the contrasts of clusters in an order call the first, the last, and all.
REMOVED = {"most salient": "object", "least salient": "background", "each": "each cluster"}
PLACES = ("block", "attention")
SHOWN = ("logit", "accuracy")
SERIES = ("clusters", "contiguous", "random")


def rows(title: str, run: harness.Run, reference: str) -> Iterator[dict[str, object]]:
    """Yield one row a place, group of images, order of clusters, removed cluster and figure."""
    for at in PLACES:
        settings = AblationSettings(at=at, together=1)
        ablated = run.ablate(reference, settings=settings).images
        orders = {
            "salience": [each.alone() for each in ablated],
            "border": [_by_border(run, each, reference) for each in ablated],
        }
        for group, members in _groups(ablated).items():
            for order, images in orders.items():
                chosen = [image for image, inside in zip(images, members, strict=True) if inside]
                for contrast in contrasts(chosen):
                    key = {"model": title, "at": at, "group": group, "order": order}
                    yield key | _flat(contrast) | {"raised": _raised(chosen, contrast)}


def _groups(ablated: Sequence[ImageAblation]) -> dict[str, list[bool]]:
    known = [
        (each.class_name, each.prediction.predicted == each.prediction.target) for each in ablated
    ]
    groups = {"all": [True] * len(known)}
    groups |= {"right": [right for _, right in known], "wrong": [not right for _, right in known]}
    for name in sorted({name for name, _ in known}):
        groups[name] = [each == name for each, _ in known]
    return groups


def _by_border(run: harness.Run, ablated: ImageAblation, reference: str) -> Image:
    """The effects of each cluster alone, the one that touches the border least first."""
    labels = numbered(drop_singletons(run.partition(ablated.image, reference).labels))
    grid = run.image_report(ablated.image).grid
    ordered = []
    while inmost := least_border_contact(labels, grid):
        ordered += inmost
        labels = np.where(labels == inmost[0], harness.UNASSIGNED, labels)
    patches, effects = ablated.alone()
    alone = {each.clusters[0]: each for each in effects}
    return patches, [alone[label] for label in ordered]


def _flat(contrast: Contrast) -> dict[str, object]:
    found = asdict(contrast)
    flat = {name: found[name] for name in ("figure", "images", "fraction")}
    flat["removed"] = REMOVED[contrast.removed]
    for series in (*SERIES, "beyond_random", "beyond_contiguous"):
        flat |= {f"{series}_{name}": value for name, value in found[series].items()}
    return flat


def _raised(images: Sequence[Image], contrast: Contrast) -> float:
    """The share of images on which the figure rises without the clusters."""
    several = [effects for _, effects in images if len(effects) >= FEWEST_CLUSTERS]
    chosen = [effects[CLUSTERS[contrast.removed]] for effects in several]
    means = [np.mean([each.figures[contrast.figure] for each in effects]) for effects in chosen]
    return float(np.mean(np.array(means) > 0))


def draw(table: pandas.DataFrame) -> plt.Figure:
    """A row an order and a column a figure: what was removed down, its change across."""
    orders = list(dict.fromkeys(table["order"]))
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(
            len(orders),
            len(SHOWN),
            figsize=(PAGE, 5.4),
            sharex="col",
            sharey=True,
            layout="constrained",
        )
        for panels, order in zip(axes, orders, strict=True):
            for panel, name in zip(panels, SHOWN, strict=True):
                of_it = table[(table["order"] == order) & (table["figure"] == name)]
                _draw_changes(panel, of_it)
                panel.set_title(f"{name}, by {order}", loc="left")
        for panel, name in zip(axes[-1], SHOWN, strict=True):
            of = "the right class's logit" if name == "logit" else "accuracy"
            panel.set_xlabel(f"change of {of}")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(SERIES))
    return figure


def _draw_changes(panel: plt.Axes, table: pandas.DataFrame) -> None:
    """Means with intervals of the clusters, and of as many patches, by group."""
    names = [f"{row.removed}, {row.group}" for row in table.itertuples()]
    panel.axvline(0, color="#999999", linewidth=0.8)
    drawn = {}
    for series in SERIES:
        label = "cluster removed" if series == "clusters" else f"as many {series} patches"
        drawn[label] = pandas.DataFrame(
            {end: table[f"{series}_{end}"].astype(float) for end in ("mean", "low", "high")}
        )
    draw_intervals(panel, names, drawn)


def main() -> None:
    """Remove the clusters and write the table and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("reference")
    parser.add_argument("runs", nargs="+", metavar="TITLE=RUN")
    arguments = parser.parse_args()
    named = (each.partition("=") for each in arguments.runs)
    runs = {title: harness.open_run(folder) for title, _, folder in named}
    table = pandas.DataFrame(
        row for title, run in runs.items() for row in rows(title, run, arguments.reference)
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.out / "ablation.csv", index=False, float_format="%.4g")
    for title, of_it in table.query("at == 'block' and group in ('right', 'wrong')").groupby(
        "model"
    ):
        save(draw(of_it), arguments.out / f"ablation-{title}")


if __name__ == "__main__":
    main()
