"""Weights of maps as files: maps/<digest>.npy in the run's folder, memory-mapped when read."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from harness.errors import HarnessError, RunStoppedError
from harness.planning.survey import MapRecord
from harness.plugin.values import AttentionMap, digest_of
from harness.store.schema import LARGEST_MAP, PARTIAL


def save_map(attention: AttentionMap, folder: Path) -> MapRecord:
    """Write a map's weights to <digest>.npy atomically; returns its record, without key and truth.

    Raises RunStoppedError if the disk is full or the folder is gone: other maps would fail too.
    """
    if attention.n > LARGEST_MAP:
        raise HarnessError(f"a map of {attention.n} nodes; the store takes {LARGEST_MAP}")
    if not is_intact(folder, attention.digest):
        try:
            _write(attention, folder)
        except OSError as error:
            raise RunStoppedError(f"{folder}: a map cannot be written: {error.strerror}") from error
    return MapRecord("", attention.digest, attention.n, attention.grid, region=attention.region)


def _write(attention: AttentionMap, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # A unique name: several workers may write the same map at once.
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
    """Whether the file of a map exists and its content has the digest."""
    try:
        weights = np.load(folder / f"{digest}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return digest_of(weights) == digest


def take_over_map(source: Path, folder: Path, digest: str) -> bool:
    """Get the intact file of a map from another run's folder of maps; returns whether it is there.

    It is linked where the file system can, as files of maps never change, and copied elsewhere.
    """
    if is_intact(folder, digest):
        return True
    if not is_intact(source, digest):
        return False
    name = f"{digest}.npy"
    # Links need a new name, unlike NamedTemporaryFile's.
    partial = folder / f"{digest}-{os.getpid()}{PARTIAL}"
    try:
        partial.unlink(missing_ok=True)
        original = os.path.realpath(source / name)
        try:
            os.link(original, partial)
        except OSError:
            _copy(original, partial)
        partial.replace(folder / name)
    except OSError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def _copy(original: str, copy: Path) -> None:
    with open(original, "rb") as read, copy.open("xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())


def lost_map(folder: Path, digest: str) -> RunStoppedError:
    """What stops a run that finds no intact file of a map which it has saved."""
    return RunStoppedError(
        f"{folder}: the map {digest[:8]} is gone or damaged; the same command extracts it again"
    )


def load_map(folder: Path, record: MapRecord, **identity: Any) -> AttentionMap:
    """The map of a record, its weights memory-mapped; identity: further fields of AttentionMap.

    Raises RunStoppedError if the file is missing or damaged, which is no fault of a component.
    """
    digest = record.digest
    try:
        weights = np.load(folder / f"{digest}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise lost_map(folder, digest) from error
    return AttentionMap(weights, grid=record.grid, region=record.region, **identity)
