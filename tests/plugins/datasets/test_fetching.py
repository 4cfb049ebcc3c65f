import fcntl
import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness
from harness_plugins.datasets import cifar10
from harness_plugins.datasets.catalogue import Archive, KnownImageSet, known
from harness_plugins.datasets.fetching import fetch
from support.site import Site, pack

BOUNDS = {"most_members": 100, "most_bytes": 1_000_000}


def quiet(_step: str, _done: int, _of: int) -> None:
    pass


def png(level: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 3), (level, 0, 0)).save(written, "png")
    return written.getvalue()


def archived(site: Site, name: str, content: bytes, **bounds: int) -> KnownImageSet:
    """A set of the catalogue whose archive is this one."""
    entry = known(name)
    assert entry.archive is not None
    file = site.download(entry.downloads[0].name, content)
    archive = Archive(entry.archive.root, **{**BOUNDS, **bounds})
    return replace(entry, downloads=(file,), archive=archive)


@pytest.fixture
def flowers() -> bytes:
    """An archive like that of the flower photos, ten photos a class."""
    incompressible = np.random.default_rng(0).bytes(300_000)
    files = {"flower_photos/LICENSE.txt": incompressible} | {
        f"flower_photos/{name}/{number}.jpg": png(10 * number)
        for name in known("tf-flowers").parts
        for number in range(10)
    }
    return pack(files)


def made(name: str, folder: Path, split: str) -> Mapping[str, harness.Image]:
    images = harness.make("image set", f"{name}[path={folder},split={split}]")
    return {key: images.load(key) for key in images.keys()}


def test_flowers_are_fetched_and_read(site: Site, flowers: bytes, tmp_path: Path) -> None:
    entry = archived(site, "tf-flowers", flowers)

    assert fetch(entry, tmp_path / "new" / "flowers", quiet)

    assert os.listdir(tmp_path / "new") == ["flowers"]
    loaded = {split: made("tf-flowers", tmp_path / "new/flowers", split) for split in
              ("train", "validation", "test")}  # fmt: skip
    assert {split: len(images) for split, images in loaded.items()} == {
        "train": 40,
        "validation": 5,
        "test": 5,
    }
    for key, image in (pair for images in loaded.values() for pair in images.items()):
        name, _, number = key.removesuffix(".jpg").partition("/")
        assert image.pixels[0, 0].tolist() == [10 * int(number), 0, 0]
        assert known("tf-flowers").parts[image.label or 0] == name


def test_cinic10_is_fetched_and_read(site: Site, tmp_path: Path) -> None:
    content = pack(
        {"README.md": b"CINIC-10"}
        | {
            f"{part}/{name}/cifar10-{part}-{number}.png": png(number)
            for part in ("train", "valid", "test")
            for name in cifar10.CLASSES
            for number in range(2)
        }
    )

    fetch(archived(site, "cinic10", content), tmp_path / "cinic10", quiet)

    images = made("cinic10", tmp_path / "cinic10", "validation")
    assert len(images) == 20
    assert images["valid/cat/cifar10-valid-1.png"].label == cifar10.CLASSES.index("cat")
    assert sorted(image.label or 0 for image in images.values()) == sorted([*range(10)] * 2)


def test_cifar10_is_fetched_and_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "RECORDS", 20)
    random = np.random.default_rng(0)
    names = known("cifar10").parts
    files = {}
    for name in names:
        records = random.integers(0, 256, (20, 3073), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        files[f"cifar-10-batches-bin/{name}"] = records.tobytes()

    fetch(archived(site, "cifar10", pack(files)), tmp_path / "cifar10", quiet)

    images = made("cifar10", tmp_path / "cifar10", "train")
    images |= made("cifar10", tmp_path / "cifar10", "validation")
    assert len(images) == 100
    record = files["cifar-10-batches-bin/data_batch_2.bin"][3 * 3073 : 4 * 3073]
    image = images["train/00023-cat"]
    assert image.label == record[0] == 3
    for row, column, channel in np.ndindex(32, 32, 3):
        assert image.pixels[row, column, channel] == record[1 + channel * 1024 + row * 32 + column]


def test_a_set_of_several_files_is_fetched_whole(
    site: Site, striped_images: Path, tmp_path: Path
) -> None:
    entry = known("fashion-mnist")
    downloads = []
    for file in entry.downloads:
        plain, packed = striped_images / file.name.removesuffix(".gz"), striped_images / file.name
        content = packed.read_bytes() if packed.exists() else gzip.compress(plain.read_bytes())
        downloads.append(site.download(file.name, content))
    entry = replace(entry, downloads=tuple(downloads))
    site.files["t10k-labels-idx1-ubyte.gz"] += b"!"

    with pytest.raises(harness.HarnessError, match=r"t10k-labels-idx1-ubyte\.gz: sends"):
        fetch(entry, tmp_path / "it", quiet)
    assert not (tmp_path / "it").exists()

    site.download("t10k-labels-idx1-ubyte.gz", site.files["t10k-labels-idx1-ubyte.gz"][:-1])
    site.asked.clear()
    fetch(entry, tmp_path / "it", quiet)

    assert [name for name, _ in site.asked] == ["t10k-labels-idx1-ubyte.gz"]
    assert len(made("fashion-mnist", tmp_path / "it", "test")) == 32


def test_each_step_is_reported(site: Site, flowers: bytes, tmp_path: Path) -> None:
    reported: dict[str, tuple[int, int]] = {}

    def report(step: str, done: int, of: int) -> None:
        reported[step] = (done, of)

    fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", report)

    assert reported == {
        "downloading flower_photos.tgz": (len(flowers), len(flowers)),
        "unpacking flower_photos.tgz": (len(flowers), len(flowers)),
    }


def test_files_are_taken_from_another_address_with_the_same_checksums(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    entry = archived(site, "tf-flowers", flowers)
    (file,) = entry.downloads
    site.files = {"mirror/flower_photos.tgz": flowers}

    fetch(entry, tmp_path / "it", quiet, base=f"{site.address}/mirror/")

    site.files["mirror/flower_photos.tgz"] = bytes(len(flowers))
    with pytest.raises(harness.HarnessError, match=f"expected {file.checksum[7:]}"):
        fetch(entry, tmp_path / "other", quiet, base=f"{site.address}/mirror")


def test_a_fetch_that_was_cut_goes_on_from_there(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    entry = archived(site, "tf-flowers", flowers)
    site.cut = len(flowers) // 2

    with pytest.raises(harness.HarnessError, match="the same command resumes there"):
        fetch(entry, tmp_path / "it", quiet)
    assert sorted(os.listdir(tmp_path)) == ["it.partial"]
    assert fetch(entry, tmp_path / "it", quiet)

    (_, first), (_, second) = site.asked
    assert first is None
    assert second is not None
    assert sorted(os.listdir(tmp_path)) == ["it"]


def malicious(kind: bytes, name: str, target: str = "") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        tar.addfile(member)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (malicious(tarfile.REGTYPE, "../../../escaped"), "escaped"),
        (malicious(tarfile.SYMTYPE, "flower_photos", "/"), "a symbolic link"),
        (malicious(tarfile.LNKTYPE, "flower_photos/a", "../../kept"), "a hard link"),
        (malicious(tarfile.BLKTYPE, "flower_photos/a"), "a device"),
        (malicious(tarfile.DIRTYPE, "other"), "its archive lacks daisy, dandelion"),
        (b"no archive", "cannot be unpacked"),
    ],
    ids=["outside", "symbolic link", "hard link", "device", "other folder", "no archive"],
)
def test_a_bad_archive_leaves_no_set_and_touches_nothing_else(
    site: Site, tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "kept").write_text("mine")

    with pytest.raises(harness.HarnessError, match=f"^flower_photos.tgz: .*{reason}"):
        fetch(archived(site, "tf-flowers", content), tmp_path / "it", quiet)

    assert sorted(os.listdir(tmp_path)) == ["it.partial", "kept"]
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_failed_unpacking_is_tried_again_from_its_beginning(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    entry = archived(site, "tf-flowers", flowers, most_members=9)

    with pytest.raises(harness.HarnessError, match="more than 9 members"):
        fetch(entry, tmp_path / "it", quiet)
    fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", quiet)

    assert len(site.asked) == 1
    assert entry.missing(tmp_path / "it") == []


def test_a_set_that_is_there_is_not_fetched(site: Site, flowers: bytes, tmp_path: Path) -> None:
    entry = archived(site, "tf-flowers", flowers)
    fetch(entry, tmp_path / "it", quiet)
    site.asked.clear()

    assert not fetch(entry, tmp_path / "it", quiet)
    assert site.asked == []


def test_something_else_at_the_target_is_refused_and_left_alone(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "mine").touch()

    with pytest.raises(harness.HarnessError, match="exists without daisy, "):
        fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", quiet)
    with pytest.raises(harness.HarnessError, match="exists without daisy"):
        fetch(archived(site, "tf-flowers", flowers), tmp_path / "it" / "mine", quiet)

    assert os.listdir(tmp_path / "it") == ["mine"]


def test_an_empty_folder_is_filled(site: Site, flowers: bytes, tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()

    assert fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", quiet)

    assert (tmp_path / "it" / "tulips" / "0.jpg").is_file()


def test_two_fetches_do_not_write_into_each_other(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    working = tmp_path / "it.partial"
    working.mkdir()
    other = os.open(working, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(harness.HarnessError, match="another command is fetching into it"):
        fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", quiet)

    os.close(other)
    assert fetch(archived(site, "tf-flowers", flowers), tmp_path / "it", quiet)


def test_too_little_disk_space_is_reported_before_any_request(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    entry = archived(site, "tf-flowers", flowers, most_bytes=10**18)

    with pytest.raises(harness.HarnessError, match=r"tf-flowers may need \d+\.\d\d GB more, "):
        fetch(entry, tmp_path / "it", quiet)

    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_reported_in_one_line(
    site: Site, flowers: bytes, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(harness.HarnessError, match=r"file.*: Not a directory"):
        fetch(archived(site, "tf-flowers", flowers), tmp_path / "file" / "it", quiet)


def test_what_comes_with_the_harness_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="comes with the harness"):
        fetch(known("fashion-mnist-sample"), tmp_path / "it", quiet)
