"""Unpacks archives within bounds: files and folders only, none outside the target."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from harness import HarnessError
from harness_plugins.datasets.catalogue import Archive
from harness_plugins.datasets.download import Report

KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


def unpack(path: Path, folder: Path, archive: Archive, report: Report) -> None:
    """Unpack a gzipped tar file into a new folder, with the standard library's data filter.

    Raises HarnessError, naming the member, at the first member that is a link or a device, that
    would lie outside the folder, or that exceeds the bounds of `archive`; and if the file is
    damaged. Members unpacked before stay.
    """
    if not hasattr(tarfile, "data_filter"):
        raise HarnessError("unpacking archives needs Python 3.11.4 or newer")
    folder.mkdir()
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:gz") as tar:
            for member in _within(tar, archive, path.name):
                tar.extract(member, folder, filter="data")
                report(file.tell(), path.stat().st_size)
    except tarfile.FilterError as error:
        raise HarnessError(f"{path.name}: {error}; it was not unpacked") from error
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise HarnessError(f"{path.name}: cannot be unpacked: {error}") from error


def _within(tar: tarfile.TarFile, archive: Archive, name: str) -> Iterator[tarfile.TarInfo]:
    """The members, checked one by one."""
    unpacked = 0
    for number, member in enumerate(tar, 1):
        if number > archive.most_members:
            raise HarnessError(f"{name}: more than {archive.most_members} members")
        if not (member.isfile() or member.isdir()):
            kind = KINDS.get(member.type, "neither a file nor a folder")
            raise HarnessError(
                f"{name}: {member.name} is {kind}; only files and folders are unpacked"
            )
        unpacked += member.size
        if unpacked > archive.most_bytes:
            raise HarnessError(
                f"{name}: {member.name} exceeds the limit of {archive.most_bytes} bytes unpacked"
            )
        yield member
