import contextlib
import inspect
import sqlite3
from collections.abc import Callable
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
    assert len(finished.leaderboard()) == len(finished.to_frame()) == 2 * 2
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
        "density", "modularity", "modularity_full", "z_modularity", "n_clusters", "coverage",
        "labels",
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


FRAMES: dict[str, Callable[[harness.Run], pandas.DataFrame]] = {
    "images": harness.Run.images,
    "cells": harness.Run.cells,
    "points": harness.Run.points,
    "selections": harness.Run.selections,
    "tests": harness.Run.tests,
    "stabilities": harness.Run.stabilities,
    "scores": harness.Run.scores,
    # Those of results.
    "to_frame": harness.Run.to_frame,
    "compare": lambda run: run.compare(run).to_frame(),
    "comparisons": lambda run: run.comparisons().to_frame(),
    "verdicts": lambda run: run.verdicts().to_frame(),
    "head_rows": lambda run: run.head_rows().to_frame(),
    "layer_rows": lambda run: run.layer_rows().to_frame(),
    "image_report": lambda run: run.image_report(run.cells()["image"][0]).to_frame(),
}
LISTS = {"labels", "null_statistics", "null_candidates"}


@pytest.fixture(scope="module", params=["all", "failed", "images"])
def any_run(
    request: pytest.FixtureRequest,
    finished: harness.Run,
    hostile: Path,
    planted_maps: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> harness.Run:
    """A run with all tables, one whose cells all failed, and one on images."""
    out = tmp_path_factory.mktemp("results") / "out"
    if request.param == "failed":
        return small_run(out, planted_maps, clusterers="raising", plugins=hostile)
    if request.param == "images":
        return small_run(out, images="noise[count=1]", extractors="one-layer-vit")
    return finished


def test_every_frame_is_in_the_table() -> None:
    annotated = {
        name
        for name, method in inspect.getmembers(harness.Run, inspect.isfunction)
        if method.__annotations__.get("return") == "pandas.DataFrame"
    }
    assert annotated <= set(FRAMES)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_plain_columns_and_goes_where_frames_go(
    name: str, any_run: harness.Run, tmp_path: Path
) -> None:
    full = FRAMES[name](any_run)
    types = {column: str(full[column].dtype) for column in full}
    for column, dtype in types.items():
        assert (dtype == "object") == (column in LISTS), column

    for frame in (full, full.iloc[:0]):
        frame.to_parquet(tmp_path / "frame.parquet")
        plain = frame.drop(columns=list(LISTS), errors="ignore")
        assert len(plain.drop_duplicates()) <= len(plain)
        for column in plain.select_dtypes("number"):
            assert len(plain.nlargest(1, column)) == min(1, len(plain))
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            plain.to_sql("frame", database)


@pytest.mark.parametrize("name", FRAMES)
def test_the_types_of_a_frame_do_not_depend_on_the_run(
    name: str, any_run: harness.Run, finished: harness.Run
) -> None:
    assert FRAMES[name](any_run).dtypes.to_dict() == FRAMES[name](finished).dtypes.to_dict()


def test_a_comparison_that_pairs_nothing_says_so_and_has_no_frame(
    finished: harness.Run, tmp_path: Path, planted_maps: Path
) -> None:
    other = small_run(tmp_path / "out", planted_maps, clusterers="kmeans", levels=1)

    compared = finished.compare(other)

    assert compared.paired == 0
    assert "Nothing is paired" in repr(compared)
    with pytest.raises(harness.HarnessError, match="nothing is paired"):
        compared.to_frame()


def test_an_opened_run_is_the_run(finished: harness.Run) -> None:
    opened = harness.open_run(finished.folder)

    pandas.testing.assert_frame_equal(opened.to_frame(), finished.to_frame())


def test_settings_and_provenance_are_stored_with_the_run(finished: harness.Run) -> None:
    (session,) = finished.sessions()

    assert finished.settings()["clusterers"] == ["louvain", "infomap"]
    assert session["environment"]["libraries"]["scikit-network"]
    assert session["environment"]["threads"] == {"cells": 1, "extraction": 1}
    assert "commit" in session["source"]
    assert session["invocation"]["command"]
