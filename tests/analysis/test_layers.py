import itertools
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

import harness
from harness.analysis.layers import MethodLayers, flat_row
from harness.analysis.similarity import Similarity

# What sums in another order differ by.
TINY = 1e-12


@pytest.fixture(scope="module")
def run(deep: Path) -> harness.Run:
    return harness.open_run(deep)


@pytest.fixture(scope="module")
def methods(run: harness.Run) -> list[MethodLayers]:
    return run.layers()


@pytest.fixture
def louvain(methods: list[MethodLayers]) -> MethodLayers:
    return next(
        each
        for each in methods
        if (each.method.clusterer, each.method.selector) == ("louvain", "fixed[level=0.5]")
    )


@pytest.fixture
def ami(louvain: MethodLayers) -> Similarity:
    return louvain.similarities[0]


def test_layers_are_in_the_order_of_their_depth(run: harness.Run, louvain: MethodLayers) -> None:
    assert [row.layer for row in louvain.layers] == [0, 1, 2]
    assert [(row.layer, row.head) for row in louvain.heads] == [
        *itertools.product(range(3), range(2))
    ]
    assert [row for row in run.layer_rows() if row in louvain.layers] == list(louvain.layers)


def test_deeper_layers_cluster_more(louvain: MethodLayers) -> None:
    shallow, middle, deep = (row.effect for row in louvain.layers)
    assert abs(shallow) < 0.1 < middle < deep


def test_figures_are_over_the_maps_of_all_heads_of_a_layer(
    run: harness.Run, louvain: MethodLayers
) -> None:
    selections = run.selections()
    for row in louvain.layers:
        of_it = selections[
            (selections["layer"] == row.layer)
            & (selections["clusterer"] == "louvain")
            & (selections["selector"] == louvain.method.selector)
        ]
        assert row.total == row.ok == len(of_it) == 6
        assert row.modularity == pytest.approx(np.mean(of_it["modularity"]))
        low, high = row.intervals["modularity_low"], row.intervals["modularity_high"]
        by_image = of_it.groupby("image")["modularity"].mean()
        assert by_image.min() - TINY <= low <= row.modularity
        assert row.modularity <= high <= by_image.max() + TINY


def test_fractions_are_of_maps_with_a_result(louvain: MethodLayers) -> None:
    for row in louvain.layers:
        assert row.accepted_fraction == row.accepted / 6
        assert row.significant_fraction == row.significant / 6


def test_a_layer_is_flat_for_a_table(louvain: MethodLayers) -> None:
    flat = flat_row(louvain.layers[2])
    assert (flat["layer"], flat["heads"], flat["clusterer"]) == (2, 2, "louvain")
    assert flat["n_clusters_low"] <= flat["n_clusters"] <= flat["n_clusters_high"]
    assert not {"rank", "head", "figures", "intervals"} & flat.keys()


def test_methods_differ_by_selector_too(methods: list[MethodLayers]) -> None:
    assert [(each.method.clusterer, each.method.selector) for each in methods] == [
        *itertools.product(("louvain", "infomap"), ("fixed[level=0.5]", "excess-modularity"))
    ]


def test_heads_of_one_grouping_have_the_same_clusters(ami: Similarity) -> None:
    assert ami.layers[1, 1] == pytest.approx(1)
    assert ami.layers[2, 2] == pytest.approx(1)
    assert max(ami.layers[0, 0], ami.layers[0, 1], ami.layers[1, 2]) < 0.5


def test_images_share_clusters_that_depend_on_position_alone(ami: Similarity) -> None:
    assert ami.layers_elsewhere[2, 2] == pytest.approx(1)
    assert ami.heads_elsewhere[5, 5] == pytest.approx(1)
    assert abs(ami.layers_elsewhere[1, 1]) < 0.3


def test_similarity_is_that_of_every_image_and_then_their_mean(
    run: harness.Run, louvain: MethodLayers, ami: Similarity
) -> None:
    points = run.points()
    chosen = points[
        (points["role"] == "observed")
        & (points["clusterer"] == "louvain")
        & np.isclose(points["level"], 0.5, atol=0.01)
    ]
    images = sorted(set(chosen["image"]))
    labels = {(row.image, 2 * row.layer + row.head): row.labels for row in chosen.itertuples()}
    by_head = np.array(
        [
            [
                [adjusted_mutual_info_score(labels[image, one], labels[image, two])
                 for two in range(6)]
                for one in range(6)
            ]
            for image in images
        ]
    )  # fmt: skip
    off = ~np.eye(6, dtype=bool)
    assert ami.heads[off] == pytest.approx(by_head.mean(axis=0)[off])
    assert np.isnan(np.diag(ami.heads)).all()
    assert ami.head_images[off].tolist() == [3] * 30
    between = by_head[:, :2, 2:4].mean(axis=(1, 2))
    assert ami.layers[0, 1] == pytest.approx(between.mean())
    assert between.min() - TINY <= ami.low[0, 1] <= ami.layers[0, 1]
    assert ami.layers[0, 1] <= ami.high[0, 1] <= between.max() + TINY
    assert louvain.image_pairs == 3
    across = [
        adjusted_mutual_info_score(labels[one, 0], labels[two, 3])
        for one, two in itertools.permutations(images, 2)
    ]
    assert ami.heads_elsewhere[0, 3] == pytest.approx(np.mean(across))


def test_what_was_not_accepted_is_not_compared(methods: list[MethodLayers]) -> None:
    # Infomap finds one cluster of everything in noise.
    infomap = next(
        each
        for each in methods
        if (each.method.clusterer, each.method.selector) == ("infomap", "fixed[level=0.5]")
    )
    assert [row.accepted_fraction for row in infomap.layers] == [0, 1, 1]
    assert (infomap.compared, infomap.trivial) == (12, 0)
    for similarity in infomap.similarities:
        assert np.isnan(similarity.layers[0]).all()
        assert similarity.layer_images[1:, 1:].tolist() == [[3, 3], [3, 3]]
        assert not similarity.head_images[:2].any()


def test_a_method_that_accepted_nothing_has_nothing_alike(methods: list[MethodLayers]) -> None:
    rejecting = next(each for each in methods if each.method.selector == "excess-modularity")
    assert rejecting.compared == 0
    assert all(np.isnan(each.layers).all() for each in rejecting.similarities)
    assert [row.ok for row in rejecting.layers] == [6, 6, 6]


def test_what_failed_is_counted_and_compared_with_nothing(deep: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(deep, tmp_path / "copy"))
    with sqlite3.connect(folder / "run.sqlite") as store:
        store.execute(
            "UPDATE cells SET status = 'failed', reason = 'a test' WHERE cell = (SELECT cell "
            "FROM planned WHERE role = 'observed' AND layer = 2 AND head = 1 "
            "AND clusterer = 'louvain' LIMIT 1)"
        )
    louvain = harness.open_run(folder).layers(["louvain"])[0]
    assert [(row.ok, row.total) for row in louvain.layers] == [
        (6, 6),
        (6, 6),
        (5, 6),
    ]
    assert louvain.heads[5].ok == 2
    assert louvain.compared == 17
    assert louvain.similarities[0].layer_images[2].tolist() == [3, 3, 2]


def test_a_method_is_selected_by_its_name(run: harness.Run) -> None:
    assert {each.method.clusterer for each in run.layers(["infomap"])} == {"infomap"}
    with pytest.raises(harness.HarnessError, match="no clusterer 'louvian'; did you mean"):
        run.layers(["louvian"])
