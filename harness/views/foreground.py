"""Agreement of clusters with the images' foreground, in the terminal."""

from collections.abc import Callable, Iterator, Sequence

from rich.console import Console

from harness.analysis.foreground import (
    Baseline,
    ForegroundAgreement,
    MethodAgreement,
    SalienceAgreement,
)
from harness.analysis.method import differing_fields, short_names
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


def show(run: str, found: ForegroundAgreement, console: Console) -> None:
    """Print each method with the baselines, then the foreground in its most salient clusters."""
    print_text(console, f"{run}, foreground: {found.foreground}", wrap=False)
    fields = differing_fields([each.method for each in found.methods])
    compared = [row for method in found.methods for row in _compared(method)]
    show_table(console, _agreement_columns(fields), compared, caption=AGREEMENT)
    salient = [(each, each.salient) for each in found.methods if each.salient is not None]
    if salient:
        show_table(console, _salience_columns(fields), salient)
    names = short_names([each.method for each in found.methods])
    for name, method in zip(names, found.methods, strict=True):
        print_text(console, _counts(name, method, candidates=found.candidates))


def _compared(method: MethodAgreement) -> Iterator[_Compared]:
    for baseline in method.baselines or (None,):
        yield method, baseline


def _agreement_columns(fields: Sequence[str]) -> Iterator[Column[_Compared]]:
    for name in fields:
        yield _once(name, _field(name), words=True)
    yield _once("images", lambda method: str(method.images))
    yield _once(
        "k",
        lambda method: number(method.n_clusters, 1),
        "number of clusters of two patches or more",
    )
    yield _once(
        "coverage",
        lambda method: number(method.coverage, 2),
        "fraction of the patches that are in clusters",
    )
    yield _once(
        "AMI",
        lambda method: NOTHING if method.ami is None else estimate_text(method.ami),
        "adjusted mutual information of the clusters with the patches that are foreground by half "
        "or more; 1 is equal, 0 is chance",
    )
    yield _of_baseline(
        "baseline", lambda each: BASELINES[each.name], "with as many clusters", words=True
    )
    yield _of_baseline("its AMI", lambda each: signed(each.ami.mean))
    yield _of_baseline(
        "more", lambda each: estimate_text(each.difference), "the method's AMI less the baseline's"
    )
    yield _of_baseline(
        "p",
        lambda each: p_text(each.difference.p),
        "Wilcoxon's signed-rank test of that, two-sided, for six images or more",
    )


def _field(name: str) -> Callable[[MethodAgreement], str]:
    return lambda method: str(getattr(method.method, name))


def _once(
    heading: str, cell: Callable[[MethodAgreement], str], meaning: str = "", *, words: bool = False
) -> Column[_Compared]:
    """A column of methods, which is empty from a method's second row on."""

    def first(row: _Compared) -> str:
        method, baseline = row
        return cell(method) if baseline in (None, *method.baselines[:1]) else ""

    return Column(heading, first, meaning, words=words)


def _of_baseline(
    heading: str, cell: Callable[[Baseline], str], meaning: str = "", *, words: bool = False
) -> Column[_Compared]:
    def of_baseline(row: _Compared) -> str:
        return NOTHING if row[1] is None else cell(row[1])

    return Column(heading, of_baseline, meaning, words=words)


def _salience_columns(fields: Sequence[str]) -> Iterator[Column[_Salient]]:
    yield from (_method_column(name) for name in fields)
    yield Column("images", lambda row: str(row[1].images))
    yield Column(
        "most salient",
        lambda row: f"{row[1].most:.0%}",
        "foreground's fraction of the area of the cluster that the rest of the image attends to "
        "most",
    )
    yield Column(
        "least salient", lambda row: f"{row[1].least:.0%}", "and of the one it attends to least"
    )
    yield Column(
        "difference", lambda row: estimate_text(row[1].difference), "the paired difference"
    )
    yield Column("p", lambda row: p_text(row[1].difference.p))


def _method_column(name: str) -> Column[_Salient]:
    return Column(name, lambda row: str(getattr(row[0].method, name)), words=True)


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
