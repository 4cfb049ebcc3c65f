"""Maps as files: maps/<digest>.npy in the run's folder, memory-mapped by every cell."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from harness.errors import HarnessError, RunStoppedError
from harness.plugin.patches import checked_region
from harness.plugin.values import AttentionMap, digest_of
from harness.store.records import MapRecord
from harness.store.schema import LARGEST_MAP, PARTIAL


def save_map(attention: AttentionMap, folder: Path) -> dict[str, Any]:
    """Write a map's weights to maps/<digest>.npy, whole or not at all; returns where and what.

    Raises RunStoppedError if the disk is full or the folder is gone, which is not the map's fault.
    """
    if attention.n > LARGEST_MAP:
        raise HarnessError(f"a map of {attention.n} nodes; the store takes {LARGEST_MAP}")
    if not is_intact(folder, attention.digest):
        try:
            _write(attention, folder)
        except OSError as error:
            raise RunStoppedError(f"{folder}: a map cannot be written: {error.strerror}") from error
    grid = None if attention.grid is None else list(attention.grid)
    return {
        "digest": attention.digest,
        "nodes": attention.n,
        "grid": grid,
        "region": attention.region,
    }


def _write(attention: AttentionMap, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # A name of its own: hosts may come upon the same map at once.
    with NamedTemporaryFile(dir=folder, suffix=PARTIAL, delete=False) as file:
        try:
            np.save(file, attention.weights, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(folder / f"{attention.digest}.npy")


def is_intact(folder: Path, digest: str) -> bool:
    """Whether a map's file is there and holds what it should."""
    try:
        weights = np.load(folder / f"{digest}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return digest_of(weights) == digest


def load_map(
    folder: Path,
    digest: str,
    grid: Sequence[int] | None,
    region: Sequence[float] | None,
    **place: Any,
) -> AttentionMap:
    """A map whose weights `save_map` wrote, memory-mapped; grid and region as they were answered.

    Raises RunStoppedError if its file is gone or damaged, for which nothing that needs it is to
    blame.
    """
    try:
        weights = np.load(folder / f"{digest}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunStoppedError(
            f"{folder}: the map {digest[:8]} is gone or damaged; the same command extracts it again"
        ) from error
    return AttentionMap(
        weights,
        grid=None if grid is None else (grid[0], grid[1]),
        region=None if region is None else checked_region(region),
        **place,
    )


def map_record(key: str, answer: Mapping[str, Any]) -> MapRecord:
    """The record of a map from what `save_map` returned."""
    rows_columns = answer["grid"]
    grid = None if rows_columns is None else (rows_columns[0], rows_columns[1])
    truth = answer.get("truth")
    communities = None if truth is None else tuple(truth)
    told = answer["region"]
    region = None if told is None else checked_region(told)
    return MapRecord(key, answer["digest"], answer["nodes"], grid, communities, region)
