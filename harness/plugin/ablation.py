"""A model's response when what it computes for some patches is removed (docs/ablation.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.plugin.arguments import checked_class
from harness.plugin.values import Floats, Image

At = Literal["block", "attention", "keys"]
"""Where patches are removed.

block: their rows of the layer's output. attention: their rows of the attention's output, before
the residual addition. keys: no other token attends to them.
"""

Fill = Literal["zero", "mean"]
"""What replaces removed rows: zeros, or the mean row of the image. Keys are masked instead."""

OutputKind = Literal["logits", "pooled embedding", "class token", "mean of the patches' tokens"]
"""What the numbers of a model's response are."""


@checked_class
@dataclass(frozen=True)
class AblationSpec:
    """How patches are removed from what a model computes.

    Parameters
    ----------
    at, fill
        Where in the layer, and what replaces the rows.
    layer
        The layer, from 0.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus (2014), "Visualizing and understanding convolutional
       networks", section 4.2: occlusion, there of pixels.

    Examples
    --------
    >>> harness.AblationSpec("attention", "zero", layer=3)
    AblationSpec(at='attention', fill='zero', layer=3)
    """

    at: At
    fill: Fill
    layer: int


@dataclass(frozen=True, eq=False)
class ModelResponse:
    """A model's response to one image, and how removing sets of patches changes it.

    Parameters
    ----------
    answer
        What the numbers of the response are.
    intact : ndarray of float64, shape (d,)
        The response to the whole image: d logits, or an embedding of d dimensions.
    changes : callable
        Takes sets of patches, bool (sets, n) with True for removed patches, and returns the
        response without each set minus `intact`, float64 (sets, d).
    patch_changes : ndarray of float64, shape (n, d), or None
        The change by each patch alone, if the change by a set is the sum over its patches.
    grid
        Rows and columns of the n patches.
    classes
        Names of the classes, empty if they are unknown.

    Examples
    --------
    >>> effects = np.array([[1.0, 0.0], [0.0, -2.0]])
    >>> response = harness.ModelResponse(
    ...     "logits", np.array([3.0, 1.0]), lambda removed: removed @ effects, effects, (1, 2)
    ... )
    >>> response.changes(np.array([[True, True]]))
    array([[ 1., -2.]])
    """

    answer: OutputKind
    intact: Floats
    changes: Callable[[NDArray[np.bool_]], Floats]
    patch_changes: Floats | None
    grid: tuple[int, int]
    classes: tuple[str, ...] = ()


Ablator = Callable[[Image], ModelResponse]
"""Returns a model's response to an image; raises HarnessError if the image does not suit it."""


@runtime_checkable
class Ablatable(Protocol):
    """An extractor whose model can compute its response without some patches.

    An extractor takes part in `harness ablate` by defining this method; it inherits nothing.

    Examples
    --------
    >>> isinstance(harness.map_set("planted"), harness.Ablatable)
    False
    """

    def ablator(self, removal: AblationSpec) -> Ablator:
        """Load the model once, and return a function that computes its responses.

        Parameters
        ----------
        removal
            How patches are removed.

        Raises
        ------
        HarnessError
            If patches cannot be removed there, or if the response does not depend on them.
        """
