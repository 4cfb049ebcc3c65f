"""The figures of the power benchmark, against the leaderboard's and the tests of a small run."""

import pandas
import pytest
from power import draw, measured

import harness
from support.runs import small_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(
        tmp_path_factory.mktemp("power") / "run",
        extractors="planted[n=16,k=2,count=4,signal=[0,1.5]]",
        clusterers="louvain,label-propagation",
        selectors="excess-modularity,fixed[level=0]",
        controls="permuted-rows",
        nulls=20,
    )


@pytest.fixture(scope="module")
def table(finished: harness.Run) -> pandas.DataFrame:
    return measured(finished)


def test_mean_ari_and_the_best_levels_are_the_leaderboards(
    finished: harness.Run, table: pandas.DataFrame
) -> None:
    ours = table[table.signal > 0].set_index(["method", "selector"])
    theirs = [row for row in finished.leaderboard() if row.ari is not None]

    assert len(ours) == len(theirs) == 4
    for row in theirs:
        of_it = ours.loc[(row.method.clusterer, row.method.selector)]
        assert (of_it.ari, of_it.ari_best) == pytest.approx((row.ari, row.ari_best))


def test_the_share_found_is_that_of_p_at_most_5_percent(
    finished: harness.Run, table: pandas.DataFrame
) -> None:
    tests = finished.tests()
    signal = tests.extractor.map({each: "1.5" in each for each in tests.extractor})
    shares = (tests.p <= 0.05).groupby([signal, tests.clusterer, tests.selector]).mean()

    ours = table.set_index([table.signal > 0, "method", "selector"]).found
    assert ours.to_dict() == pytest.approx(shares.to_dict())


def test_no_choice_can_expect_more_than_among_the_levels_of_all_methods(
    table: pandas.DataFrame,
) -> None:
    planted = table[table.signal > 0]

    assert (planted.attainable <= planted.attainable_by_any).all()
    assert table[table.signal == 0].attainable.isna().all()


def test_the_picture_has_a_column_a_selector_and_no_panel_for_plain_maximisation(
    table: pandas.DataFrame,
) -> None:
    figure = draw(table)

    assert [panel.get_title() for panel in figure.axes if panel.get_title()] == [
        "excess-modularity"
    ]
