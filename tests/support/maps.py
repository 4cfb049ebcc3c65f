"""Attention maps whose communities are known."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def planted_weights(seed: int, n: int = 40, signal: float = 3.0) -> NDArray[np.float64]:
    """Row-softmax attention (n, n), stronger between nodes of the same parity."""
    random = np.random.default_rng(seed)
    parity = np.arange(n) % 2
    logits = random.normal(size=(n, n)) + signal * (parity[:, None] == parity[None, :])
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def write_planted(folder: Path) -> Path:
    """Write three planted maps of two communities as .npy files."""
    folder.mkdir()
    for seed in range(3):
        np.save(folder / f"planted-{seed}.npy", planted_weights(seed))
    return folder
