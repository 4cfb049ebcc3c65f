"""How much the choice of a level raises the excess where there is nothing to be found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.ties import difference
from harness.plugin.values import Floats

# Stands for the level of a draw on which the selector accepted none.
NOT_ACCEPTED = -1


@dataclass(frozen=True)
class SelectionBias:
    """The bias of an image's excess, NaN where it cannot be computed, as with a single draw in all.

    mean: over all draws of the image, which is most precise; single: of its first draw alone. The
    excess less `single` is as often positive as negative if the image is exchangeable with its
    draws. The excess less `mean` need not be, though its expectation is 0: where levels are rarely
    accepted it is mostly a little below 0 and sometimes far above. Tests by ranks and signs need
    the former.
    """

    mean: float
    single: float


def selection_bias(
    modularity: Floats, candidates: Sequence[int], own: Sequence[int]
) -> SelectionBias:
    """Compute the excess of an image's draws, each treated as if it had been observed.

    The excess of a draw is its modularity at the level that the selector chose on it, less the mean
    modularity at that level of the image's other draws, or of all others if the image has no other;
    0 if no level was accepted. If the image is exchangeable with its draws, its own excess has the
    same expectation, whatever the selector. The observed profile is left out of the mean: under
    exchangeability that changes no expectation, and otherwise its structure would raise what the
    draws are compared with.

    Parameters
    ----------
    modularity : ndarray of float, shape (draws, levels)
        Of all draws that the selector got together; NaN where it is undefined.
    candidates : sequence of int
        The index of the level chosen on each draw, NOT_ACCEPTED if none was accepted.
    own : sequence of int
        The indices of the image's own draws.

    Returns
    -------
    SelectionBias
        The mean of the excesses, and the first.

    Examples
    --------
    >>> modularity = np.array([[0.1, 0.5], [0.2, 0.1], [0.3, 0.3]])
    >>> selection_bias(modularity, [1, -1, 0], own=[0, 1, 2])
    SelectionBias(mean=0.15, single=0.3)
    """
    pool = np.array(own if len(own) > 1 else range(len(modularity)), dtype=np.int64)
    found = np.zeros(len(own))
    accepted = [index for index, draw in enumerate(own) if candidates[draw] != NOT_ACCEPTED]
    for index in accepted:
        draw, candidate = own[index], candidates[own[index]]
        others = modularity[pool[pool != draw], candidate]
        found[index] = float(difference(modularity[draw, candidate], _mean(others)))
    return SelectionBias(_mean(found), float(found[0]) if len(found) else float("nan"))


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
