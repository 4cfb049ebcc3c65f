from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pandas
import pytest

import harness
from support.runs import small_run


@pytest.fixture
def finished(planted: Path, tmp_path: Path) -> harness.Run:
    return small_run(
        tmp_path / "out",
        planted,
        controls="permuted-rows",
        clusterers=["louvain", "infomap"],
        selectors="stable-phase,max-modularity",
        levels=6,
        nulls=8,
        perturbations="seeds,log-jitter",
        stability_draws=4,
    )


def test_a_run_has_its_tables_as_frames(finished: harness.Run) -> None:
    assert len(finished.leaderboard()) == 2 * 2
    chosen = finished.selections().query("accepted").drop_duplicates(["cell", "candidate"])
    levels = 3 * (1 + 3) * 2
    # Three maps with three nulls each, and two perturbations of every level that was chosen.
    assert len(finished.cells()) == levels + 2 * len(chosen)
    assert len(finished.points()) == levels * 6 + 2 * len(chosen) * 4
    assert len(finished.selections()) == len(finished.tests()) == 3 * 2 * 2
    accepted = len(finished.selections().query("accepted"))
    assert len(finished.stabilities()) == 3 * accepted
    assert finished.statuses() == {"ok": len(finished.cells())}


def test_points_carry_their_identity_and_the_modularity_of_their_labels(
    finished: harness.Run, planted: Path
) -> None:
    points = finished.points()
    assert set(points.columns) >= {
        "image", "extractor", "layer", "head", "graph", "clusterer", "level", "threshold",
        "density", "modularity", "modularity_full", "n_clusters", "coverage", "labels",
    }  # fmt: skip

    row = points.query("image == 'planted-1' and role == 'observed' and point == 3").iloc[0]
    weights = np.load(planted / "planted-1.npy")
    np.fill_diagonal(weights, 0.0)
    graph = networkx.from_numpy_array(
        np.where(weights >= row.threshold, weights, 0.0), create_using=networkx.DiGraph
    )
    labels = np.array(row.labels)
    clusters = [set(np.flatnonzero(labels == label).tolist()) for label in set(row.labels)]
    expected = networkx.community.modularity(graph, clusters)
    assert row.modularity == pytest.approx(expected, abs=1e-9)


def test_an_opened_run_is_the_run(finished: harness.Run) -> None:
    opened = harness.open_run(finished.folder)

    pandas.testing.assert_frame_equal(opened.leaderboard(), finished.leaderboard())


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="no run is there"):
        harness.open_run(tmp_path)


def test_provenance_is_kept_with_the_run(finished: harness.Run) -> None:
    (session,) = finished.sessions()

    assert finished.settings()["clusterers"] == ["louvain", "infomap"]
    assert session["environment"]["libraries"]["scikit-network"]
    assert session["environment"]["threads"] == {"cells": 1, "extraction": 1}
    assert "commit" in session["source"]
    assert session["invocation"]["command"]


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
    ],
)
def test_a_wrong_keyword_is_refused_in_words_of_keywords(
    keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        harness.run(**keywords)

    assert message in str(refused.value)
    assert "--" not in str(refused.value)


def test_failures_are_computed_again_if_the_keyword_asks_for_it(
    planted: Path, hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def phases(**keywords: Any) -> str:
        small_run(
            tmp_path / "out", planted, clusterers="raising", levels=2, plugins=hostile, **keywords
        )
        return capsys.readouterr().err

    assert phases() == ""
    assert "clustering" not in phases(progress=True)
    assert "clustering: 3" in phases(progress=True, retry_failed=True)
    assert "clustering: 3" in phases(progress=True, force=["raising"])
