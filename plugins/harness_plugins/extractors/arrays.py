"""Attention maps that somebody has already, in NumPy's files."""

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

import harness

SUFFIXES = (".npy", ".npz")
# Archived arrays are read into memory whole: 4 GiB is a map of 32,000 nodes.
LARGEST_ARRAY = 1 << 32


@dataclass(frozen=True)
class _Place:
    """Where a map is: the file, the array in it (None in an .npy), the index along its maps.

    `reason` says why the file or array cannot be read, if so.
    """

    file: Path
    member: str | None = None
    index: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Arrays(harness.MapSet):
    """Attention maps from .npy and .npz files of shape (n, n) or (maps, n, n).

    Row i is what node i attends to. Weights are floating point, finite and not negative; rows
    need not sum to one and are taken as they are. Half precision is widened to single.

    path: a file, or a folder with files.
    grid: rows and columns of patches, where the nodes are patches of an image.
    """

    name: ClassVar[str] = "arrays"
    path: Path
    grid: tuple[int, int] | None = None

    def keys(self) -> Sequence[str]:
        """The file's name, with the array's name after a colon and the map's number in brackets."""
        return list(self._places)

    def load(self, key: str) -> harness.AttentionMap:
        """One map, under its key as the image's name."""
        place = self._places.get(key)
        if place is None:
            raise harness.HarnessError(f"{self.path}: there is no map {key!r}")
        if place.reason:
            raise harness.HarnessError(f"{key}: {place.reason}")
        try:
            array = _read(place)
            weights = array if place.index is None else array[place.index]
            if weights.dtype == np.float16:
                weights = weights.astype(np.float32)
            return harness.AttentionMap(weights, image=key, grid=self.grid)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise harness.HarnessError(f"{key}: {error}") from error

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        path = self.path.expanduser()
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        elif path.is_file():
            files = [path]
        else:
            raise harness.HarnessError(f"{self.path}: no such file or folder")
        places = {key: place for file in files for key, place in _places_in(file)}
        if not places:
            raise harness.HarnessError(f"{self.path}: no array is there; looked for .npy and .npz")
        return places


def _places_in(file: Path) -> Iterator[tuple[str, _Place]]:
    """Every map of a file, known from headers alone."""
    if file.suffix.lower() == ".npz":
        yield from _places_in_archive(file)
        return
    try:
        # Object arrays are refused here: they would have to be unpickled.
        shape = np.load(file, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError, EOFError) as error:
        yield file.stem, _Place(file, reason=f"not an .npy file of numbers: {error}")
    else:
        yield from _places_of(file.stem, file, None, shape)


def _places_in_archive(file: Path) -> Iterator[tuple[str, _Place]]:
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        yield file.stem, _Place(file, reason=f"not an .npz file: {error}")
        return
    with archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            key = f"{file.stem}:{name}"
            try:
                shape = _shape_of(archive, member)
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                yield key, _Place(file, name, reason=str(error))
            else:
                yield from _places_of(key, file, name, shape)


def _shape_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, ...]:
    """An archived array's shape; refused is one that claims more than there is or can be."""
    with archive.open(member) as content:
        version = numpy_format.read_magic(content)
        read = {
            (1, 0): numpy_format.read_array_header_1_0,
            (2, 0): numpy_format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f"version {version} of the .npy format is not read")
        shape, _, dtype = read(content)
    size = math.prod(shape) * dtype.itemsize
    if size > min(member.file_size, LARGEST_ARRAY):
        raise ValueError(
            f"it claims {size} bytes; {member.file_size} are there, and {LARGEST_ARRAY} are read"
        )
    return shape


def _places_of(
    key: str, file: Path, member: str | None, shape: tuple[int, ...]
) -> Iterator[tuple[str, _Place]]:
    if len(shape) == 2 and shape[0] == shape[1]:
        yield key, _Place(file, member)
    elif len(shape) == 3 and shape[1] == shape[2] and shape[0]:
        for index in range(shape[0]):
            yield f"{key}[{index}]", _Place(file, member, index)
    else:
        reason = f"its shape is {shape}, neither (n, n) nor (maps, n, n)"
        yield key, _Place(file, member, reason=reason)


def _read(place: _Place) -> NDArray[Any]:
    if place.member is None:
        mapped: NDArray[Any] = np.load(place.file, mmap_mode="r", allow_pickle=False)
        return mapped
    with np.load(place.file, allow_pickle=False) as archive:
        array: NDArray[Any] = archive[place.member]
        return array


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    """The map set of this module."""
    return [Arrays]
