import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.analysis.outcomes import outcomes
from harness.metrics.inference import mean_interval, signed_rank_p
from harness.store import open_for_reading
from support.runs import Command, small_run

PLUGIN = '''
from dataclasses import dataclass
import numpy as np
import harness

@dataclass(frozen=True)
class Halves(harness.Clusterer):
    """The first nodes and the last."""
    name = "halves"
    def cluster(self, graph, *, seed):
        {body}

@harness.hookimpl
def harness_clusterers():
    return [Halves]
'''
WELL = "return np.arange(graph.n) * 2 // graph.n"
FAILING = "assert graph.adjacency.max() < 2\n        " + WELL


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with seven maps of even and odd communities; one weight of the last is 3."""
    folder = tmp_path_factory.mktemp("maps")
    even = np.arange(24) % 2 == 0
    for seed in range(7):
        weights = np.random.default_rng(seed).random((24, 24)) + 0.3 * (even[:, None] == even)
        weights[0, 2] = 3.0 if seed == 6 else 1.0
        np.save(folder / f"blocks-{seed}.npy", weights)
    return folder


@pytest.fixture(scope="module")
def run_of(maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a small run, and tells its folder."""

    def run(**settings: Any) -> Path:
        given = {"clusterers": "louvain,infomap", "controls": "permuted-rows", **settings}
        return small_run(tmp_path_factory.mktemp("runs") / "run", maps, **given).folder

    return run


@pytest.fixture(scope="module")
def before(run_of: Callable[..., Path]) -> Path:
    """A run of seven maps."""
    return run_of()


@pytest.fixture(scope="module")
def after(run_of: Callable[..., Path]) -> Path:
    """The same with other seeds, and more levels."""
    return run_of(seed=1, levels=5)


def figure(compared: dict[str, Any], clusterer: str, name: str) -> dict[str, Any]:
    (method,) = (each for each in compared["methods"] if each["clusterer"] == clusterer)
    (found,) = (each for each in method["metrics"] if each["metric"] == name)
    return dict(found)


def test_a_run_is_the_same_as_itself(harness_command: Command, before: Path) -> None:
    shown = harness_command("compare", before, before)
    compared = json.loads(harness_command("compare", before, before, "--json").stdout)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "The runs are the same: 14 pairs, no difference" in shown.stdout
    assert compared["identical"]
    for method in compared["methods"]:
        assert (method["paired"], method["ok"], method["changed"]) == (7, 7, 0)
        for found in method["metrics"]:
            assert found["difference"] in (0.0, None)
            assert found["ties"] == found["images"]


def test_the_same_settings_give_the_same_run(before: Path, run_of: Callable[..., Path]) -> None:
    assert harness.open_run(before).compare(harness.open_run(run_of())).identical


def test_what_differs_by_rounding_alone_is_the_same(
    harness_command: Command, before: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(before, tmp_path / "other"))
    connection = sqlite3.connect(other / "run.sqlite")
    with connection:
        connection.execute("UPDATE points SET modularity = modularity - 1e-16 * (point + 1)")
    connection.close()

    shown = harness_command("compare", before, other)
    compared = json.loads(harness_command("compare", before, other, "--json").stdout)

    assert compared["identical"]
    assert {method["changed"] for method in compared["methods"]} == {0}
    assert "e-1" not in shown.stdout
    # The means themselves are as they are.
    found = figure(compared, "louvain", "modularity")
    assert (found["first"] != found["second"], found["difference"]) == (True, 0)


def test_figures_are_those_of_the_leaderboards(
    harness_command: Command, before: Path, after: Path
) -> None:
    compared = json.loads(harness_command("compare", before, after, "--json").stdout)

    for side, folder in (("first", before), ("second", after)):
        for row in harness.open_run(folder).leaderboard():
            for name in ("modularity", "control_modularity", "effect", "n_clusters", "seconds"):
                found = figure(compared, row.method.clusterer, name)
                assert found[side] == pytest.approx(getattr(row, name), abs=1e-12)


def test_differences_are_judged_over_images(
    harness_command: Command, before: Path, after: Path
) -> None:
    from scipy.stats import wilcoxon

    compared = json.loads(harness_command("compare", before, after, "--json").stdout)

    chosen = [
        harness.open_run(folder).selections().query("clusterer == 'louvain'").set_index("image")
        for folder in (before, after)
    ]
    differences = (chosen[1]["modularity"] - chosen[0]["modularity"]).to_numpy(dtype=float)
    found = figure(compared, "louvain", "modularity")
    assert found["difference"] == pytest.approx(differences.mean(), abs=1e-12)
    assert (found["low"], found["high"]) == pytest.approx(mean_interval(differences))
    assert found["p"] == pytest.approx(wilcoxon(differences).pvalue)
    assert [found["wins"], found["ties"], found["losses"]] == [
        int(np.sum(differences > 0)), int(np.sum(differences == 0)), int(np.sum(differences < 0)),
    ]  # fmt: skip


def test_signs_of_the_effect_are_those_with_the_bias_of_one_draw(
    harness_command: Command, before: Path, after: Path
) -> None:
    compared = json.loads(harness_command("compare", before, after, "--json").stdout)

    effects = []
    for folder in (before, after):
        with open_for_reading(folder) as store:
            of_louvain = [one for one in outcomes(store) if one.method.clusterer == "louvain"]
        effects.append(np.array([one.single_effect for one in of_louvain], dtype=float))
    differences = effects[1] - effects[0]
    found = figure(compared, "louvain", "effect")
    assert [found["wins"], found["ties"], found["losses"]] == [
        int(np.sum(differences > 0)), int(np.sum(differences == 0)), int(np.sum(differences < 0)),
    ]  # fmt: skip
    assert found["p"] == pytest.approx(signed_rank_p(differences))


def test_settings_that_differ_are_shown(
    harness_command: Command, before: Path, after: Path
) -> None:
    shown = harness_command("compare", before, after)

    assert "Settings that differ: levels 3 → 5; seed 0 → 1." in shown.stdout


def test_versions_that_differ_are_shown(
    before: Path, run_of: Callable[..., Path], harness_command: Command
) -> None:
    other = run_of()
    connection = sqlite3.connect(other / "run.sqlite")
    with connection:
        connection.execute(
            "UPDATE sessions SET value = json_set(value, '$.environment.libraries.scipy', '0.1', "
            "'$.environment.absent', json('[\"timm\"]'))"
        )
    connection.close()

    shown = harness_command("compare", before, other)

    assert "Circumstances that differ: libraries scipy " in shown.stdout
    assert " → 0.1." in shown.stdout
    assert "absent" not in shown.stdout


def test_what_has_no_partner_is_counted(
    harness_command: Command, before: Path, run_of: Callable[..., Path], maps: Path
) -> None:
    fewer = run_of(extractors=f"arrays[path={maps / 'blocks-3.npy'}]", clusterers="louvain")

    compared = json.loads(harness_command("compare", before, fewer, "--json").stdout)
    back = json.loads(harness_command("compare", fewer, before, "--json").stdout)

    def counts(document: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
        return {
            each["clusterer"]: (each["paired"], each["only_first"], each["only_second"])
            for each in document["methods"]
        }

    assert counts(compared) == {"louvain": (1, 6, 0), "infomap": (0, 7, 0)}
    assert counts(back) == {"louvain": (1, 0, 6), "infomap": (0, 0, 7)}
    (renamed,) = compared["renamed"]
    assert renamed["name"] == "extractor"
    assert not compared["identical"]


def test_images_are_paired_by_their_pixels_and_else_by_name(
    run_of: Callable[..., Path],
) -> None:
    def run(images: str) -> harness.Run:
        return harness.open_run(
            run_of(
                images=images, extractors="one-layer-vit", clusterers="louvain", controls="none",
                selectors="stable-phase",
            )
        )  # fmt: skip

    two, three = run("noise[count=2]"), run("noise[count=3]")
    others = run("noise[count=2,seed=5]")

    (more,) = two.compare(three).methods
    renamed = two.compare(others)

    assert (more.paired, more.only_first, more.only_second) == (2, 0, 1)
    assert two.compare(three).by_name == 0
    assert (renamed.paired, renamed.by_name) == (2, 2)


def test_heads_and_repeats_are_paired_apart_and_images_are_tested(
    run_of: Callable[..., Path],
) -> None:
    run = harness.open_run(
        run_of(
            images="noise[count=2]",
            extractors="one-layer-vit[checkpoint=fashion-mnist-twelve-heads,heads=[0,5]]",
            clusterers="louvain",
            controls="none",
            selectors="stable-phase",
            repeats=2,
        )
    )

    (method,) = run.compare(run).methods

    assert (method.paired, method.only_first) == (2 * 2 * 2, 0)
    assert {(found.pairs, found.images) for found in method.metrics if found.pairs} == {(8, 2)}


def test_a_method_that_fails_in_the_second_run_only_is_shown_and_a_regression(
    harness_command: Command, run_of: Callable[..., Path], tmp_path: Path
) -> None:
    well, failing = tmp_path / "well.py", tmp_path / "failing.py"
    well.write_text(PLUGIN.format(body=WELL))
    failing.write_text(PLUGIN.format(body=FAILING))
    good, bad = (run_of(clusterers="halves", plugins=[path]) for path in (well, failing))

    shown = harness_command("compare", good, bad)
    failed = harness_command("compare", good, bad, "--fail-on", "modularity:-50%")
    fixed = harness_command("compare", bad, good, "--fail-on", "modularity:-50%")

    assert shown.returncode == 0
    assert "halves: 7 pairs, 1 ok in the first run only" in shown.stdout
    assert failed.returncode == 3
    assert failed.stderr.startswith("worse: halves ")
    assert failed.stderr.endswith("1 of 7 are ok in the first run only\n")
    assert fixed.returncode == 0
    assert "1 ok in the second run only" in fixed.stdout


def test_a_mean_beyond_a_limit_ends_with_three_and_says_which(
    harness_command: Command, before: Path, run_of: Callable[..., Path]
) -> None:
    # The densest level alone, where modularity is smallest.
    worse = run_of(selectors="fixed[level=0]")

    within = harness_command("compare", before, before, "--fail-on", "modularity:-5%")
    beyond = harness_command("compare", before, worse, "--fail-on", "modularity:-5%", "--json")

    assert (within.returncode, within.stderr) == (0, "")
    assert beyond.returncode == 3
    lines = beyond.stderr.splitlines()
    assert [f"worse: {line}" for line in json.loads(beyond.stdout)["regressions"]] == lines
    assert {line.split()[1] for line in lines} == {"louvain", "infomap"}
    assert all("beyond modularity:-5%" in line for line in lines)


def test_a_limit_on_what_was_not_computed_is_an_error(
    harness_command: Command, before: Path
) -> None:
    shown = harness_command("compare", before, before, "--fail-on", "ari:-5%")

    assert shown.returncode == 1
    assert shown.stderr == (
        "harness: --fail-on ari:-5%: no pair has ari in both runs: nothing can be judged\n"
    )


def test_runs_without_anything_in_common_say_so_and_judge_nothing(
    harness_command: Command, before: Path, run_of: Callable[..., Path]
) -> None:
    other = run_of(clusterers="louvain[resolution=2]")

    shown = harness_command("compare", before, other)
    judged = harness_command("compare", before, other, "--fail-on", "modularity:-5%")

    assert shown.returncode == 0
    assert "Nothing is paired; 14 in the first run only, 7 in the second only." in shown.stdout
    assert "A pair has the same image, extractor, layer, head, graph, clusterer" in shown.stdout
    assert "Means over pairs" not in shown.stdout
    assert judged.returncode == 1
    assert judged.stderr.startswith("harness: --fail-on: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["RUN", "nowhere"], "harness: nowhere: no run is there (run.sqlite is missing)\n"),
        (
            ["RUN", "RUN", "--fail-on", "modulaity:-5%"],
            "harness: --fail-on modulaity:-5%: there is no metric 'modulaity'; did you mean "
            "'modularity'?\n",
        ),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, before: Path, arguments: list[str], line: str
) -> None:
    given = [str(before) if word == "RUN" else word for word in arguments]
    shown = harness_command("compare", *given)

    assert (shown.returncode, shown.stdout, shown.stderr) == (1, "", line)


def test_a_comparison_is_a_frame(before: Path, after: Path) -> None:
    one, other = harness.open_run(before), harness.open_run(after)

    frame = one.compare(other).to_frame().set_index(["clusterer", "metric"])

    (louvain, *_) = one.compare(other).methods
    assert len(frame) == 2 * len(louvain.metrics)
    assert frame.loc[("louvain", "modularity"), "paired"] == 7
    assert frame.loc[("louvain", "modularity"), "difference"] == louvain.metrics[0].difference


def test_tables_fit_eighty_characters(before: Path, after: Path) -> None:
    import io

    from rich.console import Console

    from harness.views.comparison import show

    runs = harness.open_run(before).compare(harness.open_run(after))
    wide, narrow = (Console(file=io.StringIO(), width=width) for width in (120, 80))
    for console in (wide, narrow):
        show(runs, console)

    def rows(console: Console) -> list[list[str]]:
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        return [line.split() for line in lines if line.startswith("modularity ")]

    assert rows(narrow) == rows(wide)
    assert len(rows(narrow)) == 2
