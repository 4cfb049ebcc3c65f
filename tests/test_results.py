from pathlib import Path

import networkx
import numpy as np
import pandas
import pytest

import harness
from support.runs import small_run


@pytest.fixture(scope="module")
def finished(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(
        tmp_path_factory.mktemp("results") / "out",
        planted_maps,
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
    finished: harness.Run, planted_maps: Path
) -> None:
    points = finished.points()
    assert set(points.columns) >= {
        "image", "extractor", "layer", "head", "graph", "clusterer", "level", "threshold",
        "density", "modularity", "modularity_full", "n_clusters", "coverage", "labels",
    }  # fmt: skip

    row = points.query("image == 'planted-1' and role == 'observed' and point == 3").iloc[0]
    weights = np.load(planted_maps / "planted-1.npy")
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


def test_settings_and_provenance_are_stored_with_the_run(finished: harness.Run) -> None:
    (session,) = finished.sessions()

    assert finished.settings()["clusterers"] == ["louvain", "infomap"]
    assert session["environment"]["libraries"]["scikit-network"]
    assert session["environment"]["threads"] == {"cells": 1, "extraction": 1}
    assert "commit" in session["source"]
    assert session["invocation"]["command"]
