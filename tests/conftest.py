"""Fixtures that several parts of the suite share."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Finished = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def hostile() -> Path:
    """A plugin file with clusterers that break the rules."""
    return Path(__file__).parent / "hostile" / "misbehaving.py"


def planted_weights(seed: int, n: int = 40, signal: float = 3.0) -> NDArray[np.float64]:
    """Row-softmax attention (n, n), stronger between nodes of the same parity."""
    random = np.random.default_rng(seed)
    parity = np.arange(n) % 2
    logits = random.normal(size=(n, n)) + signal * (parity[:, None] == parity[None, :])
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with three planted maps of two communities as .npy files."""
    folder = tmp_path / "maps"
    folder.mkdir()
    for seed in range(3):
        np.save(folder / f"planted-{seed}.npy", planted_weights(seed))
    return folder


@pytest.fixture
def harness_command(tmp_path: Path) -> Callable[..., Finished]:
    """Runs `harness` as a user does, in a folder of its own."""

    def command(*arguments: object, timeout: float = 120) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "harness.cli.main", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=tmp_path,
            check=False,
        )

    return command
