"""What is removed by the order of clusters, against `harness ablate`."""

import pandas
import pytest
from ablation_by_prediction import rows

import harness
from support.runs import small_run

REFERENCE = "louvain"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(
        tmp_path_factory.mktemp("ablation") / "run",
        images="flowers-sample[count=4]",
        extractors="one-layer-vit",
    )


@pytest.fixture(scope="module")
def table(finished: harness.Run) -> pandas.DataFrame:
    return pandas.DataFrame(rows("model", finished, REFERENCE)).query("figure == 'logit'")


def test_by_salience_the_object_is_the_most_salient_cluster(
    finished: harness.Run, table: pandas.DataFrame
) -> None:
    (theirs,) = (
        each
        for each in finished.ablate(REFERENCE).contrasts
        if (each.removed, each.figure) == ("most salient", "logit")
    )
    ours = table.query("at == 'block' and group == 'all' and order == 'salience'")

    assert ours.set_index("removed")["clusters_mean"]["object"] == theirs.clusters.mean


def test_the_mean_of_each_cluster_does_not_depend_on_their_order(table: pandas.DataFrame) -> None:
    each = table[table["removed"] == "each cluster"]

    assert not each.empty
    by_group = each.groupby(["at", "group"])["clusters_mean"]
    assert by_group.max().to_numpy() == pytest.approx(by_group.min().to_numpy())
