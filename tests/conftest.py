"""Fixtures that several parts of the suite share."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import harness
from harness.engine.runner import execute
from harness.engine.progress import Silence
from harness.registry import load
from harness.settings import Execution, Settings

HOSTILE = Path(__file__).parent / "hostile"


def planted_weights(
    n: int = 40, communities: int = 2, signal: float = 3.0, seed: int = 0
) -> NDArray[np.float64]:
    """Row-softmax attention (n, n) that is stronger inside equal communities."""
    random = np.random.default_rng(seed)
    truth = np.arange(n) % communities
    logits = random.normal(size=(n, n)) + signal * (truth[:, None] == truth[None, :])
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def planted_folder(tmp_path: Path) -> Path:
    """A folder with three planted maps as .npy files."""
    folder = tmp_path / "maps"
    folder.mkdir()
    for seed in range(3):
        np.save(folder / f"planted-{seed}.npy", planted_weights(seed=seed))
    return folder
