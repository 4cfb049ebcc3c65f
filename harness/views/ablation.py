"""What removing clusters did, in the terminal."""

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.ablated_images import ClusterPatches, EmbeddingAblation, ImageAblation
from harness.analysis.ablation import Ablation, AblationSettings
from harness.metrics.ablation import Chance, Effect
from harness.metrics.ablation_contrasts import Contrast
from harness.metrics.embedding_ablation import DistanceChance, EmbeddingEffect
from harness.plugin.values import UNASSIGNED
from harness.views.tables import estimate_text, p_text, signed

# Classes up to which a table has a column for each.
MOST_CLASSES = 12
PLACES = {
    "block": "rows of the block's output",
    "attention": "rows of the attention's output, before they are added to the tokens",
    "keys": "patches as keys: no other patch attends to them",
}
FILLS = {"zero": "set to 0", "mean": "replaced by the image's mean row"}
WORDS = ("removed", "change of", "as many", "predicted")
MEANINGS_OF_ONE = (
    "logit: change of the target class's logit when the patches are removed, negative where they "
    "spoke for it; margin: of its logit less the largest other; prob.: of its probability. random, "
    "contiguous: mean and middle 95 % of the logit's changes over draws of as many patches; p: the "
    "share of draws that change the logit at least as much, in either direction. only N: all but "
    "cluster N is removed. loose: the patches in no cluster of two or more."
)
MEANINGS_OF_EMBEDDING = (
    "distance: 1 less the cosine between the embedding without the patches and the intact one, 0 "
    "where nothing changes. random, contiguous: mean and middle 95 % over draws of as many "
    "patches; p: the share of draws that move the embedding at least as far. only N: all but "
    "cluster N is removed. loose: the patches in no cluster of two or more."
)
MEANINGS_OF_ALL = (
    "Mean changes over images and their 95 % bootstrap intervals; logit, margin, probability and "
    "accuracy are of the right class, distance is the embedding's from the intact one. do: "
    "removing as many patches, random or random and "
    "contiguous, the mean over draws. beyond that: clusters less chance, image by image; p: "
    "Wilcoxon's signed-rank test over images, from six on, not corrected for the number of rows. "
    "Salience: the attention that a patch of the cluster gets from outside it."
)
TITLES = {
    "most salient": "The most salient cluster removed",
    "least salient": "The least salient cluster (background) removed",
    "each": "Each cluster removed on its own, the mean within an image first",
}


def show(run: str, found: Ablation, console: Console, *, each: bool) -> None:
    """Print, with `each`, a table for every image; then what holds over all of them."""
    console.print(Text(f"{run}, {found.place}: removed are {_told(found.settings)}"))
    for embedded in found.embeddings if each or len(found.embeddings) == 1 else ():
        console.print(Text(f"\n{_embedding_heading(embedded)}", style="bold"))
        console.print(_distances_table(embedded))
        console.print(Text(MEANINGS_OF_EMBEDDING, style="italic dim"))
    for image in found.images if each or len(found.images) == 1 else ():
        console.print(Text(f"\n{_heading(image, found.classes)}", style="bold"))
        console.print(_effects_table(image, found.classes))
        if len(image.logits) <= MOST_CLASSES:
            console.print(_logits_table(image, found.classes))
        console.print(Text(MEANINGS_OF_ONE, style="italic dim"))
    if len(found.images) > 1 or len(found.embeddings) > 1:
        console.print(Text(f"\n{_summary(found)}", style="bold"))
        if found.contrasts:
            for removed, of_it in groupby(found.contrasts, lambda each: each.removed):
                figures = list(of_it)
                share = f"{figures[0].share:.0%} of the patches"
                console.print(Text(f"{TITLES[removed]}: {share}", style="italic"))
                console.print(_contrasts_table(figures))
            console.print(Text(MEANINGS_OF_ALL, style="italic dim"))
    for nothing in found.nothing:
        console.print(Text(f"{nothing.image}: nothing to remove: {nothing.reason}"))


def _told(settings: AblationSettings) -> str:
    filled = "" if settings.at == "keys" else f", {FILLS[settings.fill]}"
    layer = "the clusters' own layer" if settings.layer is None else f"layer {settings.layer}"
    return f"{PLACES[settings.at]}{filled}; in {layer}"


def _heading(image: ImageAblation, classes: Sequence[str]) -> str:
    target = _class(image.target, classes)
    predicted = (
        "predicted"
        if image.predicted == image.target
        else f"predicted as {_class(image.predicted, classes)}"
    )
    truth = f"{target}, {predicted}" if image.labelled else f"predicted as {target}"
    return (
        f"{image.image}: {truth}; logit {image.logits[image.target]:.2f}, margin "
        f"{image.margin:+.2f}, probability {image.probability:.3f}\n{_saliences(image.clusters)}"
    )


def _embedding_heading(image: EmbeddingAblation) -> str:
    return (
        f"{image.image}: {image.answer}, {image.dimensions} dimensions\n"
        f"{_saliences(image.clusters)}"
    )


def _saliences(clusters: Sequence[ClusterPatches]) -> str:
    salience = ", ".join(
        f"{_label(each.label)} ({each.patches} patches"
        + (")" if each.salience is None else f", {each.salience:.3g})")
        for each in clusters
    )
    return f"clusters, most salient first: {salience}"


def _class(number: int, classes: Sequence[str]) -> str:
    return classes[number] if number < len(classes) else f"class {number}"


def _label(label: int) -> str:
    return "loose" if label == UNASSIGNED else str(label)


def _removed(effect: Effect | EmbeddingEffect) -> str:
    clusters = " + ".join(map(_label, effect.clusters))
    return f"only {clusters}" if effect.kind == "only" else clusters


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        table.add_column(header, justify="left" if header in WORDS else "right", overflow="fold")
    return table


def _effects_table(image: ImageAblation, classes: Sequence[str]) -> Table:
    table = _table(
        "removed", "patches", "logit", "random", "p", "contiguous", "p", "margin", "prob.",
        "predicted",
    )  # fmt: skip
    for effect in image.effects:
        table.add_row(
            _removed(effect),
            str(effect.patches),
            signed(effect.logit),
            _band(effect.random),
            p_text(effect.random.p),
            _band(effect.contiguous),
            p_text(effect.contiguous.p),
            signed(effect.margin),
            signed(effect.probability, 3),
            Text(_class(effect.predicted, classes), style="bold" if effect.changed else ""),
        )
    return table


def _distances_table(image: EmbeddingAblation) -> Table:
    table = _table("removed", "patches", "distance", "random", "p", "contiguous", "p")
    for effect in image.effects:
        table.add_row(
            _removed(effect),
            str(effect.patches),
            f"{effect.distance:.3f}",
            _distances(effect.random),
            p_text(effect.random.p),
            _distances(effect.contiguous),
            p_text(effect.contiguous.p),
        )
    return table


def _distances(chance: DistanceChance) -> str:
    return f"{chance.distance:.3f} ({chance.low:.3f}…{chance.high:.3f})"


def _band(chance: Chance) -> str:
    return f"{signed(chance.logit)} ({signed(chance.low)}…{signed(chance.high)})"


def _logits_table(image: ImageAblation, classes: Sequence[str]) -> Table:
    """Changes of all classes' logits, by cluster, below the intact ones."""
    table = _table("removed", *(_class(number, classes) for number in range(len(image.logits))))
    table.add_row("logits", *(f"{value:.2f}" for value in image.logits))
    for effect in image.effects:
        if effect.kind == "alone":
            table.add_row(_removed(effect), *map(signed, effect.logits))
    return table


def _summary(found: Ablation) -> str:
    compared = found.contrasts[0].images if found.contrasts else 0
    alone = len(found.images) + len(found.embeddings) - compared
    counted = (
        f"{compared} images with at least two clusters are compared"
        f"{f'; {alone} have one only' if alone else ''}"
        f"{f'; {len(found.nothing)} have nothing to remove' if found.nothing else ''}"
    )
    if found.embeddings:
        return f"{counted}; the model has no classifier: {found.embeddings[0].answer}"
    right = sum(image.predicted == image.target for image in found.images if image.labelled)
    labelled = sum(image.labelled for image in found.images)
    accuracy = (
        f"; intact, {right} of {labelled} are predicted right"
        if labelled
        else "; no true class is known, the predicted one stands for it"
    )
    return f"{counted}{accuracy}"


def _contrasts_table(figures: Sequence[Contrast]) -> Table:
    """What removing one kind of cluster did to every figure."""
    table = _table("change of", "clusters", "as many", "do", "beyond that", "p")
    for each in figures:
        table.add_row(
            each.figure,
            estimate_text(each.clusters),
            "random",
            signed(each.random.mean),
            estimate_text(each.beyond_random),
            p_text(each.beyond_random.p),
        )
        table.add_row(
            "",
            "",
            "contiguous",
            signed(each.contiguous.mean),
            estimate_text(each.beyond_contiguous),
            p_text(each.beyond_contiguous.p),
        )
    return table
