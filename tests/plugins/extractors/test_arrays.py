import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import harness


def arrays(path: Path, more: str = "") -> harness.MapSet:
    made: harness.MapSet = harness.make("extractor", f"arrays[path={path}{more}]")
    return made


def test_one_matrix_is_one_map(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random((5, 5))
    np.save(tmp_path / "a.npy", weights)

    maps = arrays(tmp_path / "a.npy")

    assert list(maps.keys()) == ["a"]
    assert (maps.load("a").weights == weights).all()
    assert maps.load("a").image == "a"
    assert maps.load("a").grid is None


def test_a_stack_is_a_map_each(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random((3, 4, 4)).astype(np.float32)
    np.save(tmp_path / "a.npy", weights)

    maps = arrays(tmp_path / "a.npy")

    assert list(maps.keys()) == ["a[0]", "a[1]", "a[2]"]
    assert (maps.load("a[2]").weights == weights[2]).all()
    assert maps.load("a[2]").weights.dtype == np.float32


def test_archives_and_folders_name_every_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", one=np.ones((2, 2)), two=np.ones((2, 3, 3)))
    np.savez_compressed(tmp_path / "c.npz", one=np.ones((2, 2)))
    np.save(tmp_path / "a.npy", np.ones((2, 2)))

    maps = arrays(tmp_path)

    assert list(maps.keys()) == ["a", "b:one", "b:two[0]", "b:two[1]", "c:one"]
    assert maps.load("b:two[1]").n == 3


def test_half_precision_is_widened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((2, 2), 0.25, dtype=np.float16))

    assert arrays(tmp_path).load("a").weights.dtype == np.float32


def test_a_grid_is_taken_from_the_user_and_checked(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((6, 6)))

    assert arrays(tmp_path, ",grid=[2,3]").load("a").grid == (2, 3)
    with pytest.raises(harness.HarnessError, match="a: a grid of 2×2 does not hold 6 nodes"):
        arrays(tmp_path, ",grid=[2,2]").load("a")
    with pytest.raises(harness.HarnessError, match="at least 1×1 patches, not -2×-3"):
        arrays(tmp_path, ",grid=[-2,-3]")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[0.0, np.nan], [0.0, 0.0]]), r"a: .*\[0, 1\] is nan"),
        (np.array([[0.0, 0.0], [-1.0, 0.0]]), r"a: .*\[1, 0\] is -1"),
        (np.ones((2, 2), dtype=int), "a: attention weights must be floating point"),
        (np.ones((2, 3)), r"a: its shape is \(2, 3\)"),
        (np.ones(4), r"a: its shape is \(4,\)"),
        (np.ones((1, 1, 2, 2)), r"a: its shape is \(1, 1, 2, 2\)"),
        (np.array([[{}]], dtype=object), "a: not an .npy file of numbers"),
    ],
)
def test_what_is_no_attention_is_listed_and_refused_by_name(
    tmp_path: Path, array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", reason: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    maps = arrays(tmp_path)

    assert list(maps.keys()) == ["a"]
    with pytest.raises(harness.HarnessError, match=reason):
        maps.load("a")


def test_one_bad_map_in_a_stack_costs_itself_only(tmp_path: Path) -> None:
    weights = np.ones((2, 3, 3))
    weights[1, 0, 0] = np.inf
    np.save(tmp_path / "a.npy", weights)

    assert arrays(tmp_path).load("a[0]").n == 3
    with pytest.raises(harness.HarnessError, match=r"a\[1\]: .*\[0, 0\] is inf"):
        arrays(tmp_path).load("a[1]")


def npy(header: bytes) -> bytes:
    """An .npy file with this header and no data."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def text(path: Path) -> None:
    path.write_text("neither")


def archive_by_another_name(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, one=np.ones((2, 2)))


def unfinished_header(path: Path) -> None:
    path.write_bytes(npy(b"{'descr': ((("))


def countless_empty_maps(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 0, 0)}"
    path.write_bytes(npy(header))


def empty_archive(path: Path) -> None:
    zipfile.ZipFile(path, "w").close()


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (text, "bad.npy", "bad: not an .npy file of numbers"),
        (text, "bad.npz", "bad.npz: not an .npz file"),
        (archive_by_another_name, "bad.npy", "bad: not an .npy file of numbers"),
        (unfinished_header, "bad.npy", "bad: not an .npy file of numbers"),
        (countless_empty_maps, "bad.npy", r"bad: its shape is \(1000000000000, 0, 0\)"),
        (empty_archive, "bad.npz", "bad.npz: an archive without arrays"),
        (os.mkfifo, "bad.npy", "bad: neither a regular file nor a link to one"),
        (Path.mkdir, "bad.npz", "bad: neither a regular file nor a link to one"),
    ],
)
def test_a_file_of_something_else_costs_itself_only(
    tmp_path: Path, make: Callable[[Path], None], name: str, reason: str
) -> None:
    make(tmp_path / name)
    np.save(tmp_path / "good.npy", np.ones((2, 2)))
    maps = arrays(tmp_path)

    bad, good = maps.keys()

    assert maps.load(good).n == 2
    with pytest.raises(harness.HarnessError, match=reason):
        maps.load(bad)


def spoiled_data(archive: bytearray) -> None:
    archive[40:60] = b"\xff" * 20


def encrypted(archive: bytearray) -> None:
    archive[6] |= 1
    archive[archive.index(b"PK\x01\x02") + 8] |= 1


def unknown_compression(archive: bytearray) -> None:
    archive[8] = archive[archive.index(b"PK\x01\x02") + 10] = 97


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (spoiled_data, "a:bad: .*decompressing"),
        (encrypted, "a:bad: .*encrypted"),
        (unknown_compression, "a:bad: .*compression method"),
    ],
)
def test_a_damaged_array_in_an_archive_costs_itself_only(
    tmp_path: Path, damage: Callable[[bytearray], None], reason: str
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, bad=np.eye(9), good=np.ones((2, 2)))
    archive = bytearray(path.read_bytes())
    damage(archive)
    path.write_bytes(archive)
    maps = arrays(path)

    assert list(maps.keys()) == ["a:bad", "a:good"]
    assert maps.load("a:good").n == 2
    with pytest.raises(harness.HarnessError, match=reason):
        maps.load("a:bad")


def test_two_maps_of_one_name_are_refused_rather_than_one_of_them_lost(tmp_path: Path) -> None:
    for name in ("a.npy", "a.NPY"):
        with (tmp_path / name).open("wb") as file:
            np.save(file, np.ones((2, 2)))

    with pytest.raises(harness.HarnessError, match=r"called a, in a\.NPY and in a\.npy"):
        arrays(tmp_path).keys()


def test_a_name_that_is_not_utf_8_is_spelled_so_that_it_can_be_stored(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    os.rename(os.fsencode(tmp_path / "a.npy"), os.fsencode(tmp_path) + b"/caf\xe9.npy")

    assert arrays(tmp_path).load("caf\\xe9").n == 2


def test_pickles_in_archives_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([[{}]], dtype=object))

    with pytest.raises(harness.HarnessError, match=r"a:bad: .*allow_pickle"):
        arrays(tmp_path).load("a:bad")


@pytest.mark.parametrize("side", [3, 100_000])
def test_an_archived_array_that_claims_more_than_it_holds_is_refused(
    tmp_path: Path, side: int
) -> None:
    header = io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (side, side)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("bad.npy", header.getvalue())
        good = io.BytesIO()
        np.save(good, np.ones((2, 2)))
        archive.writestr("good.npy", good.getvalue())

    maps = arrays(tmp_path)

    assert maps.load("a:good").n == 2
    with pytest.raises(harness.HarnessError, match="a:bad: "):
        maps.load("a:bad")


def test_a_path_without_arrays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="no array is there"):
        arrays(tmp_path).keys()
    with pytest.raises(harness.HarnessError, match="no such file or folder"):
        arrays(tmp_path / "nowhere").keys()
