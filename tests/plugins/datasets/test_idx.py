import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import idx

MAGIC = b"\0\0\x08"


def written(array: NDArray[np.uint8]) -> bytes:
    sizes = b"".join(size.to_bytes(4) for size in array.shape)
    return MAGIC + bytes([array.ndim]) + sizes + array.tobytes()


@settings(max_examples=100, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0)))
def test_an_array_of_bytes_is_read_as_it_was_written(array: NDArray[np.uint8]) -> None:
    read = idx.parse(written(array), "file")

    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


def test_bytes_of_the_published_format_are_read() -> None:
    content = bytes.fromhex("00000803 00000001 00000002 00000003 010203040506")

    assert idx.parse(content, "file").tolist() == [[[1, 2, 3], [4, 5, 6]]]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: MAGIC + rest))
@example(MAGIC + b"\x03" + bytes(5))
@example(MAGIC + b"\x64" + bytes(400))
@example(MAGIC + b"\x03" + bytes(4) + b"\xff" * 8)
@example(MAGIC + b"\x00")
def test_any_content_is_read_in_full_or_refused(content: bytes) -> None:
    try:
        array = idx.parse(content, "the file")
    except harness.HarnessError:
        return
    assert written(array) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file: not an IDX file of unsigned bytes"),
        (b"\x89PNG\r\n", "file: not an IDX file of unsigned bytes"),
        (b"\0\0\x0d\x01" + bytes(8), "file: not an IDX file of unsigned bytes"),
        (written(np.zeros((2, 3), np.uint8))[:-1], "states 2 × 3 bytes of data, it holds 5"),
        (written(np.zeros((2, 3), np.uint8)) + b"x", "states 2 × 3 bytes of data, it holds 7"),
        (written(np.zeros((2, 3), np.uint8))[:9], "it holds 0"),
    ],
)
def test_content_that_does_not_fit_its_header_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        idx.parse(content, "file")

    assert message in str(raised.value)


def test_a_file_is_read_plain_or_gzipped(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    (tmp_path / "plain").write_bytes(written(array))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(written(array), mtime=0))

    np.testing.assert_array_equal(idx.read(tmp_path / "plain"), array)
    np.testing.assert_array_equal(idx.read(tmp_path / "packed.gz"), array)


@pytest.mark.parametrize(
    "content",
    [
        b"not gzipped",
        gzip.compress(bytes(1000), mtime=0)[:-12],
        gzip.compress(bytes(1000), mtime=0)[:12] + b"\xff" * 8,
    ],
)
def test_a_broken_archive_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gz"
    path.write_bytes(content)

    with pytest.raises(harness.HarnessError, match=r"broken\.gz: cannot be read"):
        idx.read_bytes(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="nowhere: cannot be read"):
        idx.read(tmp_path / "nowhere")


def test_a_file_that_unpacks_to_more_than_fits_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idx, "LARGEST", 1000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(1001), mtime=0))

    with pytest.raises(harness.HarnessError, match=r"bomb\.gz: larger than"):
        idx.read_bytes(tmp_path / "bomb.gz")
