"""How far clusters follow the images' foreground, in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.foreground import ForegroundAgreement, MethodAgreement
from harness.views.tables import NOTHING, estimate_text, p_text, signed

WORDS = ("clusterer", "selector", "graph", "extractor", "image_set")
NAMES = {"spatial_blocks": "spatial blocks", "pixel_kmeans": "k-means on pixels"}
AGREEMENT = (
    "AMI: adjusted mutual information of clusters with the patches that are foreground by half or "
    "more; 1 is the same, 0 is chance. k: clusters of two patches or more; cover: share of the "
    "patches in clusters. beside: as many spatial blocks; as many clusters of k-means on the "
    "patches' own pixels. Intervals are 95 %, by bootstrap over images; more: the paired "
    "difference; p: Wilcoxon's signed-rank test of that, two-sided, from six images on."
)
SALIENCE = (
    "Foreground's share of the area of the clusters that the rest of the image attends to most and "
    "least, and the paired difference."
)


def show(run: str, found: ForegroundAgreement, console: Console) -> None:
    """Print each method beside the baselines; then where its most salient clusters lie."""
    console.print(Text(f"{run}, foreground: {found.foreground}"))
    varying = _varying(found.methods)
    console.print(_agreement_table(found.methods, varying))
    console.print(Text(AGREEMENT, style="italic dim"))
    if any(method.salient for method in found.methods):
        console.print(_salience_table(found.methods, varying))
        console.print(Text(SALIENCE, style="italic dim"))
    for method in found.methods:
        console.print(Text(_counts(method, varying, candidates=found.candidates)))


def _varying(methods: Sequence[MethodAgreement]) -> list[str]:
    others = ("selector", "graph", "extractor", "image_set")
    return [
        "clusterer",
        *(name for name in others if len({getattr(each.method, name) for each in methods}) > 1),
    ]


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        if header in WORDS:
            table.add_column(header, overflow="fold", min_width=len(header))
        else:
            table.add_column(header, justify="right", no_wrap=True)
    return table


def _names(method: MethodAgreement, varying: Sequence[str]) -> list[Text]:
    return [Text(getattr(method.method, name)) for name in varying]


def _agreement_table(methods: Sequence[MethodAgreement], varying: Sequence[str]) -> Table:
    table = _table(*varying, "images", "k", "cover", "AMI", "beside", "AMI", "more", "p")
    for method in methods:
        if method.ami is None or method.n_clusters is None or method.coverage is None:
            table.add_row(*_names(method, varying), "0", *[NOTHING] * 7)
            continue
        own = (
            *_names(method, varying),
            str(method.images),
            f"{method.n_clusters:.1f}",
            f"{method.coverage:.2f}",
            estimate_text(method.ami),
        )
        for number, baseline in enumerate(method.baselines):
            table.add_row(
                *([""] * len(own) if number else own),
                NAMES[baseline.name],
                signed(baseline.ami.mean),
                estimate_text(baseline.difference),
                p_text(baseline.difference.p),
            )
    return table


def _salience_table(methods: Sequence[MethodAgreement], varying: Sequence[str]) -> Table:
    table = _table(*varying, "images", "most salient", "least salient", "difference", "p")
    for method in methods:
        if method.salient is not None:
            table.add_row(
                *_names(method, varying),
                str(method.salient.images),
                f"{method.salient.most:.0%}",
                f"{method.salient.least:.0%}",
                estimate_text(method.salient.difference),
                p_text(method.salient.difference.p),
            )
    return table


def _counts(method: MethodAgreement, varying: Sequence[str], *, candidates: bool) -> str:
    name = " ".join(getattr(method.method, each) for each in varying)
    counts = [f"{method.counted} maps of {method.images} images count"]
    if method.not_accepted:
        counts.append(f"{method.not_accepted} have no accepted level")
    if method.undefined:
        counts.append(f"{method.undefined} are of images that are all foreground or none")
    if method.failed:
        counts.append(f"{method.failed} have no result")
    if candidates:
        counts.append("levels that were not accepted among them")
    return f"{name}: {'; '.join(counts)}"
