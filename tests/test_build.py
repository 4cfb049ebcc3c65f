"""What is built knows the commit that it is built from."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support import REPOSITORY

RECORD = "harness/source.json"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def build(folder: Path, kind: str, out: Path) -> Path:
    """Build as pip does, with the build backend in the folder of the sources."""
    script = f"import sys, setuptools.build_meta as b; print(b.build_{kind}(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(out)]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return out / built.stdout.splitlines()[-1]


def recorded(wheel: Path) -> dict[str, object]:
    with zipfile.ZipFile(wheel) as archive:
        return dict(json.loads(archive.read(RECORD)))


@pytest.mark.slow
@pytest.mark.parametrize("dirty", [False, True])
def test_wheels_from_a_clone_and_from_its_source_distribution_know_the_commit(
    tmp_path: Path, dirty: bool
) -> None:
    try:
        git(REPOSITORY, "rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the tests do not run in a clone")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(REPOSITORY), str(clone))
    if dirty:
        (clone / "README.md").write_text("changed")
    expected = {"commit": git(clone, "rev-parse", "HEAD"), "dirty": dirty}

    wheel = build(clone, "wheel", tmp_path)
    # Not inside the clone, where git would know.
    with tarfile.open(build(clone, "sdist", tmp_path / "sources")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    again = build(unpacked, "wheel", tmp_path / "again")

    assert recorded(wheel) == recorded(again) == expected
    assert not (clone / RECORD).exists()
