"""Runs whose components are objects."""

import importlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import pytest
from sklearn.cluster import KMeans

import harness
from support import PLUGINS
from support.runs import Command, small_run

MAPS = np.random.default_rng(0).dirichlet(np.ones(10), (2, 10))


def halves(weights: Any, seed: int) -> Any:
    return np.arange(len(weights)) % 2


def run(out: Path | None, **changes: Any) -> harness.Run:
    """A small run on two maps of ten tokens, the first of which is no patch."""
    return small_run(out, **{"maps": MAPS, "prefix": 1, "progress": False, **changes})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A user's module with a function."""
    source = "import numpy as np\ndef halves(w, seed):\n    return np.arange(len(w)) % 2\n"
    (tmp_path / "methods_of_mine.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("methods_of_mine")
    importlib.sys.modules.pop("methods_of_mine")  # type: ignore[attr-defined]


def test_objects_stand_beside_specs_and_the_same_call_computes_nothing(tmp_path: Path) -> None:
    louvain = harness.from_networkx(nx.community.louvain_communities, resolution=1.2)

    def again() -> harness.Run:
        methods = ["louvain", halves, KMeans(2, n_init=1), KMeans(3, n_init=1), louvain]
        return run(tmp_path / "out", clusterers=methods)

    first, second = again(), again()

    assert set(first.leaderboard()["clusterer"]) == {
        "louvain",
        "halves",
        "KMeans[n_clusters=2,n_init=1]",
        "KMeans[n_clusters=3,n_init=1]",
        "louvain_communities[resolution=1.2]",
    }
    assert first.statuses() == {"ok": 10}
    assert [each["computed"] for each in second.sessions()] == [True, False]


def test_maps_of_arrays_give_the_numbers_of_the_same_maps_in_files(tmp_path: Path) -> None:
    np.save(tmp_path / "maps.npy", MAPS)
    files = f"arrays[path={tmp_path}/maps.npy,prefix_tokens=1,grid=[3,3]]"

    arrays = run(tmp_path / "arrays")
    others = small_run(tmp_path / "files", extractors=files)

    columns = ["level", "threshold", "modularity", "n_clusters"]
    assert arrays.points()[columns].equals(others.points()[columns])
    assert list(arrays.cells()["image"].unique()) == ["image-0", "image-1"]


def test_a_function_that_has_changed_is_computed_anew_and_nothing_else(tmp_path: Path) -> None:
    def made(parts: int) -> Any:
        def method(weights: Any, seed: int) -> Any:
            return np.arange(len(weights)) % parts

        return method

    before = run(tmp_path / "out", clusterers=["louvain", made(2)]).points()
    after = run(tmp_path / "out", clusterers=["louvain", made(3)]).points()

    same = before.merge(after, on=["cell", "point"])
    assert set(same["clusterer_x"]) == {"louvain"}
    assert set(after[after["clusterer"] == "method"]["n_clusters"]) == {3}


def test_every_kind_of_component_may_be_defined_where_it_is_used(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Uniform(harness.Extractor):
        name = "uniform"
        nodes: int = 9

        def head_indices(self) -> Any:
            return [harness.HeadIndex(0, 0)]

        def extract(self, images: Any) -> Any:
            for image in images:
                weights = np.full((self.nodes, self.nodes), image.pixels.mean())
                yield harness.AttentionMap(weights, image.key, variant=image.variant)

    @dataclass(frozen=True)
    class Whole(harness.GraphBuilder):
        name = "whole"

        def levels(self, attention: Any, count: int) -> Any:
            return np.arange(count, dtype=float)

        def build(self, attention: Any, levels: Any) -> Any:
            for level in levels.tolist():
                yield harness.Graph.from_weights(attention.weights, level=level)

    @dataclass(frozen=True)
    class First(harness.Selector):
        name = "first"

        def select(self, profile: Any, controls: Any) -> harness.Selection:
            return harness.Selection(0, 0.0, True, None, "the first")

    @dataclass(frozen=True)
    class Darker(harness.ImageControl):
        name = "darker"

        def draw(self, image: Any, seed: int) -> Any:
            return replace(image, pixels=image.pixels // 2)

    def shaken(weights: Any, seed: int) -> Any:
        return weights * np.random.default_rng(seed).uniform(0.9, 1.1, weights.shape)

    found = small_run(
        tmp_path / "out",
        images=[np.full((4, 4), 100, np.uint8), np.full((6, 4, 3), 200, np.uint8)],
        extractors=Uniform,
        graphs=[Whole(), "threshold"],
        clusterers=halves,
        selectors=First(),
        controls=[Darker, shaken],
        perturbations=shaken,
        stability_draws=2,
        progress=False,
    )

    assert found.statuses() == {"ok": 16}
    assert list(found.images()["height"]) == [4, 6]
    assert set(found.stabilities()["kind"]) == {"levels", "shaken"}
    assert found.settings()["extractors"] == ["uniform"]
    assert found.settings()["controls"] == ["darker", "shaken"]


def test_what_a_module_has_runs_in_worker_processes(tmp_path: Path, module: ModuleType) -> None:
    methods = [module.halves, KMeans(2, n_init=1)]

    inline = run(tmp_path / "inline", clusterers=methods)
    found = run(tmp_path / "out", clusterers=methods, isolation=None)

    assert found.sessions()[-1]["isolation"] == "process"
    assert found.points()["labels"].map(list).equals(inline.points()["labels"].map(list))


@pytest.mark.slow
def test_what_a_module_has_runs_in_jobs_of_slurm(tmp_path: Path, module: ModuleType) -> None:
    methods = [module.halves, KMeans(2, n_init=1)]
    (tmp_path / "jobs.toml").write_text('cluster = "local"')

    inline = run(tmp_path / "inline", clusterers=methods)
    found = run(tmp_path / "out", clusterers=methods, isolation=None, slurm=tmp_path / "jobs.toml")

    assert found.statuses() == inline.statuses()
    assert found.points()["labels"].map(list).equals(inline.points()["labels"].map(list))


def test_a_module_that_is_edited_after_its_import_stops_the_run(
    tmp_path: Path, module: ModuleType
) -> None:
    file = Path(str(module.__file__))
    # Of another size: Python takes cached bytecode for that of a file of equal size and second.
    file.write_text(file.read_text().replace("% 2", "% 30"))

    with pytest.raises(harness.HarnessError, match="clusterer halves: its module is another one"):
        run(tmp_path / "out", clusterers=module.halves, isolation=None, workers=1)


def test_what_no_process_can_import_runs_in_this_one_and_the_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def local(weights: Any, seed: int) -> Any:
        return halves(weights, seed)

    found = run(tmp_path / "out", clusterers=local, isolation=None, progress=True)

    assert found.sessions()[-1]["isolation"] == "none"
    assert "no worker process can import local (" in capsys.readouterr().err


def test_a_component_of_a_plugin_file_brings_its_file(tmp_path: Path) -> None:
    made = harness.make("clusterer", "choosy", plugins=[PLUGINS / "choosy.py"])

    found = run(tmp_path / "out", clusterers=made)

    assert [each["path"] for each in found.sessions()[-1]["plugins"]] == [
        str(PLUGINS / "choosy.py")
    ]
    assert found.statuses() == {"ok": 2}


def test_a_function_of_unknown_content_is_computed_anew_and_the_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = iter(range(1000))

    def method(weights: Any, seed: int) -> Any:
        next(numbers)
        return halves(weights, seed)

    run(tmp_path / "out", clusterers=method, progress=True)

    assert "method: range_iterator that it uses may change unnoticed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"clusterers": [3]},
            "clusterers: expected text, a component such as harness.Clusterer, a",
        ),
        ({"clusterers": [KMeans]}, r"clusterers: KMeans: give an estimator, such as KMeans\(\)"),
        ({"selectors": halves}, "selectors: halves: a function can be a clusterer"),
        ({"selectors": KMeans()}, "selectors: expected text or a component such as"),
        ({"clusterers": harness.make("selector", "max-modularity")}, "is no clusterer but a selec"),
        (
            {"clusterers": [lambda w, s: w, lambda w, s: s]},
            "clusterers: two clusterers that differ are called lambda; rename one",
        ),
        (
            {"clusterers": [KMeans(2), "KMeans[n_clusters=3]"]},
            r"no object was given as 'KMeans\[n_clusters=3\]'; did you mean 'KMeans\[n_clus",
        ),
        ({"clusterers": [harness.Clusterer]}, "not decorated with @dataclass"),
        (
            {"isolation": "process", "clusterers": lambda w, s: w},
            "isolation: no worker process can",
        ),
        ({"isolation": None, "dask": "local", "clusterers": lambda w, s: w}, "dask: no worker"),
        ({"isolation": None, "slurm": "a.toml", "clusterers": lambda w, s: w}, "slurm: no worker"),
        ({"images": np.zeros((2, 2))}, "images: image-0: pixels must be unsigned bytes"),
        ({"maps": None}, "prefix, grid and names describe maps, and there is no keyword maps"),
        ({"maps": np.eye(3) - 2}, "maps: image-0: attention weights must be finite"),
        ({"grid": "round"}, "grid: expected a list of 2"),
    ],
)
def test_a_wrong_object_is_refused_in_one_line(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(harness.HarnessError, match=message) as refused:
        run(tmp_path / "out", **changes)

    assert "\n" not in str(refused.value)


def test_an_object_with_the_name_of_a_plugin_is_refused(tmp_path: Path) -> None:
    def louvain(weights: Any, seed: int) -> Any:
        return halves(weights, seed)

    with pytest.raises(
        harness.HarnessError, match=r"'louvain' is defined by .* an object in Python"
    ):
        run(tmp_path / "out", clusterers=["infomap", louvain])


def test_a_run_is_read_without_its_objects_and_what_needs_them_says_so(
    tmp_path: Path, harness_command: Command
) -> None:
    run(tmp_path / "out", clusterers=["louvain", halves])

    assert "halves" in harness_command("leaderboard", "out").stdout
    assert harness_command("show", "out", "image-1").returncode == 0
    assert harness_command("export", "out", "--out", "exported").returncode == 0
    resumed = harness_command("run", "--out", "out", "--clusterers", "halves")
    assert resumed.stderr == (
        "harness: there is no clusterer 'halves'; in this run it is an object in Python, which "
        "only the same call of harness.run has\n"
    )


def test_other_maps_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    first, second = run(None), run(None, maps=MAPS[::-1])

    assert first.folder != second.folder
    with pytest.raises(harness.HarnessError, match="other settings"):
        run(first.folder, maps=MAPS[::-1])
