"""Arrays and tensors of any library as arrays of numpy; none of the libraries is imported."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_array(value: Any) -> bool:
    """Whether a value is an array or a tensor, of numpy or of another library."""
    return hasattr(value, "__array__") and hasattr(value, "shape")


def array_of(value: Any) -> NDArray[Any]:
    """The numbers of an array or a tensor, from any device and without gradients.

    Half precision and bfloat16 are widened to single.
    """
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu()
        # numpy has no bfloat16.
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError("a masked array would lose its mask; array.filled(0) has none")
    array = np.asarray(value)
    is_short = array.dtype == np.float16 or array.dtype.name == "bfloat16"
    return array.astype(np.float32) if is_short else array
