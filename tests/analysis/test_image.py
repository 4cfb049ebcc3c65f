from pathlib import Path

import numpy as np
import pytest

import harness
from harness.analysis.image import ImageReport
from support.runs import small_run

MAP = "planted-1"


@pytest.fixture(scope="module")
def run(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(
        tmp_path_factory.mktemp("report") / "out",
        planted_maps,
        controls="permuted-rows",
        clusterers="louvain[resolution=[0.5,2]],infomap",
        selectors="stable-phase[beyond_noise=false],max-modularity",
        perturbations="seeds",
        stability_draws=2,
        nulls=6,
        levels=4,
        repeats=2,
    )


@pytest.fixture(scope="module")
def report(run: harness.Run) -> ImageReport:
    return run.image_report(MAP)


def test_profiles_are_those_of_the_points(run: harness.Run, report: ImageReport) -> None:
    points = run.points().query("image == @MAP and role == 'observed' and repeat == 0")

    assert [method.clusterer for method in report.methods] == list(points["clusterer"].unique())
    for method in report.methods:
        of = points[points["clusterer"] == method.clusterer]
        assert method.profile.modularity.tolist() == of["modularity"].tolist()
        assert method.profile.labels.tolist() == np.stack(of["labels"]).tolist()


def test_noise_is_over_the_draws_for_the_same_map(run: harness.Run, report: ImageReport) -> None:
    points = run.points().query("image == @MAP and role == 'control' and repeat == 0")

    for method in report.methods:
        of = points[points["clusterer"] == method.clusterer].groupby("point")
        noise = method.noise
        assert noise is not None
        assert (noise.control, noise.draws) == ("permuted-rows", 2)
        assert np.allclose(noise.modularity, of["modularity"].mean())
        assert np.allclose(noise.lowest, of["modularity"].min())
        assert np.allclose(noise.highest, of["modularity"].max())
        assert np.allclose(noise.n_clusters, of["n_clusters"].mean())


def test_selections_are_reported_with_their_tests_and_stabilities(
    run: harness.Run, report: ImageReport
) -> None:
    where = "image == @MAP and repeat == 0"
    selections = run.selections().query(f"{where} and role == 'observed'")
    tests, stabilities = run.tests().query(where), run.stabilities().query(where)

    for method in report.methods:
        for selection in method.selections:
            of = "clusterer == @method.clusterer and selector == @selection.selector"
            (expected,) = selections.query(of).to_dict("records")
            assert selection.candidate == expected["candidate"]
            assert selection.accepted == expected["accepted"]
            assert selection.reason == expected["reason"]
            assert selection.p_value == tests.query(of)["p"].item()
            found = stabilities.query(of)
            assert dict(selection.jaccards) == dict(
                zip(found["kind"], found["jaccard"].replace(np.nan, None), strict=True)
            )


def test_p_is_that_of_the_reference_control(planted_maps: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted_maps, controls="preserved-strengths,permuted-rows")
    tests = run.tests().query("image == @MAP and control == 'preserved-strengths'")

    (method,) = run.image_report(MAP).methods
    assert method.noise is not None
    assert method.noise.control == "preserved-strengths"
    assert [each.p_value for each in method.selections] == tests["p"].tolist()


def test_values_without_a_filter_are_named(run: harness.Run, report: ImageReport) -> None:
    assert report.others == {"repeat": ("1",)}
    assert (report.repeat, run.image_report(MAP, {"repeat": "1"}).repeat) == (0, 1)
    assert run.image_report(MAP, {"repeat": "1"}).others == {}


def test_a_filter_that_matches_several_maps_is_refused(planted: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted, graphs="top-k[start=[0.3,0.5]]")

    with pytest.raises(harness.HarnessError, match=r"^graph top-k matches top-k\[start=0.3\], "):
        run.image_report(MAP, {"graph": "top-k"})


def test_a_name_matches_every_spec_of_its_component(run: harness.Run) -> None:
    chosen = harness.open_run(run.folder, "max-modularity")
    found = chosen.image_report(MAP, clusterers=["louvain"])

    assert [method.clusterer for method in found.methods] == [
        "louvain[resolution=0.5]",
        "louvain[resolution=2.0]",
    ]
    assert {len(method.selections) for method in found.methods} == {1}


def test_weights_are_those_of_the_map(
    run: harness.Run, report: ImageReport, planted_maps: Path
) -> None:
    (weights,) = run.weights(report).values()

    assert np.array_equal(weights, np.load(planted_maps / f"{MAP}.npy"))


def test_a_map_that_is_damaged_is_refused(planted: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted, levels=2)
    for path in (tmp_path / "out" / "maps").iterdir():
        np.save(path, np.zeros((40, 40)))

    with pytest.raises(harness.HarnessError, match="layer 0, head 0 is missing or damaged"):
        run.weights(run.image_report(MAP))


@pytest.mark.parametrize(
    ("filters", "clusterers", "line"),
    [
        ({}, ["luvain"], "the run has no clusterer 'luvain'; did you mean"),
        ({"head": "3"}, [], "the run has no head '3'; there are 0"),
    ],
)
def test_what_the_run_does_not_have_is_named_in_one_line(
    run: harness.Run,
    filters: dict[str, str],
    clusterers: list[str],
    line: str,
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        run.image_report(MAP, filters, clusterers)

    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)
