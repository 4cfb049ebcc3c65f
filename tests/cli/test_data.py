import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def test_the_list_tells_what_there_is_and_how_to_have_it(harness_command: Command) -> None:
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


def test_the_list_is_to_be_had_as_json(harness_command: Command) -> None:
    told = json.loads(harness_command("data", "list", "--json").stdout)

    whole, sample = told["image_sets"]
    assert (whole["name"], sample["name"]) == ("fashion-mnist", "fashion-mnist-sample")
    assert whole["files"] == [f"{name}.gz" for name in NAMES]
    assert set(whole) == {"name", "summary", "files", "size", "licence", "published", "obtain"}


def test_files_are_told_to_be_wrong_missing_or_unreadable(
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
        (["verify", "fashion-mnist", "--path", "nowhere"], "--path nowhere: no such folder"),
        (["verify", "fashion-mnist"], "the following arguments are required: --path"),
        (["verify", "cifar", "--path", "."], "invalid choice: 'cifar'"),
        ([], "the following arguments are required: VERB"),
        (["fetch"], "invalid choice: 'fetch'"),
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
