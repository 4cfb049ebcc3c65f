"""The images of a report as JSON: pictures, maps, and the clusters of every level."""

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from harness.analysis.image import Noise
from harness.analysis.report.contents import RunReport
from harness.analysis.report.gallery import (
    MOST_SWEEPS,
    TARGETS,
    Gallery,
    ShownImage,
    ShownMap,
    ShownSelection,
    Sweep,
    Targets,
)
from harness.plugin.values import UNASSIGNED
from harness.views.report.pictures import LONGEST
from harness.views.report.values import Labels, drawn, shown

Json = dict[str, Any]
# Colours are bytes: the last is for patches in no cluster, and there are so many others.
NO_CLUSTER = COLOURS = 255
BYTE = 255
# Reasons why pictures are missing that the note gives.
REASONS = 3


def gallery(runs: Sequence[tuple[Labels, RunReport]]) -> Json:
    """The images of all runs, each run's by its effect, with all methods that they show."""
    images = [_image(image, labels) for labels, report in runs for image in report.gallery.images]
    methods = [labels.method(row.method) for labels, report in runs for row in report.board.rows]
    notes = (
        f"{labels.run}: {note}" if labels.run else note
        for labels, report in runs
        for note in (" ".join(_notes(report)),)
    )
    return {"note": "\n".join(notes), "methods": methods, "images": images}


def _notes(report: RunReport) -> Iterable[str]:
    found: Gallery = report.gallery
    score = "effect" if any(row.effect is not None for row in report.board.rows) else "modularity"
    count, images = len(found.images), found.of_images
    which = f"All {images} images" if count == images else f"{count} of {images} images, evenly"
    yield (
        f"{which} in the order of their {score}, the mean over methods and heads."
        if count
        else "There is no image."
    )
    if found.of_maps > found.maps:
        yield (
            f"Of up to {found.of_maps} maps of an image {found.maps} are here, evenly in the order "
            f"of their {score}."
        )
    if found.of_sweeps > MOST_SWEEPS:
        yield f"Of up to {found.of_sweeps} profiles of a map the first {MOST_SWEEPS} are here."
    if any(image.picture for image in found.images):
        yield f"Photos have at most {LONGEST} pixels a side."
    if count:
        yield f"Of each patch's attention the {TARGETS} strongest targets are here."
    missing = Counter(image.missing for image in found.images if image.missing)
    for reason, times in missing.most_common(REASONS):
        yield f"No picture of {times} image{'' if times == 1 else 's'}: {reason}."


def _image(image: ShownImage, labels: Labels) -> Json:
    height, width = image.size or (0, 0)
    return {
        "name": image.image,
        "set": labels(image.image_set),
        "className": image.class_name,
        "effect": shown(image.score),
        "width": width,
        "height": height,
        "picture": image.picture or None,
        "maps": [_map(each, image.size, labels) for each in image.maps],
        **({"note": image.missing} if image.missing else {}),
        **_run(labels),
    }


def _run(labels: Labels) -> Json:
    return {"run": labels.run} if labels.run else {}


def _map(found: ShownMap, size: tuple[int, int] | None, labels: Labels) -> Json:
    region = None
    if found.region is not None and size is not None:
        sides = (*size, *size)
        region = [shown(end / side) for end, side in zip(found.region, sides, strict=True)]
    return {
        "extractor": labels(found.extractor),
        "layer": found.layer,
        "head": found.head,
        "nodes": found.nodes,
        "grid": found.grid,
        "region": region,
        "attention": None if found.targets is None else _attention(found.targets),
        "sweeps": [_sweep(each, labels) for each in found.sweeps],
        **_run(labels),
    }


def _attention(targets: Targets) -> Json:
    largest = targets.weights[:, :1]
    shares = np.divide(
        targets.weights, largest, out=np.zeros_like(targets.weights), where=largest > 0
    )
    return {
        "top": targets.patches.shape[1],
        "targets": _base64(targets.patches.astype("<u2")),
        "weights": _base64((shares * BYTE).round().astype(np.uint8)),
    }


def _sweep(sweep: Sweep, labels: Labels) -> Json:
    colours = np.where(sweep.numbers == UNASSIGNED, NO_CLUSTER, sweep.numbers % COLOURS)
    figures = sweep.figures
    method = labels.method(sweep.method)
    return {
        "clusterer": method["clusterer"],
        "graph": method["graph"],
        "repeat": sweep.repeat,
        "levels": drawn(figures["level"]),
        "thresholds": drawn(figures["threshold"]),
        "modularity": drawn(figures["modularity"]),
        "clusters": figures["n_clusters"].astype(int).tolist(),
        "coverage": drawn(figures["coverage"]),
        "noise": [_noise(each, labels) for each in sweep.noise],
        "colours": _base64(colours.astype(np.uint8)),
        "selections": [_selection(each, labels) for each in sweep.selections],
    }


def _noise(noise: Noise, labels: Labels) -> Json:
    return {
        "control": labels(noise.control),
        "draws": noise.draws,
        "mean": drawn(noise.modularity),
        "low": drawn(noise.lowest),
        "high": drawn(noise.highest),
    }


def _selection(selection: ShownSelection, labels: Labels) -> Json:
    outcome = selection.outcome
    return {
        "selector": labels(outcome.method.selector),
        "level": outcome.candidate,
        "accepted": outcome.accepted,
        "reason": outcome.reason,
        "plateau": selection.plateau,
        "tests": [
            {
                "control": labels(control),
                "p": shown(test.p),
                "q": shown(test.q),
                "z": shown(test.z),
            }
            for control, test in outcome.tests.items()
        ],
        "stability": [
            {"kind": labels(kind), "jaccard": shown(jaccard)}
            for kind, jaccard in selection.stabilities.items()
        ],
        "effect": shown(outcome.effect),
    }


def _base64(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
