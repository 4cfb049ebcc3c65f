"""Removing what a model computes for some patches: where, by what, and what it answers then.

docs/ablation.md says what each place means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import Floats, Image

At = Literal["block", "attention", "keys"]
Fill = Literal["zero", "mean"]
OutputKind = Literal["logits", "pooled embedding", "class token", "mean of the patches' tokens"]


@dataclass(frozen=True)
class AblationSpec:
    """How patches are removed: where in a layer, counted from 0, and what stands in for rows."""

    at: At
    fill: Fill
    layer: int


@dataclass(frozen=True, eq=False)
class ModelResponse:
    """What a model answers to one image, and how that changes when sets of patches are removed.

    intact: its answer to the whole image, logits (classes,) or an embedding (dimensions,).
    changes: takes sets (sets, patches) of bool, True for what is removed, and gives each one's
    answer less the intact one, (sets, classes or dimensions). patch_changes: (patches, classes),
    the changes of each patch removed alone, where those of a set are their sum; None where they
    are not. grid: the patches' rows and columns. classes: their names, empty where not known.
    """

    answer: OutputKind
    intact: Floats
    changes: Callable[[NDArray[np.bool_]], Floats]
    patch_changes: Floats | None
    grid: tuple[int, int]
    classes: tuple[str, ...] = ()


Ablator = Callable[[Image], ModelResponse]


@runtime_checkable
class Ablatable(Protocol):
    """An extractor whose model can be asked what it answers without some patches."""

    def ablator(self, removal: AblationSpec) -> Ablator:
        """What removing patches of an image does, by the model, which is loaded once.

        Raises HarnessError where the model has no such place or its answer does not depend on
        what is removed there; so does what is returned, for images that do not suit the model.
        """
