import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from harness.errors import RunStoppedError
from harness.planning.survey import MapRecord
from harness.plugin.values import AttentionMap
from harness.store.maps import is_intact, load_map, save_map, take_over_map

WEIGHTS = np.random.default_rng(0).random((6, 6))


@pytest.mark.parametrize("region", [None, (0.5, 0.0, 20.0, 30.0)])
def test_a_saved_map_is_loaded_from_its_message(
    tmp_path: Path, region: tuple[float, float, float, float] | None
) -> None:
    saved = save_map(AttentionMap(WEIGHTS, grid=(2, 3), region=region), tmp_path)
    message = json.loads(json.dumps(saved.to_message()))

    found = load_map(tmp_path, MapRecord.from_message("", message), image="a")

    assert np.array_equal(found.weights, WEIGHTS)
    assert (found.grid, found.region, found.image) == ((2, 3), region, "a")


def test_a_damaged_map_is_not_intact_and_is_written_again(tmp_path: Path) -> None:
    attention = AttentionMap(WEIGHTS)
    saved = save_map(attention, tmp_path)
    (tmp_path / f"{saved.digest}.npy").write_bytes(b"damaged")

    assert not is_intact(tmp_path, saved.digest)
    with pytest.raises(RunStoppedError, match="is gone or damaged"):
        load_map(tmp_path, saved)
    save_map(attention, tmp_path)
    assert is_intact(tmp_path, saved.digest)


@pytest.fixture
def other(tmp_path: Path) -> tuple[Path, Path, str]:
    """The folder of another run's maps, an empty one, and the digest of a map in the first."""
    folders = tmp_path / "other", tmp_path / "own"
    for folder in folders:
        folder.mkdir()
    return *folders, save_map(AttentionMap(WEIGHTS), folders[0]).digest


def test_a_map_is_taken_over_as_a_link(other: tuple[Path, Path, str]) -> None:
    source, folder, digest = other
    (source / f"{digest}.npy").rename(source / "elsewhere")
    (source / f"{digest}.npy").symlink_to("elsewhere")

    assert take_over_map(source, folder, digest)
    (found,) = folder.iterdir()
    assert not found.is_symlink()
    assert found.samefile(source / "elsewhere")


@pytest.mark.parametrize("before", [None, b"damaged"])
def test_a_map_is_copied_where_links_are_impossible(
    other: tuple[Path, Path, str], before: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    source, folder, digest = other
    if before is not None:
        (folder / f"{digest}.npy").write_bytes(before)
    monkeypatch.setattr(os, "link", refused)

    assert take_over_map(source, folder, digest)
    (found,) = folder.iterdir()
    assert is_intact(folder, digest)
    assert found.stat().st_nlink == 1


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_map_that_is_damaged_or_gone_is_not_taken_over(
    other: tuple[Path, Path, str], content: bytes | None
) -> None:
    source, folder, digest = other
    (source / f"{digest}.npy").unlink()
    if content is not None:
        (source / f"{digest}.npy").write_bytes(content)

    assert not take_over_map(source, folder, digest)
    assert not list(folder.iterdir())


def test_the_rest_of_a_link_that_was_being_made_never_changes_the_other_run(
    other: tuple[Path, Path, str],
) -> None:
    source, folder, digest = other
    os.link(source / f"{digest}.npy", folder / f"{digest}-{os.getpid()}.partial")

    assert take_over_map(source, folder, digest)
    assert is_intact(source, digest)
    assert [path.name for path in folder.iterdir()] == [f"{digest}.npy"]
