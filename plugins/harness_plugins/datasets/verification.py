"""Checks part by part whether a folder holds an image set as published."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from harness import HarnessError
from harness.command import SILENT, Progress
from harness_plugins.datasets import (
    cifar10,
    cinic10,
    class_folders,
    fashion_mnist,
    idx,
    pictures,
    tf_flowers,
)

# A part of a set, and its problem: "" if the part is as published.
Verdict = tuple[str, str]


def verify(name: str, folder: Path, progress: Progress = SILENT) -> Iterator[Verdict]:
    """A verdict on each file, or on each class and each broken picture, of a set's folder."""
    if name not in CHECKS:
        raise HarnessError(f"{name} cannot be verified; {', '.join(CHECKS)} can")
    return CHECKS[name](folder, progress)


def _fashion_mnist(folder: Path, progress: Progress) -> Iterator[Verdict]:
    for name, expected in progress.track("checking files", fashion_mnist.PUBLISHED.items()):
        problem = "missing"
        with suppress(HarnessError):
            path = fashion_mnist.locate(folder, name)
            problem = _checksum_problem(path, expected)
        yield name, problem


def _checksum_problem(path: Path, expected: str) -> str:
    try:
        found = hashlib.sha256(idx.read_bytes(path)).hexdigest()
    except HarnessError as error:
        return f"wrong: {error}"
    return "" if found == expected else f"wrong: found SHA-256 {found}, expected {expected}"


def _cifar10(folder: Path, progress: Progress) -> Iterator[Verdict]:
    for half, names in cifar10.FILES.items():
        counts = np.zeros(len(cifar10.CLASSES), dtype=np.int64)
        for name in progress.track("checking files", names):
            try:
                labels = cifar10.read(folder / name)[:, 0]
            except HarnessError as error:
                yield name, f"wrong: {error}" if (folder / name).exists() else "missing"
            else:
                counts += np.bincount(labels, minlength=len(counts))
                yield name, ""
        expected = cifar10.RECORDS * len(names) // len(cifar10.CLASSES)
        if counts.sum() == expected * len(counts) and (counts != expected).any():
            found = ", ".join(map(str, counts.tolist()))
            yield half, f"wrong: the classes have {found} images, expected {expected} each"


def _cinic10(folder: Path, progress: Progress) -> Iterator[Verdict]:
    expected = dict.fromkeys(cinic10.CLASSES, cinic10.PER_CLASS)
    for part in cinic10.FOLDERS.values():
        yield from _class_folders(folder / part, expected, f"{part}/", progress)


def _tf_flowers(folder: Path, progress: Progress) -> Iterator[Verdict]:
    counts = dict(zip(tf_flowers.CLASSES, tf_flowers.COUNTS, strict=True))
    return _class_folders(folder, counts, "", progress)


def _class_folders(
    folder: Path, expected: Mapping[str, int], prefix: str, progress: Progress
) -> Iterator[Verdict]:
    classes = tuple(expected)
    try:
        found = class_folders.find(folder, classes)
    except HarnessError as error:
        yield prefix.rstrip("/") or folder.name, f"wrong: {error}"
        return
    progress.begin(f"reading pictures of {folder.name}", len(found))
    for label, (name, count) in enumerate(expected.items()):
        of_class = {key: path for key, (path, of) in found.items() if of == label}
        broken = 0
        for key, path in of_class.items():
            try:
                pictures.read(path, key, folder)
            except HarnessError as error:
                broken += 1
                yield f"{prefix}{key}", f"wrong: {str(error).removeprefix(f'{key}: ')}"
            progress.advance()
        problem = ""
        if len(of_class) != count:
            problem = f"wrong: {len(of_class)} pictures, expected {count}"
        elif broken:
            problem = f"wrong: {broken} of {count} pictures cannot be read"
        yield f"{prefix}{name}", problem


CHECKS: Mapping[str, Callable[[Path, Progress], Iterator[Verdict]]] = {
    "fashion-mnist": _fashion_mnist,
    "cifar10": _cifar10,
    "cinic10": _cinic10,
    "tf-flowers": _tf_flowers,
}
