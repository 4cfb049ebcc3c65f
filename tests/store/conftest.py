import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.store import open_for_writing
from support.plans import Bench
from support.runs import small_run


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_for_writing(tmp_path) as store:
        yield Bench(store)


@pytest.fixture(scope="session")
def source(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run with a score, and a failed cell; not to be written to."""
    out = tmp_path_factory.mktemp("source") / "run"
    run = small_run(
        out,
        planted_maps,
        clusterers="louvain,label-propagation",
        selectors="max-modularity,fixed[level=0.5]",
        controls="permuted-rows",
        perturbations="seeds",
        stability_draws=2,
        nulls=4,
        levels=5,
    )
    run.score("conductance", progress=False)
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute(
            "UPDATE cells SET status = 'failed', reason = 'no memory', detail = 'Traceback' "
            "WHERE cell = (SELECT cell FROM planned WHERE role = 'observed' "
            "AND clusterer = 'label-propagation' LIMIT 1)"
        )
    return run


@pytest.fixture(scope="session")
def selected(source: harness.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, published with the selected levels; not to be written to."""
    path = tmp_path_factory.mktemp("published") / "selected"
    return source.publish(path, progress=False).folder


@pytest.fixture
def published(selected: Path, tmp_path: Path) -> Path:
    """A copy of the published run in the test's own folder."""
    return Path(shutil.copytree(selected, tmp_path / "published"))
