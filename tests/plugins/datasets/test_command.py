import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

import harness
from harness.cli.main import main
from harness_plugins.datasets import catalogue
from harness_plugins.datasets.catalogue import known
from support.runs import Command
from support.site import answering

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def test_the_list_shows_all_sets_and_how_to_get_them(harness_command: Command) -> None:
    finished = harness_command("data", "list")

    assert finished.returncode == 0, finished.stderr
    for text in (
        "fashion-mnist: ",
        "fashion-mnist-sample: ",
        "t10k-labels-idx1-ubyte.gz",
        "MIT",
        "https://github.com/zalandoresearch/fashion-mnist",
        "/usr/share/datasets/fashion-mnist",
    ):
        assert text in finished.stdout


def test_the_list_is_available_as_json(harness_command: Command) -> None:
    shown = json.loads(harness_command("data", "list", "--json").stdout)

    sets = {row["name"]: row for row in shown["image_sets"]}
    assert list(sets) == [
        "fashion-mnist",
        "fashion-mnist-sample",
        "cifar10",
        "cinic10",
        "tf-flowers",
        "flowers-sample",
    ]
    assert sets["fashion-mnist"]["files"] == [f"{name}.gz" for name in NAMES]
    assert set(sets["cifar10"]) == {
        "name",
        "summary",
        "files",
        "size",
        "licence",
        "published",
        "obtain",
        "here",
    }
    assert "contains all of CIFAR-10" in sets["cinic10"]["summary"]


def test_files_are_reported_as_wrong_missing_or_unreadable(
    harness_command: Command, striped_images: Path
) -> None:
    (striped_images / NAMES[0]).unlink()
    packed = striped_images / f"{NAMES[1]}.gz"
    packed.write_bytes(packed.read_bytes()[:-10])

    finished = harness_command("data", "verify", "fashion-mnist", "--path", striped_images)

    assert finished.returncode == 1
    missing, unreadable, *wrong = finished.stdout.splitlines()
    assert missing == f"{NAMES[0]}: missing"
    assert unreadable.startswith(f"{NAMES[1]}: wrong: {packed}: cannot be read: ")
    for name, line in zip(NAMES[2:], wrong, strict=True):
        assert line.startswith(f"{name}: wrong: found SHA-256 ")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_published_files_are_ok_gzipped_or_plain(
    harness_command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(DEBIAN, folder)
    packed = folder / f"{NAMES[3]}.gz"
    (folder / NAMES[3]).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()

    finished = harness_command("data", "verify", "fashion-mnist", "--path", folder)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [f"{name}: ok" for name in NAMES]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["verify", "fashion-mnist", "--path", "nowhere"], "nowhere: no such folder; it should"),
        (["verify", "cifar", "--path", "."], "invalid choice: 'cifar'"),
        ([], "the following arguments are required: COMMAND"),
        (["fetch"], "the following arguments are required: NAME"),
        (["fetch", "mnist"], "invalid choice: 'mnist'"),
        (["fetch", "cifar10", "--from", "ftp://here"], "--from ftp://here: must begin with http"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, arguments: list[str], line: str
) -> None:
    finished = harness_command("data", *arguments)

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = finished.stderr.splitlines()
    assert error.startswith("harness: ")
    assert line in error


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a server that sends the files in the folder `site`."""
    (tmp_path / "site").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "site"))
    with answering(handler) as address:
        yield address


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_files_with_another_checksum_are_not_taken(
    harness_command: Command, site: str, tmp_path: Path
) -> None:
    for file in known("fashion-mnist").downloads:
        with (tmp_path / "site" / file.name).open("wb") as zeros:
            zeros.truncate(file.size)

    finished = harness_command("data", "fetch", "fashion-mnist", "--to", "it", "--from", site)

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = finished.stderr.splitlines()
    assert error.startswith(f"harness: {site}/train-images-idx3-ubyte.gz: found SHA-256 ")
    assert "expected 3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" in error
    assert not (tmp_path / "it").exists()


def test_a_set_that_is_there_is_left_as_it_is(
    harness_command: Command, striped_images: Path
) -> None:
    before = sorted(path.name for path in striped_images.iterdir())

    finished = harness_command("data", "fetch", "fashion-mnist", "--to", striped_images)

    assert finished.returncode == 0, finished.stderr
    assert "exists already; `harness data verify fashion-mnist` checks it" in finished.stdout
    assert sorted(path.name for path in striped_images.iterdir()) == before


def test_the_folder_of_the_variable_is_verified_where_none_is_named(
    harness_command: Command, striped_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    striped_images.rename(striped_images.with_name("fashion-mnist"))
    monkeypatch.setenv("HARNESS_DATA", str(striped_images.parent))

    finished = harness_command("data", "verify", "fashion-mnist")

    assert finished.returncode == 1
    assert "expected c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" in (
        finished.stdout
    )


def test_a_set_goes_where_it_is_looked_for(
    site: str,
    striped_images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, since the catalogue's files are too large to be had in a test."""
    downloads = []
    for file in known("fashion-mnist").downloads:
        plain, packed = striped_images / file.name.removesuffix(".gz"), striped_images / file.name
        content = packed.read_bytes() if packed.exists() else gzip.compress(plain.read_bytes())
        (tmp_path / "site" / file.name).write_bytes(content)
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        downloads.append(replace(file, size=len(content), checksum=checksum))
    entry = replace(known("fashion-mnist"), downloads=tuple(downloads))
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))

    assert main(["data", "fetch", "fashion-mnist", "--from", site]) == 0

    assert capsys.readouterr().out == f"{tmp_path}/data/fashion-mnist: fetched\n"
    assert len(harness.make("image set", "fashion-mnist").keys()) == 32
