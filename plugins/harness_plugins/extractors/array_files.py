"""Arrays in .npy, .npz and .safetensors files: found by their headers, read map by map.

Nothing is unpickled. Of .npy and .safetensors files only the requested map is mapped into memory:
everything that a worker maps counts towards its memory limit. This is why safetensors files are
read here: the library maps the whole file, and reads bfloat16 only with torch.
"""

import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

import harness
from harness_plugins.names import text_of

SUFFIXES = (".npy", ".npz", ".safetensors")
# Archived arrays are read into memory as a whole: 4 GiB is a map of 32,000 nodes.
LARGEST_ARRAY = 1 << 32
# The safetensors format's own limit for a header.
LARGEST_HEADER = 100_000_000
BFLOAT16 = "BF16"
# bfloat16, which NumPy lacks, is the upper half of a 32-bit float.
SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", BFLOAT16: "<u2"}


@dataclass(frozen=True)
class _Header:
    """An array's header: shape, type, order, and the offset at which its numbers begin."""

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    start: int = 0
    fortran: bool = False
    bfloat16: bool = False

    @property
    def size(self) -> int:
        """Size of its numbers in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class FoundArray:
    """An array of matrices (…, n, n) in a file, or the reason why it cannot be read.

    name: the file's name, followed by a colon and the array's name if the file names its arrays;
    member: the array's name in an archive, or None.
    """

    name: str
    file: Path
    reason: str = ""
    header: _Header | None = None
    member: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape; () if it cannot be read."""
        return () if self.header is None else self.header.shape

    def matrix(self, index: tuple[int, ...]) -> NDArray[np.floating[Any]]:
        """The matrix (n, n) at an index into the axes before the last two.

        Half precision and bfloat16 are widened to single.
        """
        if self.header is None:
            raise harness.HarnessError(self.reason)
        try:
            if self.member is None:
                raw = _mapped(self.file, self.header, index)
            else:
                changed = self.file.stat().st_mtime_ns
                raw = _unpacked(self.file, self.member, changed)[index]
        # On damaged files, NumPy and zipfile raise many types (zlib.error, RuntimeError, …).
        except Exception as error:
            raise harness.HarnessError(f"cannot be read: {_one_line(error)}") from error
        if self.header.bfloat16:
            widened: NDArray[np.floating[Any]] = (raw.astype(np.uint32) << 16).view(np.float32)
            return widened
        return raw.astype(np.float32) if raw.dtype.itemsize < 4 else raw


def find_arrays(path: Path) -> list[FoundArray]:
    """Every array of a file, or of a folder's files in the order of their names.

    A file or array that cannot be read is listed with its reason.
    """
    found = Path(os.path.expanduser(path))
    if found.is_dir():
        files = sorted(file for file in found.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise harness.HarnessError(
                f"{path}: contains no array; looked for .npy, .npz and .safetensors"
            )
    elif not found.is_file():
        raise harness.HarnessError(f"{path}: no such file or folder")
    elif found.suffix.lower() not in SUFFIXES:
        raise harness.HarnessError(
            f"{path}: not a .npy, .npz or .safetensors file; save the attention as one of these"
        )
    else:
        files = [found]
    return [array for file in files for array in _arrays_of(file)]


def _arrays_of(file: Path) -> Iterator[FoundArray]:
    stem = text_of(file.stem)
    suffix = file.suffix.lower()
    if not file.is_file():
        yield FoundArray(stem, file, "neither a regular file nor a link to one")
    elif suffix == ".npy":
        yield _in_npy(stem, file)
    elif suffix == ".npz":
        yield from _in_npz(stem, file)
    else:
        yield from _in_safetensors(stem, file)


def _in_npy(stem: str, file: Path) -> FoundArray:
    try:
        with file.open("rb") as content:
            header = _npy_header(content)
        return _checked(FoundArray(stem, file, header=header), file.stat().st_size - header.start)
    except Exception as error:  # damaged headers raise many types, such as TokenError
        return FoundArray(stem, file, f"not an .npy file of numbers: {_one_line(error)}")


def _in_npz(stem: str, file: Path) -> Iterator[FoundArray]:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:
        yield FoundArray(stem + file.suffix, file, f"not an .npz file: {_one_line(error)}")
        return
    with archive:
        if not archive.infolist():
            yield FoundArray(stem + file.suffix, file, "an archive without arrays")
        for member in archive.infolist():
            name = f"{stem}:{member.filename.removesuffix('.npy')}"
            try:
                with archive.open(member) as content:
                    header = _npy_header(content)
                found = FoundArray(name, file, header=header, member=member.filename)
                yield _checked(found, min(member.file_size, LARGEST_ARRAY))
            except Exception as error:
                yield FoundArray(name, file, _one_line(error))


def _in_safetensors(stem: str, file: Path) -> Iterator[FoundArray]:
    try:
        header, start = _safetensors_header(file)
        tensors = {name: each for name, each in header.items() if name != "__metadata__"}
    except Exception as error:
        yield FoundArray(stem + file.suffix, file, f"not a safetensors file: {_one_line(error)}")
        return
    if not tensors:
        yield FoundArray(stem + file.suffix, file, "a file without tensors")
    there = file.stat().st_size - start
    for tensor, described in tensors.items():
        name = f"{stem}:{tensor}"
        try:
            yield _checked(FoundArray(name, file, header=_tensor(described, start, there)), there)
        except Exception as error:
            yield FoundArray(name, file, f"not a tensor of numbers: {_one_line(error)}")


def _safetensors_header(file: Path) -> tuple[Mapping[str, Any], int]:
    """The header of a safetensors file, and the offset at which its tensors begin."""
    # The header's length, then the header: https://github.com/huggingface/safetensors#format.
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
        if length > LARGEST_HEADER:
            raise ValueError("it has no header of safetensors")
        header = json.loads(content.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    return header, 8 + length


def _npy_header(content: IO[bytes]) -> _Header:
    version = numpy_format.read_magic(content)
    read = {
        (1, 0): numpy_format.read_array_header_1_0,
        (2, 0): numpy_format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of the .npy format is not read")
    shape, fortran, dtype = read(content)
    return _Header(shape, dtype, content.tell(), fortran)


def _tensor(described: Mapping[str, Any], start: int, there: int) -> _Header:
    kind, shape = described["dtype"], described["shape"]
    begin, end = described["data_offsets"]
    if not all(type(side) is int for side in (*shape, begin, end)):
        raise ValueError(f"its shape is {shape}")
    if kind not in SAFETENSORS:
        raise ValueError(f"attention weights must be floating point, not {kind}; save as F32")
    dtype = np.dtype(SAFETENSORS[kind])
    header = _Header(tuple(shape), dtype, start + begin, bfloat16=kind == BFLOAT16)
    if not 0 <= begin <= end <= there or header.size != end - begin:
        raise ValueError(f"it claims bytes {begin} to {end} of {there} for {header.size}")
    return header


def _checked(found: FoundArray, there: int) -> FoundArray:
    """The array, or the reason why it is unsuitable; ValueError if the header is wrong."""
    header = found.header
    assert header is not None
    if header.dtype.hasobject:
        raise ValueError("it holds objects, which are not unpickled; save plain numbers")
    if header.dtype.kind != "f" and not header.bfloat16:
        wrong = f"attention weights must be floating point, not {header.dtype}; save as float32"
        return FoundArray(found.name, found.file, wrong)
    if header.size > there:
        raise ValueError(f"it claims {header.size} bytes; only {there} can be read")
    return found


def _mapped(file: Path, header: _Header, index: tuple[int, ...]) -> NDArray[Any]:
    shape, itemsize = header.shape, header.dtype.itemsize
    if header.fortran and index:
        # The numbers of a map are spread over the file.
        whole = np.memmap(file, header.dtype, "r", header.start, shape, "F")
        return np.asarray(whole[index])
    number = int(np.ravel_multi_index(index, shape[:-2])) if index else 0
    start = header.start + number * shape[-1] * shape[-2] * itemsize
    order: Literal["F", "C"] = "F" if header.fortran else "C"
    return np.asarray(np.memmap(file, header.dtype, "r", start, shape[-2:], order))


@lru_cache(maxsize=1)
def _unpacked(file: Path, member: str, changed: int) -> NDArray[Any]:
    """An archive's array, cached for its other maps; `changed` is the file's time."""
    with zipfile.ZipFile(file) as archive, archive.open(member) as content:
        array: NDArray[Any] = numpy_format.read_array(content, allow_pickle=False)
        return array


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or ["damaged"])[0]
