"""Agreement of clusters with the images' foreground, in the terminal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rich.console import Console

from harness.analysis.foreground import (
    Baseline,
    ForegroundAgreement,
    MethodAgreement,
    SalienceAgreement,
)
from harness.analysis.labels import method_labels
from harness.views.leaderboard import method_columns
from harness.views.tables import (
    NOTHING,
    Column,
    estimate_text,
    number,
    p_text,
    print_text,
    show_table,
    signed,
)

BASELINES = {"spatial_blocks": "spatial blocks", "pixel_kmeans": "pixel k-means"}
AGREEMENT = "Means over images, with 95 % bootstrap intervals over images."
# A method with one of its baselines; None if no map of the method counts.
_Compared = tuple[MethodAgreement, Baseline | None]
_Salient = tuple[MethodAgreement, SalienceAgreement]
METHOD = method_columns(lambda row: row[0].method)


def show(run: str, found: ForegroundAgreement, console: Console) -> None:
    """Print each method with the baselines, then the foreground in its most salient clusters."""
    print_text(console, f"{run}, foreground: {found.foreground}")
    compared = [(method, each) for method in found.methods for each in method.baselines or (None,)]
    show_table(console, _agreement_columns(), compared, caption=AGREEMENT)
    salient = [(each, each.salient) for each in found.methods if each.salient is not None]
    if salient:
        show_table(console, SALIENCE, salient)
    names = method_labels([each.method for each in found.methods])
    for name, method in zip(names, found.methods, strict=True):
        print_text(console, _counts(name, method, candidates=found.candidates))


def _agreement_columns() -> Iterator[Column[_Compared]]:
    yield from (replace(column, once=True) for column in METHOD)
    yield Column("images", lambda row: str(row[0].images), once=True, drop=4)
    yield Column(
        "k",
        lambda row: number(row[0].n_clusters, 1),
        "clusters",
        once=True,
        drop=2,
    )
    yield Column(
        "coverage",
        lambda row: number(row[0].coverage, 2),
        "fraction of patches in clusters",
        once=True,
        drop=1,
    )
    yield Column(
        "AMI",
        lambda row: NOTHING if row[0].ami is None else estimate_text(row[0].ami),
        "of clusters and foreground patches, 0 is chance",
        once=True,
    )
    yield _of_baseline("baseline", lambda each: BASELINES[each.name], "as many clusters")
    yield replace(_of_baseline("its AMI", lambda each: signed(each.ami.mean)), drop=3)
    yield _of_baseline(
        "more", lambda each: estimate_text(each.difference), "AMI less the baseline's"
    )
    yield _of_baseline(
        "p",
        lambda each: p_text(each.difference.p),
        "two-sided signed-rank test, from six images on",
    )


def _of_baseline(
    heading: str, cell: Callable[[Baseline], str], meaning: str = ""
) -> Column[_Compared]:
    def of_baseline(row: _Compared) -> str:
        return NOTHING if row[1] is None else cell(row[1])

    return Column(heading, of_baseline, meaning, words=heading == "baseline")


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
        counts.append(f"{method.undefined} are of images that are all foreground or all background")
    if method.failed:
        counts.append(f"{method.failed} have no result")
    if candidates:
        counts.append("levels that were not accepted are included")
    return f"{name}: {'; '.join(counts)}"
