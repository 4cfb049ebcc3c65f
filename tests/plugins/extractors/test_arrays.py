import io
import zipfile
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


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("neither")

    with pytest.raises(harness.HarnessError, match="a: not an"):
        arrays(tmp_path).load("a")


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
