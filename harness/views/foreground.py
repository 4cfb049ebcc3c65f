"""Agreement of clusters with the objects on images, in the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console

from harness.analysis.agreement import (
    Baseline,
    FigureAgreement,
    MethodAgreement,
    SalienceAgreement,
)
from harness.analysis.foreground import ForegroundAgreement
from harness.analysis.labels import method_labels
from harness.metrics.inference import Estimate
from harness.views.leaderboard import method_columns
from harness.views.tables import (
    NOTHING,
    Column,
    estimate_text,
    number,
    p_text,
    print_text,
    short,
    show_table,
)

BASELINES = {
    "spatial_blocks": "spatial blocks",
    "pixel_kmeans": "pixel k-means",
    "chance": "chance",
}
AGREEMENT = "Means over images: ARI and AMI of patches, IoU by area, or F (β² = .3)."
DIFFERENCES = "With 95 % bootstrap intervals over images; p: signed-rank test, from six images on."
# Heading, meaning and importance of each figure: the least important are dropped first.
FIGURES = {
    "ari": ("ARI", "", 11),
    "ami": ("AMI", "", 12),
    "mean_iou": ("mIoU", "labels and clusters, one to one", 7),
    "best_iou": ("best", "cluster", 8),
    "best_f": ("best F", "", 3),
    "union_iou": ("union", "of clusters", 10),
    "union_f": ("union F", "", 6),
    "border_iou": ("border", "cluster least at the border", 9),
    "border_f": ("border F", "", 4),
    "salient_iou": ("salient", "most salient one", 9),
    "salient_f": ("salient F", "", 5),
}
# The figures whose differences are shown.
COMPARED = ("ami", "union_iou")
# A method with one of its baselines, or None for its own clusters.
_Partition = tuple[MethodAgreement, str | None]
# A method with one of its baselines.
_Difference = tuple[MethodAgreement, str]
_Salient = tuple[MethodAgreement, SalienceAgreement]
METHOD = method_columns(lambda row: row[0].method)


def show(run: str, found: ForegroundAgreement, console: Console) -> None:
    """Print each method beside the baselines, how they differ, and what did not count."""
    print_text(console, f"{run}, foreground: {found.foreground}")
    partitions = [(each, of) for each in found.methods for of in _partitions(each)]
    show_table(console, _agreement_columns(), partitions, caption=AGREEMENT)
    compared = [(each, name) for each in found.methods if each.figures for name in BASELINES]
    if compared:
        show_table(console, _difference_columns(), compared, caption=DIFFERENCES)
    salient = [(each, each.salient) for each in found.methods if each.salient is not None]
    if salient:
        show_table(console, SALIENCE, salient)
    names = method_labels([each.method for each in found.methods])
    for name, method in zip(names, found.methods, strict=True):
        print_text(console, _counts(name, method, candidates=found.candidates))
    for excluded in found.excluded:
        print_text(console, str(excluded))


def _partitions(method: MethodAgreement) -> Sequence[str | None]:
    return (None, *BASELINES) if method.figures else (None,)


def _agreement_columns() -> Iterator[Column[_Partition]]:
    yield from (replace(column, once=True) for column in METHOD)
    yield Column("images", lambda row: str(row[0].images), once=True, drop=2)
    yield Column("k", lambda row: number(row[0].n_clusters, 1), "clusters", once=True, drop=1)
    yield Column("of", lambda row: "clusters" if row[1] is None else BASELINES[row[1]], words=True)
    for name, (heading, meaning, importance) in FIGURES.items():
        yield _figure_column(name, heading, meaning, importance)


def _figure_column(name: str, heading: str, meaning: str, drop: int) -> Column[_Partition]:
    def cell(row: _Partition) -> str:
        figure = row[0].figure(name)
        if figure is None:
            return NOTHING
        return short((figure if row[1] is None else _baseline(figure, row[1])).mean.mean)

    return Column(heading, cell, meaning, drop=drop)


def _baseline(figure: FigureAgreement, name: str) -> Baseline:
    return next(each for each in figure.baselines if each.name == name)


def _difference_columns() -> Iterator[Column[_Difference]]:
    yield from (replace(column, once=True) for column in METHOD)
    yield Column("baseline", lambda row: BASELINES[row[1]], "as many clusters", words=True)
    for place, name in enumerate(COMPARED):
        yield from _difference_of(name, FIGURES[name][0], place)


def _difference_of(name: str, heading: str, place: int) -> Iterator[Column[_Difference]]:
    def difference(row: _Difference) -> Estimate | None:
        figure = row[0].figure(name)
        return None if figure is None else _baseline(figure, row[1]).difference

    def more(row: _Difference) -> str:
        found = difference(row)
        return NOTHING if found is None else estimate_text(found)

    def p(row: _Difference) -> str:
        found = difference(row)
        return NOTHING if found is None else p_text(found.p)

    yield Column(f"{heading} more", more, f"{heading} minus the baseline's", drop=2 * place)
    # In a narrow console a p goes before its figure.
    yield Column("p", p, drop=max(0, 2 * place - 1))


SALIENCE: Sequence[Column[_Salient]] = (
    *METHOD,
    Column("images", lambda row: str(row[1].images), drop=1),
    Column(
        "most salient",
        lambda row: f"{row[1].most:.0%}",
        "foreground's share of the cluster attended to most",
    ),
    Column("least salient", lambda row: f"{row[1].least:.0%}", "and of the least"),
    Column("difference", lambda row: estimate_text(row[1].difference), "the paired difference"),
    Column("p", lambda row: p_text(row[1].difference.p)),
)


def _counts(name: str, method: MethodAgreement, *, candidates: bool) -> str:
    counts = [f"{method.counted} maps of {method.images} images count"]
    if method.not_accepted:
        counts.append(f"{method.not_accepted} have no accepted level")
    if method.undefined:
        counts.append(f"{method.undefined} are of images whose patches have one label")
    if method.unmatched:
        counts.append(f"{method.unmatched} are of images without a usable mask")
    if method.failed:
        counts.append(f"{method.failed} have no result")
    if candidates:
        counts.append("levels that were not accepted are included")
    return f"{name}: {'; '.join(counts)}"
