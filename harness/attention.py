"""Attention of torch modules: a package brings the code, since the core imports no torch."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError, reason_of
from harness.plugin.arguments import checked
from harness.plugin.installed import entry_points

# Entry points of functions of the Python interface that plugins bring.
GROUP = "harness.functions"


@checked
def attention_of(
    model: Any,
    images: Any,
    layers: Literal["all"] | Sequence[int] = "all",
    heads: Literal["all"] | Sequence[int] = "all",
) -> NDArray[np.float32]:
    """Return the attention of a torch module for images.

    Attention is read from modules that return it, from `torch.nn.MultiheadAttention`, and from the
    functions `scaled_dot_product_attention` and `softmax`. Attention whose numbers of queries and
    keys differ, as in cross attention, is omitted. Each attention is a layer, in the order in which
    the model computes them. The model runs twice, in evaluation mode and without gradients; then
    its modes are restored.

    Parameters
    ----------
    model : torch.nn.Module
        On any device.
    images : torch.Tensor, mapping or tuple
        What the model's `forward` takes, on the model's device: one argument, such as a tensor
        (images, channels, height, width), or a mapping of keywords, or a tuple of arguments.
    layers, heads : "all" or numbers, default "all"
        Numbers count from 0, negative ones from the end.

    Returns
    -------
    numpy.ndarray
        Weights (images, layers, heads, tokens, tokens) of 32-bit floats, before any dropout; each
        row sums to one.

    Raises
    ------
    HarnessError
        If the model does not take the images, if no attention can be read, if there is no such
        layer or head, or if the layers differ in their number of tokens or heads.

    Examples
    --------
    >>> import harness
    >>> import torch
    >>> layer = torch.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
    >>> model = torch.nn.TransformerEncoder(layer, num_layers=3)
    >>> harness.attention_of(model, torch.ones(4, 5, 8), layers=[0, -1]).shape
    (4, 2, 2, 5, 5)
    """
    for entry_point, source in entry_points(GROUP):
        if entry_point.name == attention_of.__name__:
            try:
                function = entry_point.load()
            except Exception as error:  # torch may be missing, or damaged
                raise HarnessError(f"attention_of ({source}): {reason_of(error)}") from error
            found: NDArray[np.float32] = function(model, images, layers, heads)
            return found
    raise HarnessError("attention_of: no installed package has it; install attention-harness anew")
