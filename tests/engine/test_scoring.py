import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from support import PLUGINS
from support.runs import small_run

PLUGIN = PLUGINS / "scoring.py"
SETTINGS = {
    "controls": "permuted-rows",
    "selectors": "max-modularity,fixed[level=0]",
    "nulls": 6,
}


@pytest.fixture(scope="module")
def computed(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three maps, two draws of a control from each, and two selectors."""
    return small_run(tmp_path_factory.mktemp("runs") / "run", planted_maps, **SETTINGS).folder


@pytest.fixture(scope="module")
def scored(computed: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """That run with scores; not to be written to."""
    copy = shutil.copytree(computed, tmp_path_factory.mktemp("scored") / "run")
    return harness.open_run(copy).score("conductance,nodes", [PLUGIN], isolation="none")


@pytest.fixture
def run(computed: Path, tmp_path: Path) -> harness.Run:
    """A copy of that run in the test's own folder."""
    return harness.open_run(shutil.copytree(computed, tmp_path / "run"))


def by_hand(run: harness.Run, name: str) -> list[float]:
    """The score of every selection, in the order of the plan, made from what the run returns."""
    score, builder = harness.make("score", name), harness.make("graph builder", "threshold")
    points = run.points().set_index(["cell", "point"])
    found = {}
    for row in run.selections().itertuples():
        (weights,) = run.weights(run.image_report(row.image), alone=True).values()
        attention = harness.AttentionMap(weights, grid=None)
        (graph,) = builder.build(attention, np.array([row.level]))
        labels = points.loc[(row.cell, row.candidate), "labels"]
        found[row.cell, row.candidate] = score.score(
            harness.LabelledGraph(graph, labels, attention)
        )
    return list(found.values())


@pytest.mark.parametrize("name", ["conductance", "silhouette", "code-length"])
def test_figures_are_those_of_the_score_on_the_graph_of_each_selected_level(
    run: harness.Run, name: str
) -> None:
    figures = run.score(name, isolation="none").scores()

    observed = figures[figures.role == "observed"].sort_values(["image", "point"])
    assert sorted(observed.figure) == pytest.approx(sorted(by_hand(run, name)))


def test_every_selected_level_is_scored_on_the_map_and_on_its_draws(scored: harness.Run) -> None:
    figures = scored.scores()

    wanted = scored.selections().groupby("image").candidate.agg(set).to_dict()
    for role, draws in (("observed", {0}), ("control", {0, 1})):
        of_role = figures[(figures.role == role) & (figures.score == "conductance")]
        assert of_role.groupby("image").point.agg(set).to_dict() == wanted
        assert set(of_role.draw) == draws
        assert not of_role.duplicated(["image", "draw", "point"]).any()


def test_only_what_is_missing_is_computed(
    run: harness.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.score("conductance", isolation="none")
    before = run.scores()
    from harness_plugins.scores.conductance import Conductance

    monkeypatch.setattr(Conductance, "score", lambda self, labelled: 0.125)
    run.score("conductance", isolation="none")
    run.select("fixed[level=0.5]")
    run.score("conductance", isolation="none")

    after = run.scores()
    new = after.merge(before, how="left", on=["cell", "point"], suffixes=("", "_before"))
    assert set(new.figure[new.figure_before.isna()]) == {0.125}
    kept = new[new.figure_before.notna()]
    assert (kept.figure == kept.figure_before).all()
    assert len(kept) == len(before)


def test_another_version_is_computed_again(
    run: harness.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.score("conductance", isolation="none")
    from harness_plugins.scores.conductance import Conductance

    monkeypatch.setattr(Conductance, "score", lambda self, labelled: 0.125)
    monkeypatch.setattr(Conductance, "version", 2)
    run.score("conductance", isolation="none")

    assert set(run.scores().figure) == {0.125}
    assert set(run.scores().version) == {2}


def test_edited_code_is_computed_again(run: harness.Run, tmp_path: Path) -> None:
    plugin = tmp_path / "scoring.py"
    plugin.write_text(PLUGIN.read_text())
    run.score("nodes", [plugin], isolation="none")
    before = run.scores().figure
    plugin.write_text(PLUGIN.read_text().replace("self.plus", "self.plus + 1000"))
    run.score("nodes", [plugin], isolation="none")

    assert run.scores().figure.tolist() == (before + 1000).tolist()


def test_cells_that_are_computed_again_lose_their_figures(
    run: harness.Run, planted_maps: Path
) -> None:
    run.score("conductance", isolation="none")

    small_run(run.folder, planted_maps, force="louvain", **SETTINGS)

    assert run.scores().empty


def test_parameters_make_another_score(run: harness.Run) -> None:
    run.score("nodes,nodes[plus=10]", [PLUGIN], isolation="none")

    wide = run.scores().pivot(index=["cell", "point"], columns="score", values="figure")
    assert (wide["nodes[plus=10.0]"] == wide["nodes"] + 10).all()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raising", "RuntimeError: first line second line"),
        ("textual", "textual: score() returned a str, not a number"),
        ("infinite", "infinite: score() returned inf, which is not finite"),
        ("beyond", "beyond: score() returned 1.5, which is not in its range 0 … 1"),
    ],
)
def test_a_score_that_fails_costs_its_own_figures_alone(
    run: harness.Run, name: str, reason: str
) -> None:
    run.score(f"conductance,{name},nodes", [PLUGIN], isolation="none")

    figures = run.scores()
    assert set(figures.reason[figures.score == name]) == {reason}
    assert figures.figure[figures.score == name].isna().all()
    assert (figures.reason[figures.score != name] == "").all()


def test_what_a_score_changes_no_other_sees(run: harness.Run, scored: harness.Run) -> None:
    run.score("altering,conductance", [PLUGIN], isolation="none")

    def conductances(one: harness.Run) -> list[float]:
        figures = one.scores()
        return figures.figure[figures.score == "conductance"].tolist()

    assert conductances(run) == conductances(scored)


def test_a_figure_that_failed_is_tried_again(run: harness.Run, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    plugin = tmp_path / "scoring.py"
    source = PLUGIN.read_text().replace(
        'raise RuntimeError("first line\\nsecond line")',
        f"assert os.path.exists({str(marker)!r})\n        return 1.0",
    )
    plugin.write_text(source)
    run.score("raising", [plugin], isolation="none")
    failed = set(run.scores().reason)
    marker.touch()
    run.score("raising", [plugin], isolation="none")

    assert failed == {"AssertionError"}
    assert set(run.scores().figure) == {1.0}


def test_a_score_with_figures_is_not_stopped_by_others_that_fail(
    run: harness.Run, tmp_path: Path
) -> None:
    failing = tmp_path / "failing"
    plugin = tmp_path / "scoring.py"
    source = PLUGIN.read_text().replace(
        'raise RuntimeError("first line\\nsecond line")',
        f"""calls = pathlib.Path({str(failing)!r})
        if calls.exists():
            calls.write_text(calls.read_text() + ".")
            if len(calls.read_text()) <= 6:
                os._exit(0)
        return 1.0""",
    )
    plugin.write_text(f"import pathlib\n{source}")
    run.score("raising", [plugin])
    failing.touch()
    run.select(["fixed[level=0.49]", "fixed[level=0.98]"])
    run.score("raising", [plugin])

    figures = run.scores()
    assert len(failing.read_text()) > 6
    assert set(figures.reason) == {"", "the process exited with code 0"}
    assert (figures.reason == "the process exited with code 0").sum() == 6


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("exiting", "the process exited with code 0"),
        pytest.param("sleeping", "not done within the time limit of 8 s", marks=pytest.mark.slow),
    ],
)
def test_a_score_that_ends_its_process_or_never_returns_is_stopped(
    run: harness.Run, name: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run.score(f"conductance,{name}", [PLUGIN], timeout=8.0)

    figures = run.scores().groupby("score").reason
    assert set(figures.get_group("conductance")) == {""}
    failed = figures.get_group(name).value_counts().to_dict()
    stopped = f"stopped, as its first 5 all failed alike: {reason}"
    assert failed == {reason: 5, stopped: sum(failed.values()) - 5}
    assert f"{name}: {stopped}; the same command tries again" in capfd.readouterr().err


def test_a_builder_that_makes_other_graphs_than_in_the_run_is_refused(
    run: harness.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness_plugins.graph_builders.threshold import Threshold

    monkeypatch.setattr(
        Threshold, "levels", lambda self, attention, count: np.linspace(0.3, 0.99, count)
    )
    run.score("conductance", isolation="none")

    assert run.scores().reason.str.contains("threshold makes another graph").all()


def test_a_missing_map_stops_in_one_line(run: harness.Run) -> None:
    for path in (run.folder / "maps").iterdir():
        path.unlink()

    with pytest.raises(harness.HarnessError, match="is gone or damaged"):
        run.score("conductance", isolation="none")


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ("conductanse", "did you mean 'conductance'?"),
        ("louvain", "'louvain' is no score but a clusterer"),
        ([], "scores: name at least one score"),
        ("coverage", "the score 'coverage' has the name of the column coverage; rename it"),
    ],
)
def test_a_mistake_costs_one_line(scored: harness.Run, scores: str, line: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        scored.score(scores, [PLUGIN], isolation="none")

    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_undefined_figure_is_no_failure(run: harness.Run) -> None:
    run.score("undefined", [PLUGIN], isolation="none")

    figures = run.scores()
    assert figures.figure.isna().all()
    assert set(figures.reason) == {""}


def test_the_run_remembers_the_plugin(run: harness.Run) -> None:
    run.score("nodes", [PLUGIN], isolation="none")

    assert len(run.score("nodes[plus=1]", isolation="none").scores().score.unique()) == 2


def test_a_frame_without_figures_has_the_types_of_a_full_one(
    run: harness.Run, scored: harness.Run
) -> None:
    assert run.scores().empty
    pandas.testing.assert_series_equal(run.scores().dtypes, scored.scores().dtypes)


def test_a_score_may_have_the_name_of_another_kind(run: harness.Run, tmp_path: Path) -> None:
    plugin = tmp_path / "scoring.py"
    plugin.write_text(PLUGIN.read_text().replace('"nodes"', '"threshold"'))

    figures = run.score("threshold", [plugin], isolation="none").scores()

    assert set(figures.reason) == {""}


def test_nothing_of_a_run_but_its_scores_changes(run: harness.Run, scored: harness.Run) -> None:
    for name in ("cells", "points", "selections", "tests", "stabilities"):
        pandas.testing.assert_frame_equal(getattr(run, name)(), getattr(scored, name)())
