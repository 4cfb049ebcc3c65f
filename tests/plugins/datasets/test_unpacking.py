import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness_plugins.datasets.catalogue import Archive
from harness_plugins.datasets.unpacking import unpack
from support.site import pack

BOUNDS = Archive("", most_members=10, most_bytes=100_000)


def quiet(_done: int, _of: int) -> None:
    pass


def archive(path: Path, *members: tarfile.TarInfo) -> Path:
    """A gzipped tar file with a good file and then these members, without content."""
    with tarfile.open(path, "w:gz") as tar:
        good = tarfile.TarInfo("good.txt")
        good.size = 4
        tar.addfile(good, io.BytesIO(b"good"))
        for member in members:
            tar.addfile(member)
    return path


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = target
    return made


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_files_and_folders_come_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "set.tgz"
    path.write_bytes(pack({"a/b/one": b"1", "a/two": b"22", "three": b""}))

    places: list[tuple[int, int]] = []
    unpack(path, tmp_path / "out", BOUNDS, lambda *place: places.append(place))

    assert everything(tmp_path / "out") == ["a", "a/b", "a/b/one", "a/two", "three"]
    assert (tmp_path / "out/a/two").read_bytes() == b"22"
    assert places[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("link", tarfile.SYMTYPE, "good.txt"), "link is a symbolic link"),
        (member("link", tarfile.SYMTYPE, "/etc/passwd"), "link is a symbolic link"),
        (member("link", tarfile.LNKTYPE, "good.txt"), "link is a hard link"),
        (member("link", tarfile.LNKTYPE, "../outside"), "link is a hard link"),
        (member("null", tarfile.CHRTYPE), "null is a device"),
        (member("disk", tarfile.BLKTYPE), "disk is a device"),
        (member("pipe", tarfile.FIFOTYPE), "pipe is a pipe"),
        (member("../outside", tarfile.REGTYPE), r"'\.\./outside' would be extracted to"),
        (member("a/../../outside", tarfile.REGTYPE), "outside the destination"),
        (member("../out-side/", tarfile.DIRTYPE), "outside the destination"),
    ],
)
def test_what_is_no_plain_file_inside_is_refused_by_name(
    tmp_path: Path, bad: tarfile.TarInfo, reason: str
) -> None:
    path = archive(tmp_path / "set.tgz", bad)

    with pytest.raises(harness.HarnessError, match=rf"^set\.tgz: .*{reason}"):
        unpack(path, tmp_path / "out", BOUNDS, quiet)

    assert everything(tmp_path) == ["out", "out/good.txt", "set.tgz"]


def test_an_absolute_name_lands_inside(tmp_path: Path) -> None:
    name = str(tmp_path / "outside")

    unpack(
        archive(tmp_path / "set.tgz", member(name, tarfile.REGTYPE)),
        tmp_path / "out", BOUNDS, quiet,
    )  # fmt: skip

    assert not (tmp_path / "outside").exists()
    assert (tmp_path / "out" / name.lstrip("/")).is_file()


def test_a_size_that_is_declared_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    huge = member("huge", tarfile.REGTYPE)
    huge.size = 10**15
    path = tmp_path / "set.tgz"
    path.write_bytes(gzip.compress(huge.tobuf() + bytes(1024)))

    with pytest.raises(harness.HarnessError, match="huge exceeds the limit of 100000 bytes"):
        unpack(path, tmp_path / "out", BOUNDS, quiet)

    assert everything(tmp_path / "out") == []


def test_sizes_count_together(tmp_path: Path) -> None:
    path = tmp_path / "set.tgz"
    path.write_bytes(pack({"one": bytes(60_000), "two": bytes(60_000)}))

    with pytest.raises(harness.HarnessError, match="two exceeds the limit of 100000 bytes"):
        unpack(path, tmp_path / "out", BOUNDS, quiet)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.tgz"
    path.write_bytes(pack({f"{number}": b"" for number in range(11)}))

    with pytest.raises(harness.HarnessError, match="more than 10 members"):
        unpack(path, tmp_path / "out", BOUNDS, quiet)


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 255 for byte in content[middle:])


def replaced(_content: bytes) -> bytes:
    return b"<html>this is no archive</html>"


def zeroed(_content: bytes) -> bytes:
    return gzip.compress(b"no tar file" * 100)


@pytest.mark.parametrize("damage", [truncated, flipped, replaced, zeroed])
def test_a_damaged_archive_costs_one_line(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "set.tgz"
    path.write_bytes(damage(pack({"one": bytes(range(256)) * 100})))

    with pytest.raises(harness.HarnessError, match=r"^set\.tgz: cannot be unpacked: ") as raised:
        unpack(path, tmp_path / "out", BOUNDS, quiet)

    assert "\n" not in str(raised.value)
