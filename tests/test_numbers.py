"""One numbering of clusters, from 1 for the largest, wherever users see one."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.metrics.partition import numbered
from support.runs import Command, small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """One image of a model whose patches lie on a grid."""
    return small_run(
        tmp_path_factory.mktemp("numbers") / "out",
        images="fashion-mnist-sample[count=1]",
        extractors="one-layer-vit",
        clusterers="louvain,infomap",
        perturbations="seeds",
        stability_draws=2,
        levels=4,
    )


@pytest.fixture(scope="module")
def image(run: harness.Run) -> str:
    return str(run.cells()["image"].iloc[0])


def sizes(run: harness.Run, image: str, reference: str) -> dict[int, int]:
    """The nodes of each cluster of two or more, by its number."""
    numbers = run.partition(image, reference).numbers
    counts = {int(number): int((numbers == number).sum()) for number in np.unique(numbers)}
    return {number: count for number, count in counts.items() if number > 0 and count > 1}


def test_numbers_count_from_one_and_the_largest_comes_first() -> None:
    assert numbered(np.array([7, 7, 2, 2, 2, -1, 0])).tolist() == [2, 2, 1, 1, 1, -1, 3]


def test_the_stability_frame_names_the_cluster_of_that_number(run: harness.Run, image: str) -> None:
    for row in run.stabilities().query("weakest_cluster > 0").itertuples():
        found = sizes(run, image, f"{row.clusterer}@selector={row.selector}")
        assert found[row.weakest_cluster] == row.weakest_size


def test_ablation_and_comparison_name_clusters_by_their_numbers(
    harness_command: Command, run: harness.Run, image: str, tmp_path: Path
) -> None:
    expected = sizes(run, image, "louvain")
    shown = harness_command(
        "ablate", run.folder, image, "--of", "louvain", "--draws", "5", "--json", "--csv", "a.csv"
    )
    ablated = json.loads(shown.stdout)["images"][0]
    assert {
        each["cluster"]: each["patches"] for each in ablated["clusters"] if each["cluster"] > 0
    } == expected
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    alone = {row["clusters"]: int(row["patches"]) for row in rows if row["kind"] == "alone"}
    assert {int(name): count for name, count in alone.items() if int(name) > 0} == expected

    shown = harness_command(
        "compare-partitions", run.folder, image, "--of", "louvain", "--with", "infomap", "--json"
    )
    unions = json.loads(shown.stdout)["first_unions"]
    assert {union["cluster"]: union["size"] for union in unions} == expected


def test_figures_and_the_terminal_have_the_same_numbers(
    harness_command: Command, run: harness.Run, image: str, tmp_path: Path
) -> None:
    expected = sizes(run, image, "louvain")
    shown = harness_command("show", run.folder, image, "--method", "louvain", "--out", "figures")
    listed = next(line for line in shown.stdout.splitlines() if re.search(r"\b1: \d+", line))
    assert {int(a): int(b) for a, b in re.findall(r"(\d+): (\d+)", listed)} == dict(
        list(expected.items())[:6]
    )

    with (tmp_path / "figures" / f"{image}@overlay-louvain.csv").open() as file:
        clusters = [int(row["cluster"]) for row in csv.DictReader(file)]
    assert {number: clusters.count(number) for number in expected} == expected
    alone = set(clusters) - {*expected, -1}
    assert all(clusters.count(number) == 1 for number in alone)
    legend = (tmp_path / "figures" / f"{image}@overlay-louvain.svg").read_text()
    assert f">1: {expected[1]}<" in legend
