from pathlib import Path

import pytest

import harness


@pytest.fixture
def finished(planted: Path, tmp_path: Path) -> Path:
    """The folder of a run of two methods on three maps, `out` in the test's own folder."""
    run = harness.run(
        extractors=f"arrays[path={planted}]",
        controls="permuted-rows",
        clusterers="infomap,louvain",
        selectors="stable-phase[beyond_noise=false]",
        perturbations="seeds",
        nulls=3,
        stability_draws=2,
        levels=4,
        out=tmp_path / "out",
    )
    return run.folder
