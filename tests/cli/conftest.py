import shutil
from pathlib import Path

import pytest

from support.runs import small_run


@pytest.fixture(scope="session")
def computed(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two methods on three maps; not to be written to."""
    run = small_run(
        tmp_path_factory.mktemp("computed") / "out",
        planted_maps,
        controls="permuted-rows",
        clusterers="infomap,louvain",
        selectors="stable-phase[beyond_noise=false]",
        perturbations="seeds",
        nulls=3,
        stability_draws=2,
        levels=4,
    )
    return run.folder


@pytest.fixture
def finished(computed: Path, tmp_path: Path) -> Path:
    """A copy of that run, `out` in the test's own folder."""
    return Path(shutil.copytree(computed, tmp_path / "out"))
