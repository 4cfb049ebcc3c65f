"""The effects of removing clusters: in the terminal, and as tidy rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import groupby
from typing import Any

from rich.console import Console

from harness.analysis.ablation import Ablation, AblationSettings, ImageAblation, Prediction
from harness.errors import escape_line
from harness.metrics.ablation import Chance, Contrast, Effect
from harness.metrics.inference import Estimate
from harness.plugin.values import UNASSIGNED
from harness.views.tables import (
    Column,
    estimate_text,
    number,
    p_text,
    print_legend,
    print_text,
    show_table,
    signed,
)

CHANCES = ("random", "contiguous")
# Up to this number of classes a table has a column for each.
MOST_CLASSES = 12
PLACES = {
    "block": "rows of the block's output",
    "attention": "rows of the attention's output, before they are added to the tokens",
    "keys": "patches as keys: no other patch attends to them",
}
FILLS = {"zero": "set to 0", "mean": "replaced by the image's mean row"}
# Figures of effects, with their headings, forms and meanings.
FIGURES: Mapping[str, tuple[str, Callable[[float], str], str]] = {
    "logit": (
        "logit",
        signed,
        "change of the target class's logit",
    ),
    "margin": ("margin", signed, "its logit less the largest other"),
    "probability": ("prob.", partial(signed, digits=3), "change of its probability"),
    "distance": (
        "distance",
        number,
        "1 less the cosine with the intact embedding",
    ),
}
# Columns of every table of effects, also of one without rows, and of those with a classifier.
COLUMNS: Mapping[str, type] = {"image": str, "kind": str, "clusters": str, "patches": int}
OF_CLASSES: Mapping[str, type] = {
    "target": int,
    "labelled": bool,
    "predicted": int,
    "changed": bool,
}
EFFECTS = "removed: only N is all but cluster N; unassigned, the patches in no cluster."
CONTRASTS = (
    "Means over images, with 95 % bootstrap intervals, of the right class or of the embedding. "
    "Chance removes as many random patches."
)
TITLES = {
    "most salient": "The most salient cluster removed",
    "least salient": "The least salient cluster (background) removed",
    "each": "Each cluster removed on its own, the mean within an image first",
}


def show(run: str, found: Ablation, console: Console, *, each: bool) -> None:
    """Print the effects over all images; with `each`, those on every image first."""
    how = _settings(found.settings)
    print_text(console, f"{run}, {found.partition}: removed are {how}")
    for image in found.images if each or len(found.images) == 1 else ():
        _show_image(image, found.classes, console)
    if len(found.images) > 1:
        print_text(console, f"\n{_summary(found)}", "bold")
        for kind, contrasts in groupby(found.contrasts, lambda each: each.removed):
            of_kind = list(contrasts)
            patches = f"{of_kind[0].fraction:.0%} of the patches"
            print_text(console, f"{TITLES[kind]}: {patches}", "italic")
            rows = [(each, chance) for each in of_kind for chance in CHANCES]
            show_table(console, CONTRAST_COLUMNS, rows, explain=False)
        if found.contrasts:
            print_legend(console, CONTRAST_COLUMNS, CONTRASTS)
    for image_key, reason in found.nothing.items():
        print_text(console, f"{escape_line(image_key)}: nothing to remove: {reason}")


def _settings(settings: AblationSettings) -> str:
    filled = "" if settings.at == "keys" else f", {FILLS[settings.fill]}"
    layer = "the clusters' own layer" if settings.layer is None else f"layer {settings.layer}"
    return f"{PLACES[settings.at]}{filled}; in {layer}"


def _show_image(image: ImageAblation, classes: Sequence[str], console: Console) -> None:
    print_text(console, f"\n{escape_line(image.image)}: {_heading(image, classes)}", "bold")
    print_text(console, f"clusters, most salient first: {_saliences(image)}", "bold")
    show_table(console, _effect_columns(image, classes), image.effects, caption=EFFECTS)
    prediction = image.prediction
    if prediction and len(prediction.logits) <= MOST_CLASSES:
        alone = [effect for effect in image.effects if effect.kind == "alone"]
        show_table(console, _logit_columns(prediction, classes), [None, *alone])


def _heading(image: ImageAblation, classes: Sequence[str]) -> str:
    answer = image.prediction
    if answer is None:
        return f"{image.answer}, {image.dimensions} dimensions"
    target, predicted = _class(answer.target, classes), _class(answer.predicted, classes)
    correct = "predicted" if answer.predicted == answer.target else f"predicted as {predicted}"
    truth = f"{target}, {correct}" if answer.labelled else f"predicted as {target}"
    return (
        f"{truth}; logit {answer.logits[answer.target]:z.2f}, margin {answer.margin:+z.2f}, "
        f"probability {answer.probability:.3f}"
    )


def _saliences(image: ImageAblation) -> str:
    return ", ".join(
        f"{_label(each.label)} ({each.patches} patches"
        + (")" if each.salience is None else f", {each.salience:.3g})")
        for each in image.clusters
    )


def _class(number: int, classes: Sequence[str]) -> str:
    return classes[number] if number < len(classes) else f"class {number}"


def _label(label: int) -> str:
    return "unassigned" if label == UNASSIGNED else str(label)


def removed(effect: Effect) -> str:
    """The clusters that are removed, by their numbers."""
    clusters = " + ".join(map(_label, effect.clusters))
    return f"only {clusters}" if effect.kind == "only" else clusters


def _effect_columns(image: ImageAblation, classes: Sequence[str]) -> Iterator[Column[Effect]]:
    first, *others = (name for name in image.effects[0].figures if name in FIGURES)
    _, form, _ = FIGURES[first]
    yield Column("removed", removed, words=True)
    yield Column("patches", lambda effect: str(effect.patches))
    yield _figure_column(first)
    yield Column(
        "random",
        lambda effect: _band(effect.random, form),
        f"the {first} for as many patches, mean and middle 95 %",
    )
    yield Column(
        "p",
        lambda effect: p_text(effect.random.p),
        "of the draws, two-sided",
    )
    yield Column(
        "contiguous",
        lambda effect: _band(effect.contiguous, form),
        "for connected ones",
        drop=2,
    )
    yield Column("p", lambda effect: p_text(effect.contiguous.p), drop=3)
    for name in others:
        yield replace(_figure_column(name), drop=1)
    if image.prediction:
        yield Column("predicted", lambda effect: _predicted(effect, classes), words=True)


def _figure_column(name: str) -> Column[Effect]:
    heading, form, meaning = FIGURES[name]
    return Column(heading, lambda effect: form(effect.figures[name]), meaning)


def _predicted(effect: Effect, classes: Sequence[str]) -> str | tuple[str, str]:
    name = "" if effect.predicted is None else _class(effect.predicted, classes)
    return (name, "bold") if effect.changed else name


def _band(chance: Chance, form: Callable[[float], str]) -> str:
    return f"{form(chance.first)} ({form(chance.low)}…{form(chance.high)})"


def _logit_columns(intact: Prediction, classes: Sequence[str]) -> Iterator[Column[Effect | None]]:
    """Columns of the intact logits (None) and of their changes by cluster."""

    def cell(index: int, effect: Effect | None) -> str:
        return signed(effect.logits[index]) if effect else f"{intact.logits[index]:z.2f}"

    yield Column("removed", lambda effect: removed(effect) if effect else "logits", words=True)
    for index in range(len(intact.logits)):
        yield Column(_class(index, classes), partial(cell, index))


def _summary(found: Ablation) -> str:
    compared = found.contrasts[0].images if found.contrasts else 0
    alone = len(found.images) - compared
    counted = (
        f"{compared} images with at least two clusters are compared"
        f"{f'; {alone} have one only' if alone else ''}"
        f"{f'; {len(found.nothing)} have nothing to remove' if found.nothing else ''}"
    )
    predictions = [image.prediction for image in found.images if image.prediction]
    if not predictions:
        return f"{counted}; the model has no classifier: {found.images[0].answer}"
    labelled = [each for each in predictions if each.labelled]
    if not labelled:
        return f"{counted}; no true class is known, the predicted one takes its place"
    right = sum(each.predicted == each.target for each in labelled)
    return f"{counted}; intact, {right} of {len(labelled)} are predicted right"


# A contrast with one of CHANCES.
_ContrastRow = tuple[Contrast, str]


def _beyond(row: _ContrastRow) -> Estimate:
    return row[0].beyond_random if row[1] == "random" else row[0].beyond_contiguous


CONTRAST_COLUMNS: Sequence[Column[_ContrastRow]] = (
    Column("change of", lambda row: row[0].figure, words=True, once=True),
    Column("clusters", lambda row: estimate_text(row[0].clusters), once=True),
    Column("chance", lambda row: row[1], words=True),
    Column("its change", lambda row: signed(getattr(row[0], row[1]).mean)),
    Column(
        "difference",
        lambda row: estimate_text(_beyond(row)),
        "clusters less chance, image by image",
    ),
    Column(
        "p",
        lambda row: p_text(_beyond(row).p),
        "signed-rank test of that over images, from six on, uncorrected",
    ),
)


def document(run: str, found: Ablation) -> dict[str, Any]:
    """Everything, for JSON; clusters are called by their numbers."""
    nothing = [{"image": image, "reason": reason} for image, reason in found.nothing.items()]
    return {"run": run, **asdict(found, dict_factory=_inlined), "nothing": nothing}


def flat_rows(found: Ablation) -> list[dict[str, Any]]:
    """A row for each set of an image's patches; chance as random_p, logits as logit_0."""
    images = (asdict(each, dict_factory=_inlined) for each in found.images)
    return [row for image in images for row in _flat_rows(image)]


def _inlined(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Figures and predictions in place of the fields that hold them; of embeddings no classes.

    The label of a cluster is its number here.
    """
    values: dict[str, Any] = {}
    for name, value in pairs:
        inlined = name in ("figures", "prediction")
        values |= (value or {}) if inlined else {"cluster" if name == "label" else name: value}
    if values.get("predicted", 0) is None:
        for name in ("logits", "predicted", "changed"):
            del values[name]
    return values


def _flat_rows(image: dict[str, Any]) -> Iterator[dict[str, Any]]:
    of_image = {name: image[name] for name in ("image", "target", "labelled") if name in image}
    for effect in image["effects"]:
        row = {**of_image, **effect, "clusters": "+".join(map(str, effect["clusters"]))}
        for chance in ("random", "contiguous"):
            row |= {f"{chance}_{name}": value for name, value in row.pop(chance).items()}
        logits = row.pop("logits", ())
        yield row | {f"logit_{number}": value for number, value in enumerate(logits)}
