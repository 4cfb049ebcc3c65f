import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

import harness
from harness.engine.isolation import address_space


def maps_of(path: Path) -> harness.MapSet:
    made: harness.MapSet = harness.make("extractor", f"arrays[path={path}]")
    return made


def test_archives_and_folders_name_every_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", one=np.ones((2, 2)), two=np.ones((2, 3, 3)))
    np.savez_compressed(tmp_path / "c.npz", one=np.ones((2, 2)))
    np.save(tmp_path / "a.npy", np.ones((2, 2)))

    maps = maps_of(tmp_path)

    assert list(maps.keys()) == ["a", "b:one", "b:two[0]", "b:two[1]", "c:one"]
    assert maps.load("b:two[1]").n == 3


def test_half_precision_is_widened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((2, 2), 0.25, dtype=np.float16))

    assert maps_of(tmp_path).load("a").weights.dtype == np.float32


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
    maps = maps_of(tmp_path)

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
    maps = maps_of(path)

    assert list(maps.keys()) == ["a:bad", "a:good"]
    assert maps.load("a:good").n == 2
    with pytest.raises(harness.HarnessError, match=reason):
        maps.load("a:bad")


def test_a_name_that_is_not_utf_8_is_escaped_so_that_it_can_be_stored(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    os.rename(os.fsencode(tmp_path / "a.npy"), os.fsencode(tmp_path) + b"/caf\xe9.npy")

    assert maps_of(tmp_path).load("caf\\xe9").n == 2


def test_pickles_in_archives_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([[{}]], dtype=object), good=np.ones((2, 2)))

    with pytest.raises(harness.HarnessError, match=r"a:bad: .*unpickled"):
        maps_of(tmp_path).load("a:bad")


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

    maps = maps_of(tmp_path)

    assert maps.load("a:good").n == 2
    with pytest.raises(harness.HarnessError, match="a:bad: "):
        maps.load("a:bad")


def test_a_path_without_arrays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="contains no array"):
        maps_of(tmp_path).keys()
    with pytest.raises(harness.HarnessError, match="no such file or folder"):
        maps_of(tmp_path / "nowhere").keys()


def test_a_file_of_another_kind_is_refused_with_what_would_do(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"PK")

    with pytest.raises(harness.HarnessError, match=r"not a \.npy, \.npz or \.safetensors file"):
        maps_of(tmp_path / "a.pt").keys()


def test_tensors_of_a_safetensors_file_are_read_one_by_one(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).random((2, 1, 2, 4, 4)).astype(np.float32)
    one = np.random.default_rng(1).random((3, 3))
    save_file({"stack": stack, "one": one}, tmp_path / "a.safetensors", {"made by": "a test"})
    maps = maps_of(tmp_path)

    assert sorted(maps.keys())[:2] == ["a:one", "a:stack[0] layer 0 head 0"]
    assert (maps.load("a:one").weights == one).all()
    assert (maps.load("a:stack[1] layer 0 head 1").weights == stack[1, 0, 1]).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_halves_in_safetensors_files_are_widened_as_torch_does(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    weights = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    save_torch_file({"w": weights}, tmp_path / "a.safetensors")

    found = maps_of(tmp_path).load("a:w[2]").weights

    assert found.dtype == np.float32
    assert (found == weights[2].float().numpy()).all()


def safetensors(header: object) -> bytes:
    """A safetensors file with this header and sixteen bytes of data."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(16)


def tensor(**changes: object) -> dict[str, object]:
    described = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **changes}
    return {"w": described}


@pytest.mark.parametrize(
    ("content", "key", "reason"),
    [
        (b"neither", "bad.safetensors", "not a safetensors file"),
        (b"\xff" * 20, "bad.safetensors", "not a safetensors file: it has no header"),
        (
            safetensors([1]),
            "bad.safetensors",
            "not a safetensors file: its header is not an object",
        ),
        (safetensors({"__metadata__": {}}), "bad.safetensors", "a file without tensors"),
        (safetensors({"w": 1}), "bad:w", "not a tensor of numbers"),
        (safetensors(tensor(dtype="I32")), "bad:w", "floating point, not I32; save as F32"),
        (safetensors(tensor(shape=[2, 2.0])), "bad:w", r"its shape is \[2, 2.0\]"),
        (safetensors(tensor(shape=[2, 3])), "bad:w", "it claims bytes 0 to 16 of 16 for 24"),
        (safetensors(tensor(data_offsets=[16, 32])), "bad:w", "it claims bytes 16 to 32 of 16"),
        (safetensors(tensor(data_offsets=[-16, 0])), "bad:w", "it claims bytes -16 to 0 of 16"),
        (safetensors(tensor(data_offsets=[0])), "bad:w", "not enough values"),
    ],
)
def test_a_damaged_safetensors_file_costs_itself_only(
    tmp_path: Path, content: bytes, key: str, reason: str
) -> None:
    (tmp_path / "bad.safetensors").write_bytes(content)
    np.save(tmp_path / "good.npy", np.ones((2, 2)))
    maps = maps_of(tmp_path)

    assert list(maps.keys()) == [key, "good"]
    with pytest.raises(harness.HarnessError, match=f"^{key}: .*{reason}|^{key}: {reason}"):
        maps.load(key)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2"])
@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_every_order_and_type_of_numbers_reads_as_numpy_does(
    tmp_path: Path,
    dtype: str,
    order: Callable[..., "np.ndarray[tuple[int, ...], np.dtype[np.floating]]"],
) -> None:
    stack = order(np.random.default_rng(0).random((2, 2, 3, 3)), dtype=dtype)
    np.save(tmp_path / "a.npy", stack)
    maps = harness.make("extractor", f"arrays[path={tmp_path}/a.npy,axes=[images,heads]]")

    assert (maps.load("a[1] head 0").weights == stack[1, 0]).all()


def test_a_single_matrix_in_fortran_order_is_not_transposed(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random((4, 4))
    np.save(tmp_path / "a.npy", np.asfortranarray(weights))

    assert (maps_of(tmp_path).load("a").weights == weights).all()


def test_only_the_map_asked_for_is_mapped_however_large_the_file(tmp_path: Path) -> None:
    shape = (10, 12, 12, 1000, 1000)
    with (tmp_path / "a.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 4 * int(np.prod(shape, dtype=np.int64)))
    maps = maps_of(tmp_path)
    before = address_space()

    kept = maps.load("a[9] layer 11 head 11")

    assert kept.n == 1000
    assert address_space() - before < 1 << 28


def test_an_npy_file_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((5, 3, 3)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-1])

    with pytest.raises(harness.HarnessError, match=r"a: .* claims 360 bytes; only 359 can be read"):
        maps_of(tmp_path).keys()
