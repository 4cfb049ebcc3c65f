import json
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.metrics.matching import match
from support import PLUGINS
from support.runs import Command, small_run

# Its maps have 40 nodes in two planted communities.
MAP = "blocks-1"


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two maps of two communities, the even and the odd nodes."""
    folder = tmp_path_factory.mktemp("maps")
    even = np.arange(40) % 2 == 0
    for seed in range(2):
        weights = np.random.default_rng(seed).random((40, 40)) ** 4
        np.save(folder / f"blocks-{seed}.npy", weights + 0.6 * (even[:, None] == even))
    return folder


@pytest.fixture(scope="module")
def finished(maps: Path) -> Path:
    """The folder of a run of two methods."""
    run = small_run(
        maps.parent / "out", maps, selectors="stable-phase", clusterers="infomap,louvain", levels=4
    )
    return run.folder


def test_partitions_at_selected_levels_are_matched(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command(
        "compare-partitions", finished, MAP, "--of", "louvain", "--with", "infomap", "--json"
    )

    document = json.loads(shown.stdout)
    run = harness.open_run(finished)
    chosen = run.selections().query("image == @MAP").set_index("clusterer")
    points = run.points().query("image == @MAP and role == 'observed'")
    points = points.set_index(["clusterer", "point"])
    labels = [
        points.loc[clusterer, chosen.loc[clusterer, "candidate"]]["labels"]
        for clusterer in ("louvain", "infomap")
    ]
    expected = match(*labels)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert document["score"] == expected.score
    assert [each["kind"] for each in document["correspondences"]] == [
        each.kind for each in expected.correspondences
    ]
    assert document["first"]["level"] == chosen.loc["louvain", "level"]
    assert document["first"]["selector"] == "stable-phase"


def test_a_partition_is_matched_with_itself_wholly(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command(
        "compare-partitions", finished, MAP, "--of", "louvain@0", "--with", "louvain@level=0",
    )  # fmt: skip

    assert "Matched in all: 1.000" in shown.stdout
    assert "same" in shown.stdout


def test_a_level_is_selected_by_its_number_of_clusters(finished: Path) -> None:
    run = harness.open_run(finished)
    points = run.points().query("image == @MAP and clusterer == 'louvain' and role == 'observed'")
    k = int(points["n_clusters"].iloc[-1])
    first = points[points["n_clusters"] == k].iloc[0]

    found = run.partition(MAP, f"louvain@k={k}")

    assert found.level == first["level"]
    assert found.labels.tolist() == first["labels"].tolist()


@pytest.mark.parametrize(
    ("reference", "line"),
    [
        ("luvain", "luvain: the run has no clusterer 'luvain'; did you mean 'louvain'?"),
        ("louvain@0.1", "louvain@0.1: there is no level 0.1; the levels are 0, 0.3267, "),
        ("louvain@dense", "louvain@dense: 'dense' is not a number; levels are numbers"),
        ("louvain@k=39", "louvain@k=39: no level has k=39 clusters; there are levels with "),
        ("louvain@heat=1", "louvain@heat=1: there is no key 'heat'; did you mean 'head'?"),
        ("louvain@head=1", "louvain@head=1: the run has no head '1'; there are 0"),
        ("louvain@selector=stable", "louvain@selector=stable: the run has no selector 'stable'"),
        ("louvain@0,k=2", "louvain@0,k=2: only one of level, k, selector can select the level"),
        ("louvain@repeat=0,repeat=0", "louvain@repeat=0,repeat=0: repeat is given twice"),
        ("louvain@", "'louvain@': expected METHOD, METHOD@LEVEL or METHOD@KEY=VALUE,…"),
        ("truth", "truth: no communities were planted in blocks-1"),
    ],
)
def test_a_wrong_reference_is_reported_in_one_line(
    finished: Path, reference: str, line: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        harness.open_run(finished).partition(MAP, reference)

    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_keys_with_several_values_must_be_given(maps: Path, tmp_path: Path) -> None:
    run = small_run(
        tmp_path / "out",
        maps,
        clusterers="louvain[resolution=[0.5,2]]",
        selectors="stable-phase,max-modularity",
        repeats=2,
    )

    found = run.partition(MAP, "louvain[resolution=0.5]@selector=max-modularity,repeat=1")

    assert (found.clusterer, found.repeat) == ("louvain[resolution=0.5]", 1)
    assert found.selector == "max-modularity"
    for reference, reason in (
        ("louvain", "clusterer louvain matches louvain.*; give the full spec"),
        (
            "louvain[resolution=0.5]@0",
            r"repeat may be 0, 1; choose one, as in .*@0,repeat=0$",
        ),
        ("louvain[resolution=0.5]@repeat=1", "several selectors chose a level"),
    ):
        with pytest.raises(harness.HarnessError, match=reason):
            run.partition(MAP, reference)


def test_files_of_labels_are_matched(harness_command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([0, 0, 0, 0, 1, 1], dtype=np.uint8))
    np.save(tmp_path / "b.npy", np.array([5, 5, 7, 7, -1, -1]))

    shown = harness_command("compare-partitions", "a.npy", "b.npy", "--json")

    document = json.loads(shown.stdout)
    assert [
        (each["kind"], each["first"], each["second"], each["jaccard"])
        for each in document["correspondences"]
    ] == [("split", [1], [1, 2], 1.0), ("lost", [2], [], 0.0)]
    assert [document[of]["labels"] for of in ("first", "second")] == [[0, 1], [5, 7]]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (np.zeros((2, 3), dtype=int), "labels must be (n,), one a node, not (2, 3)"),
        (np.zeros(6), "labels must be integers, not float64"),
        (np.zeros(5, dtype=int), "b.npy 5; only partitions of the same nodes can be compared"),
        (np.array([0, 0, 0, 0, 1, -2]), "labels must be −1 (unassigned) or from 0"),
        (np.array([0, None]), "b.npy: not an .npy file of numbers: "),
        (b"labels", "b.npy: not an .npy file of numbers: "),
        (None, "b.npy: no such file"),
    ],
)
def test_a_file_without_labels_is_reported_in_one_line(
    harness_command: Command, tmp_path: Path, content: object, line: str
) -> None:
    np.save(tmp_path / "a.npy", np.array([0, 0, 0, 0, 1, 1]))
    if isinstance(content, bytes):
        (tmp_path / "b.npy").write_bytes(content)
    elif content is not None:
        np.save(tmp_path / "b.npy", np.asarray(content), allow_pickle=True)

    shown = harness_command("compare-partitions", "a.npy", "b.npy")

    assert (shown.returncode, shown.stdout) == (1, "")
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["RUN", "blocks-9", "--of", "louvain", "--with", "infomap"], "did you mean 'blocks-"),
        (["RUN", MAP, "--of", "louvain"], "--of and --with name the two partitions"),
        (["nowhere", MAP, "--of", "louvain", "--with", "infomap"], "nowhere: no run is there"),
        (["a.npy", "b.npy", "--of", "louvain"], "--of names a partition of a run; files need none"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command(
        "compare-partitions", *(str(finished) if word == "RUN" else word for word in arguments)
    )

    assert shown.returncode == 1
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_truth_refers_to_the_planted_communities(maps: Path, tmp_path: Path) -> None:
    run = small_run(
        tmp_path / "out",
        extractors=f"known[path={maps}]",
        selectors="stable-phase",
        levels=2,
        plugins=[PLUGINS / "known_truth.py"],
    )

    truth = run.partition(MAP, "truth")

    assert truth.labels.tolist() == [0, 1] * 20
    assert (truth.clusterer, truth.level) == ("truth", None)
    with pytest.raises(harness.HarnessError, match="truth@k=2: planted communities have no k"):
        run.partition(MAP, "truth@k=2")
