from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import harness
from support.runs import small_run

MAP = "planted-0"


@pytest.fixture(scope="module")
def single(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run on maps of one layer and head, which tests only read."""
    return small_run(tmp_path_factory.mktemp("single") / "out", planted_maps)


@pytest.mark.parametrize("kind", [harness.HarnessError, FileNotFoundError])
def test_a_folder_without_a_run_is_refused(kind: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(kind, match="no run is there"):
        harness.open_run(tmp_path)


def test_components_made_by_hand_take_arrays() -> None:
    weights = np.kron(np.eye(2), np.ones((5, 5))) + 0.01
    builder = harness.make("graph builder", "threshold")

    levels = builder.levels(weights, 3)
    graphs = list(builder.build(weights, levels))
    labels = harness.make("clusterer", "louvain").cluster(weights, seed=0)
    (attention,) = harness.make("extractor", "one-layer-vit").extract(
        [np.zeros((28, 28), dtype=np.uint8)]
    )

    assert [graph.level for graph in graphs] == levels.tolist()
    assert labels.tolist() == [labels[0]] * 5 + [labels[5]] * 5
    assert harness.modularity(weights, labels) > 0.4
    assert attention.weights.shape == (196, 196)


@pytest.mark.parametrize("kind", ["graph_builder", "graph builder", "graph-builder"])
def test_kinds_may_be_written_with_underscores(kind: str) -> None:
    assert harness.make(kind, "threshold").name == "threshold"


@pytest.mark.parametrize(
    ("kind", "spec", "reason"),
    [
        ("cluster", "louvain", "there is no kind 'cluster'"),
        ("clusterer", "louvain,infomap", "describes 2 components"),
        ("clusterer", "louvain[resolution=[1,2]]", "describes 2 components"),
        ("clusterer", "", "describes 0 components"),
    ],
)
def test_make_takes_one_component_of_a_known_kind(kind: str, spec: str, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        harness.make(kind, spec)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"clusterer": "louvain"}, "has no keyword 'clusterer'; did you mean 'clusterers'?"),
        ({"progres": True}, "has no keyword 'progres'; did you mean 'progress'?"),
        ({"retry_failed": "no"}, "retry_failed: expected true or false, not 'no'"),
        ({"levels": "8"}, "levels: expected a whole number from 1 to 10000, not '8'"),
        ({"force": "louvian"}, "force: this run has no component 'louvian'"),
        ({"suite": 3}, "suite: expected a path, not 3"),
        ({"progress": "yes"}, "progress: expected true or false or a Progress, not 'yes'"),
        ({"any_environment": 1}, "any_environment: expected true or false, not 1"),
        ({"any_enviroment": True}, "no keyword 'any_enviroment'; did you mean 'any_environment'?"),
        ({"plugins": "nowhere.py"}, "plugins: nowhere.py: no such file"),
        ({"dask": "nowhere"}, "dask: nowhere: neither an address"),
    ],
)
def test_a_wrong_keyword_is_refused_in_words_of_keywords(
    keywords: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A finished run in the current folder would need no cluster.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(harness.HarnessError) as refused:
        harness.run(**keywords)

    assert isinstance(refused.value, ValueError | FileNotFoundError) or "dask" in keywords
    assert message in str(refused.value)
    assert "--" not in str(refused.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: harness.open_run(3), "path: expected a path, not 3"),
        (lambda run: harness.make("clusterer", 3), "spec: expected text, not 3"),
        (lambda run: harness.make("clusterer"), "make: missing a required argument: 'spec'"),
        (lambda run: harness.make("clusterer", "louvian"), "did you mean 'louvain'?"),
        (lambda run: harness.modularity(np.ones((2, 2)), [0, 1], "1"), "resolution: expected a"),
        (lambda run: harness.modularity(np.ones((2, 2)) * 1e308, [0, 1]), "sum must be finite"),
        (lambda run: run.leaderboard("exces"), "did you mean 'excess'?"),
        (lambda run: run.leaderboard(by=3), "by: expected text, not 3"),
        (
            lambda run: run.leaderboard(bye="excess"),
            "Run.leaderboard has no keyword 'bye'; did you mean 'by'?",
        ),
        (lambda run: run.layers("louvian"), "did you mean 'louvain'?"),
        (lambda run: run.image_report(MAP, {"heda": "3"}), "key 'heda'; did you mean 'head'?"),
        (lambda run: run.image_report(MAP, {"head": 3}), "the run has no head '3'; there are 0"),
        (lambda run: run.image_report(MAP, ["head"]), "filters: expected a mapping"),
        (lambda run: run.image_report(MAP, clusterers="louvian"), "did you mean 'louvain'?"),
        (lambda run: harness.open_run(run.folder, 3), "selectors: expected text or a list"),
        (lambda run: run.partition(3, "louvain"), "image: expected text, not 3"),
        (lambda run: run.partition(MAP, "louvian"), "did you mean 'louvain'?"),
        (lambda run: run.foreground(None), "foreground: expected a Foreground, not None"),
        (lambda run: run.select("max-modularty"), "did you mean 'max-modularity'?"),
        (
            lambda run: run.select("fixed[level=1]", progress=1),
            "progress: expected true or false or",
        ),
        (
            lambda run: run.ablate("louvain", settings={"at": "keys"}),
            "expected an AblationSettings",
        ),
        (lambda run: run.weights(MAP), "report: expected an ImageReport, not 'planted-0'"),
        (lambda run: run.compare("out"), "other: expected a Run, not 'out'"),
        (lambda run: run.images("x"), "Run.images: too many positional arguments"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(
    call: Callable[[harness.Run], Any], message: str, single: harness.Run
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        call(single)

    assert message in str(refused.value)
    assert "--" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers(planted_maps: Path, tmp_path: Path) -> None:
    plain = {"levels": 3, "seed": 1, "resolution": 1.0, "rescore": True, "timeout": 60.0}
    numpys = {name: np.asarray(value)[()] for name, value in plain.items()}

    first = small_run(tmp_path / "first", planted_maps, **plain)
    second = small_run(tmp_path / "second", planted_maps, **numpys)

    assert first.settings() == second.settings()
    assert second.image_report(MAP, {"head": np.int64(0)}).head == 0


def test_components_take_numbers_of_numpy() -> None:
    weights = np.kron(np.eye(2), np.ones((6, 6)))
    for spec in ("louvain", "leiden", "spectral", "kmeans", "sdp"):
        clusterer = harness.make("clusterer", spec)
        labels = clusterer.cluster(weights, seed=np.int64(1))
        labels = labels.labels if isinstance(labels, harness.Partition) else labels
        assert len(set(labels.tolist())) == 2
    drawn = harness.make("control", "permuted-rows").draw(weights, seed=np.int32(1))
    assert drawn.weights.sum() == weights.sum()
    assert harness.make("graph builder", "threshold").levels(weights, np.int64(3)).shape == (3,)


@pytest.mark.parametrize(
    "several",
    [
        ("louvain", "sdp"),
        {"sdp", "louvain"},
        pandas.Index(["louvain", "sdp"]),
        np.array(["louvain", "sdp"]),
    ],
)
def test_several_names_may_come_in_any_collection(
    several: Any, planted_maps: Path, tmp_path: Path
) -> None:
    run = small_run(tmp_path / "out", planted_maps, clusterers=several, levels=2)

    assert run.settings()["clusterers"] == ["louvain", "sdp"]
    assert len(run.partition(MAP, "louvain@level=0").labels)


@pytest.mark.parametrize("seed", ["1", 1.0, None, -1])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    with pytest.raises(harness.HarnessError, match="seed: expected a whole number"):
        harness.make("clusterer", "louvain").cluster(np.ones((4, 4)), seed=seed)


def test_failures_are_computed_again_if_the_keyword_asks_for_it(
    planted: Path, hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def phases(**keywords: Any) -> str:
        small_run(
            tmp_path / "out", planted, clusterers="raising", levels=2, plugins=hostile, **keywords
        )
        return capsys.readouterr().err

    assert phases(progress=False) == ""
    assert "warning: raising" not in phases(progress=True)
    assert "warning: raising" in phases(progress=True, retry_failed=True)
    assert "warning: raising" in phases(progress=True, force=["raising"])


@pytest.mark.parametrize("name", ["a" * 300, "loop", "broken", "file", "file/x", "nul\0"])
@pytest.mark.parametrize("argument", ["path", "suite", "out", "plugins", "scratch"])
def test_a_path_that_cannot_be_used_is_refused_in_one_line(
    argument: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("broken").symlink_to("nowhere")
    Path("file").write_text("no TOML")
    settings: dict[str, Any] = {
        "extractors": "planted[count=1,n=16,k=2]",
        "controls": "none",
        "levels": 2,
    }
    settings |= {"selectors": "max-modularity", "isolation": "none", "perturbations": "none"}
    # A file that is no plugin is a broken plugin, of which a run only warns.
    settings |= {"clusterers": "mine"} if argument == "plugins" else {"clusterers": "louvain"}

    settings |= {"out": "out", "progress": False, argument: name}
    call = (
        partial(harness.open_run, name) if argument == "path" else partial(harness.run, **settings)
    )
    with pytest.raises(harness.HarnessError) as refused:
        call()

    assert "\n" not in str(refused.value)
    assert "Errno" not in str(refused.value)
