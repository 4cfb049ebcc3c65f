"""Attention maps that somebody has already, in NumPy's files."""

import math
import os
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
    need not sum to one and are taken as they are. Half precision is widened to single. Large
    stacks belong in .npy files: an archive is unpacked anew for each of its maps, and an array of
    more than 4 GiB in it is refused.

    path: a file, or a folder with files.
    grid: rows and columns of patches, where the nodes are patches of an image.
    """

    name: ClassVar[str] = "arrays"
    path: Path
    grid: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.grid is not None and min(self.grid) < 1:
            raise harness.HarnessError(
                f"arrays: grid must be of at least 1×1 patches, not {self.grid[0]}×{self.grid[1]}"
            )

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
        except Exception as error:  # as in _places_in
            raise harness.HarnessError(f"{key}: cannot be read: {_one_line(error)}") from error
        weights = array if place.index is None else array[place.index]
        if weights.dtype == np.float16:
            weights = weights.astype(np.float32)
        try:
            return harness.AttentionMap(weights, image=key, grid=self.grid)
        except ValueError as error:
            raise harness.HarnessError(f"{key}: {error}") from error

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        path = Path(os.path.expanduser(self.path))
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        elif path.is_file():
            files = [path]
        else:
            raise harness.HarnessError(f"{self.path}: no such file or folder")
        places: dict[str, _Place] = {}
        for file in files:
            for key, place in _places_in(file):
                if key in places:
                    raise harness.HarnessError(
                        f"{self.path}: two maps would be called {key}, "
                        f"in {places[key].file.name} and in {file.name}; rename one"
                    )
                places[key] = place
        if not places:
            raise harness.HarnessError(f"{self.path}: no array is there; looked for .npy and .npz")
        return places


def _places_in(file: Path) -> Iterator[tuple[str, _Place]]:
    """Every map of a file, known from headers alone.

    On damaged files NumPy and zipfile raise nearly anything (TokenError, zlib.error,
    RuntimeError, …); whatever it is, it costs that file or array only.
    """
    # Names of bytes that are not UTF-8 could be neither stored nor printed.
    stem = os.fsencode(file.stem).decode("utf-8", "backslashreplace")
    if not file.is_file():
        yield stem, _Place(file, reason="neither a regular file nor a link to one")
    elif file.suffix.lower() == ".npz":
        yield from _places_in_archive(stem, file)
    else:
        try:
            # Object arrays are refused here: they would have to be unpickled.
            shape = numpy_format.open_memmap(file, mode="r").shape
        except Exception as error:
            yield stem, _Place(file, reason=f"not an .npy file of numbers: {_one_line(error)}")
        else:
            yield from _places_of(stem, file, None, shape)


def _places_in_archive(stem: str, file: Path) -> Iterator[tuple[str, _Place]]:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:
        yield stem + file.suffix, _Place(file, reason=f"not an .npz file: {_one_line(error)}")
        return
    with archive:
        if not archive.infolist():
            yield stem + file.suffix, _Place(file, reason="an archive without arrays")
        for member in archive.infolist():
            key = f"{stem}:{member.filename.removesuffix('.npy')}"
            try:
                shape = _shape_of(archive, member)
            except Exception as error:
                yield key, _Place(file, member.filename, reason=_one_line(error))
            else:
                yield from _places_of(key, file, member.filename, shape)


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
    if len(shape) not in (2, 3) or shape[-1] != shape[-2] or min(shape) < 1:
        reason = f"its shape is {shape}, neither (n, n) nor (maps, n, n)"
        yield key, _Place(file, member, reason=reason)
    elif len(shape) == 2:
        yield key, _Place(file, member)
    else:
        for index in range(shape[0]):
            yield f"{key}[{index}]", _Place(file, member, index)


def _read(place: _Place) -> NDArray[Any]:
    if place.member is None:
        return numpy_format.open_memmap(place.file, mode="r")
    with zipfile.ZipFile(place.file) as archive, archive.open(place.member) as content:
        array: NDArray[Any] = numpy_format.read_array(content, allow_pickle=False)
        return array


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or ["damaged"])[0]


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    """The map set of this module."""
    return [Arrays]
