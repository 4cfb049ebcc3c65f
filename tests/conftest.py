"""The environment of the tests, and fixtures that several parts of the suite share."""

# Before anything is imported that reads the environment.
from support.environment import isolate_environment, reset_warnings

isolate_environment()

# ruff: noqa: E402
import gzip
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

import harness
from support import PLUGINS
from support.maps import write_planted
from support.runs import Command, Finished, small_run
from support.siblings import BOTH, CHANGES

# Machines pause; how long an example takes says nothing about what it tests.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_configure() -> None:
    reset_warnings()


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Puts PyTorch's threads back, which commands and plugins set for the whole process."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether progress is shown depends on the machine's speed; its own tests set the clock."""
    monkeypatch.setattr("harness.views.progress.QUIET", math.inf)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules look as if they were not installed."""

    def hide(*modules: str) -> None:
        for name in modules:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


@pytest.fixture(scope="session")
def hostile() -> Path:
    """A plugin file with clusterers that break the rules."""
    return PLUGINS / "misbehaving.py"


@pytest.fixture(scope="session")
def planted_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three planted maps; not to be written to."""
    return write_planted(tmp_path_factory.mktemp("planted") / "maps")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with three planted maps in the test's own folder."""
    return write_planted(tmp_path / "maps")


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on three images and layers of two heads; not to be written to."""
    run = small_run(
        tmp_path_factory.mktemp("deep") / "out",
        images="noise[count=3]",
        extractors="deep",
        clusterers="louvain,infomap",
        selectors="fixed[level=0.5],excess-modularity",
        controls="uniform-noise",
        perturbations="seeds",
        stability_draws=2,
        nulls=3,
        plugins=[PLUGINS / "deep.py"],
    )
    return run.folder


@pytest.fixture(scope="session")
def one_clusterer(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one clusterer; not to be written to."""
    out = tmp_path_factory.mktemp("computed") / "one"
    small_run(out, planted_maps, **CHANGES)
    return out


@pytest.fixture(scope="session")
def both_clusterers(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run of both clusterers that takes over nothing."""
    out = tmp_path_factory.mktemp("alone") / "both"
    return small_run(out, planted_maps, **CHANGES, clusterers=BOTH)


@pytest.fixture
def sibling(one_clusterer: Path, tmp_path: Path) -> Path:
    """The run of one clusterer, in the test's results."""
    return Path(shutil.copytree(one_clusterer, tmp_path / "results" / "one"))


@pytest.fixture(scope="session")
def idx_content() -> Callable[[NDArray[np.uint8]], bytes]:
    """Tells how an array of bytes is written in the IDX format."""

    def content(array: NDArray[np.uint8]) -> bytes:
        sizes = b"".join(size.to_bytes(4) for size in array.shape)
        return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()

    return content


@pytest.fixture
def striped_images(tmp_path: Path, idx_content: Callable[[NDArray[np.uint8]], bytes]) -> Path:
    """A folder like Fashion-MNIST's: noisy 8×8 images, bright in the row that is their label."""
    random = np.random.default_rng(0)
    folder = tmp_path / "striped"
    folder.mkdir()
    for prefix, count in (("train", 96), ("t10k", 32)):
        labels = random.integers(0, 4, count, dtype=np.uint8)
        images = random.integers(0, 128, (count, 8, 8), dtype=np.uint8)
        images[np.arange(count), 2 * labels] += 127
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_content(images))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_content(labels)))
    return folder


@pytest.fixture
def harness_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Runs `harness` in a folder of its own, in this process: its imports are most of its time.

    The line that names the next command has tests of its own, and is left out.
    """
    from harness.cli.main import main

    def command(*arguments: object) -> Finished:
        given = list(map(str, arguments))
        monkeypatch.chdir(tmp_path)
        # What the test printed before is not the command's.
        capfd.readouterr()
        try:
            code = main(given)
        except SystemExit as ended:  # as argparse ends --help and --version
            code = ended.code if isinstance(ended.code, int) else 1
        output, errors = capfd.readouterr()
        lines = errors.splitlines(keepends=True)
        if lines and lines[-1].startswith("next: harness "):
            lines.pop()
        return subprocess.CompletedProcess(given, code, output, "".join(lines))

    return command


@pytest.fixture
def harness_process(tmp_path: Path) -> Command:
    """Runs `harness` as a user does, as a process of its own in a folder of its own."""

    def command(*arguments: object, timeout: float = 120) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=tmp_path,
            check=False,
        )

    return command
